#include "eval/scores/davis_scores.h"

#include <algorithm>
#include <iterator>

#include "eval/scores/clip_scores.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

Statistics mean_over_objects(const std::vector<ObjectScore>& objects,
                             Statistics ObjectScore::*which) {
  const auto mean_of = [&](double Statistics::*number) {
    long double sum = 0;
    for (const auto& object : objects) sum += object.*which.*number;
    return static_cast<double>(sum / static_cast<long double>(objects.size()));
  };
  return {mean_of(&Statistics::mean), mean_of(&Statistics::recall), mean_of(&Statistics::decay)};
}

// Plain means over the objects of one sequence.
struct SequenceScore {
  std::string sequence;
  int objects = 0;
  int frames = 0;  // scored ones
  double j_mean = 0, f_mean = 0;
  double jf_mean() const { return (j_mean + f_mean) / 2; }
};

std::vector<SequenceScore> sequence_scores(const DavisScores& scores) {
  std::vector<SequenceScore> sequences;
  for (const auto& object : scores.objects) {
    if (sequences.empty() || sequences.back().sequence != object.sequence)
      sequences.push_back({object.sequence});
    auto& sequence = sequences.back();
    ++sequence.objects;
    sequence.frames = std::max(sequence.frames, static_cast<int>(object.frames.size()));
    sequence.j_mean += object.j_statistics.mean;
    sequence.f_mean += object.f_statistics.mean;
  }
  for (auto& sequence : sequences) {
    sequence.j_mean /= sequence.objects;
    sequence.f_mean /= sequence.objects;
  }
  return sequences;
}

using Number = std::string (*)(double);

std::string three_decimals(double value) { return formatted("%.3f", value); }

std::string statistics_fields(const Statistics& j, const Statistics& f, Number number) {
  std::string fields;
  for (const double value : {j.mean, j.recall, j.decay, f.mean, f.recall, f.decay})
    fields += "," + number(value);
  return fields;
}

std::string global_csv(const DavisScores& scores) {
  const std::string header = "J&F-Mean,J-Mean,J-Recall,J-Decay,F-Mean,F-Recall,F-Decay\n";
  if (scores.objects.empty()) return header;
  return header + three_decimals(scores.jf_mean()) +
         statistics_fields(scores.j, scores.f, three_decimals) + "\n";
}

std::string per_sequence_csv(const DavisScores& scores) {
  std::string lines = "Sequence,J-Mean,F-Mean\n";
  for (const auto& object : scores.objects)
    lines += text("{},{},{}\n",
                  csv_field(text("{}_{}", object.sequence, object.object)),
                  three_decimals(object.j_statistics.mean),
                  three_decimals(object.f_statistics.mean));
  return lines;
}

std::string results_csv(const DavisScores& scores) {
  std::string lines = "sequence,object,J_mean,J_recall,J_decay,F_mean,F_recall,F_decay\n";
  for (const auto& object : scores.objects)
    lines += text("{},{}{}\n",
                  csv_field(object.sequence),
                  object.object,
                  statistics_fields(object.j_statistics, object.f_statistics, exact));
  return lines;
}

std::string frames_csv(const DavisScores& scores) {
  std::string lines = "sequence,object,frame,J,F\n";
  for (const auto& object : scores.objects)
    for (std::size_t i = 0; i < object.frames.size(); ++i)
      lines += text("{},{},{},{},{}\n",
                    csv_field(object.sequence),
                    object.object,
                    csv_field(object.frames[i]),
                    exact(object.j[i]),
                    exact(object.f[i]));
  return lines;
}

Json json_of(const Statistics& statistics) {
  return {{"mean", statistics.mean}, {"recall", statistics.recall}, {"decay", statistics.decay}};
}

