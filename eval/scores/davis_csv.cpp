#include <cstdio>
#include <filesystem>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/file.h"
#include "eval/scores/davis_scores.h"
#include "eval/scores/text_files.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

std::string official(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%.3f", value);
  return buffer;
}

std::string statistics_fields(const Statistics& j,
                              const Statistics& f,
                              std::string (*form)(double)) {
  std::string line;
  for (const double value : {j.mean, j.recall, j.decay, f.mean, f.recall, f.decay}) {
    line += "," + form(value);
  }
  return line;
}

nlohmann::ordered_json json_of(const Statistics& statistics) {
  return {{"mean", statistics.mean}, {"recall", statistics.recall}, {"decay", statistics.decay}};
}

}  // namespace

void write_official_csv(const std::string& folder, const DavisScores& scores) {
  const std::filesystem::path root(folder);
  data::write_text(root / "global_results.csv",
                   "J&F-Mean,J-Mean,J-Recall,J-Decay,F-Mean,F-Recall,F-Decay\n" +
                       official(scores.jf_mean()) +
                       statistics_fields(scores.j, scores.f, official) + "\n");
  std::string lines = "Sequence,J-Mean,F-Mean\n";
  for (const auto& object : scores.objects) {
    lines += csv_field(text("{}_{}", object.sequence, object.object)) + "," +
             official(object.j_statistics.mean) + "," + official(object.f_statistics.mean) + "\n";
  }
  data::write_text(root / "per-sequence_results.csv", lines);
}

void write_results_csv(const std::string& path, const DavisScores& scores) {
  std::string lines = "sequence,object,J_mean,J_recall,J_decay,F_mean,F_recall,F_decay\n";
  for (const auto& object : scores.objects) {
    lines += csv_field(object.sequence) + "," + std::to_string(object.object) +
             statistics_fields(object.j_statistics, object.f_statistics, exact) + "\n";
  }
  data::write_text(path, lines);
}

void write_frames_csv(const std::string& path, const DavisScores& scores) {
  std::string lines = "sequence,object,frame,J,F\n";
  for (const auto& object : scores.objects) {
    for (std::size_t i = 0; i < object.frames.size(); ++i) {
      lines += csv_field(object.sequence) + "," + std::to_string(object.object) + "," +
               csv_field(object.frames[i]) + "," + exact(object.j[i]) + "," + exact(object.f[i]) +
               "\n";
    }
  }
  data::write_text(path, lines);
}

std::string scores_json(const DavisScores& scores) {
  auto sequences = nlohmann::ordered_json::array();
  for (const auto& sequence : sequence_scores(scores)) {
    sequences.push_back({{"name", sequence.sequence},
                         {"objects", sequence.objects},
                         {"frames", sequence.frames},
                         {"j_mean", sequence.j_mean},
                         {"f_mean", sequence.f_mean},
                         {"jf_mean", sequence.jf_mean()}});
  }
  const nlohmann::ordered_json json = {{"jf_mean", scores.jf_mean()},
                                       {"j", json_of(scores.j)},
                                       {"f", json_of(scores.f)},
                                       {"sequences", sequences}};
  return json.dump(2) + "\n";
}

std::string score_table(const DavisScores& scores) {
  const auto sequences = sequence_scores(scores);
  std::size_t widest = std::string("mean over objects").size();
  for (const auto& sequence : sequences) widest = std::max(widest, sequence.sequence.size());
  std::ostringstream out;
  const auto line = [&](const std::string& name, int objects, double jf, double j, double f) {
    out << std::left << std::setw(static_cast<int>(widest)) << name << std::right << std::setw(9)
        << objects << std::fixed << std::setprecision(1);
    for (const double value : {jf, j, f}) out << std::setw(7) << 100 * value;
    out << '\n';
  };
  out << std::left << std::setw(static_cast<int>(widest)) << "sequence" << std::right
      << "  objects    J&F      J      F\n";
  for (const auto& s : sequences) line(s.sequence, s.objects, s.jf_mean(), s.j_mean, s.f_mean);
  line("mean over objects",
       static_cast<int>(scores.objects.size()),
       scores.jf_mean(),
       scores.j.mean,
       scores.f.mean);
  return out.str();
}

}  // namespace stc::eval