Json numbers(const DavisScores& scores, const std::vector<SequenceScore>& sequences) {
  if (scores.objects.empty())
    return {{"jf_mean", nullptr}, {"j", nullptr}, {"f", nullptr}, {"sequences", Json::array()}};
  auto list = Json::array();
  for (const auto& sequence : sequences)
    list.push_back({{"name", sequence.sequence},
                    {"objects", sequence.objects},
                    {"frames", sequence.frames},
                    {"j_mean", sequence.j_mean},
                    {"f_mean", sequence.f_mean},
                    {"jf_mean", sequence.jf_mean()}});
  return {{"jf_mean", scores.jf_mean()},
          {"j", json_of(scores.j)},
          {"f", json_of(scores.f)},
          {"sequences", list}};
}

std::string terminal_table(const DavisScores& scores, const std::vector<SequenceScore>& sequences) {
  if (scores.objects.empty()) return "nothing was scored: the truth has first masks alone\n";
  const std::string mean = "mean over objects";
  std::size_t widest = mean.size();
  for (const auto& sequence : sequences) widest = std::max(widest, sequence.sequence.size());
  const TextTable table{static_cast<int>(widest), {9, 7, 7, 7}};
  const auto line =
      [&](const std::string& name, std::size_t objects, double jf, double j, double f) {
        return table.line(name, {std::to_string(objects), percent(jf), percent(j), percent(f)});
      };
  auto lines = table.line("sequence", {"objects", "J&F", "J", "F"});
  for (const auto& s : sequences)
    lines += line(s.sequence, s.objects, s.jf_mean(), s.j_mean, s.f_mean);
  return lines + line(mean, scores.objects.size(), scores.jf_mean(), scores.j.mean, scores.f.mean);
}

}  // namespace

DavisScores scores_of(std::vector<ObjectScore> objects) {
  STC_CHECK_DATA(
      !objects.empty(),
      "no sequence of the truth has an object in its first frame; expected labels 1, 2, "
      "... in the first mask of each sequence, or --rule any-id for objects that come later");
  DavisScores scores;
  scores.objects = std::move(objects);
  for (auto& object : scores.objects) {
    object.j_statistics = statistics_of(object.j);
    object.f_statistics = statistics_of(object.f);
  }
  scores.j = mean_over_objects(scores.objects, &ObjectScore::j_statistics);
  scores.f = mean_over_objects(scores.objects, &ObjectScore::f_statistics);
  return scores;
}

DavisScores score_davis(const std::vector<data::DavisSequence>& truth,
                        const std::string& prediction,
                        const ScoreOptions& options) {
  const auto folder = data::annotation_folder(prediction);
  if (!options.keep_going) {
    // Before anything is scored: a wrong folder shows at once, not after minutes.
    for (const auto& sequence : truth) {
      check_scorable(sequence);
      check_predictions_exist(sequence, folder);
    }
  }
  const auto score = [&](const data::DavisSequence& sequence) {
    return score_sequence(sequence, folder, options);
  };
  auto [results, failures] = score_clips(truth, score, {options.threads, options.keep_going});
  std::vector<ObjectScore> objects;
  std::vector<std::string> notes;
  for (auto& result : results) {
    std::ranges::move(result.objects, std::back_inserter(objects));
    std::ranges::move(result.notes, std::back_inserter(notes));
  }
  const bool all_failed = objects.empty() && !failures.empty();
  auto scores = all_failed ? DavisScores{} : scores_of(std::move(objects));
  scores.notes = std::move(notes);
  scores.failures = std::move(failures);
  return scores;
}

ScoreTables davis_tables(const DavisScores& scores) {
  const auto sequences = sequence_scores(scores);
  return {.numbers = numbers(scores, sequences),
          .text = terminal_table(scores, sequences),
          .score_name = "J&F",
          .score = scores.objects.empty() ? std::nullopt : std::optional(scores.jf_mean()),
          .results = {"results.csv", results_csv(scores)},
          .details = {"per-frame.csv", frames_csv(scores)},
          .official = {{"global_results.csv", global_csv(scores)},
                       {"per-sequence_results.csv", per_sequence_csv(scores)}}};
}

}  // namespace stc::eval
