#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "data/davis.h"
#include "data/jhmdb.h"
#include "data/vip.h"
#include "eval/davis_scores.h"
#include "eval/jhmdb_scores.h"
#include "eval/text_files.h"
#include "eval/vip_scores.h"
#include "launcher/commands.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct ScoreOptions {
  std::string truth;
  std::string prediction;
  std::string split;
  std::string csv;
  std::string frames;
  std::string json;
  int threads = 0;
};

// Writes and prints what was asked for: `write_csv` and `write_frames` to a path.
template <typename WriteCsv, typename WriteFrames>
void give_out(const ScoreOptions& options,
              const std::string& json,
              const std::string& table,
              const WriteCsv& write_csv,
              const WriteFrames& write_frames) {
  if (!options.csv.empty()) write_csv(options.csv);
  if (!options.frames.empty()) write_frames(options.frames);
  const bool prints_json = options.json == "-";
  if (!options.json.empty() && !prints_json) eval::write_text(options.json, json);
  std::fputs((prints_json ? json : table).c_str(), stdout);
}

int score_davis_folders(const ScoreOptions& options) {
  const auto truth =
      data::open_davis(options.truth, {.split = options.split, .need_images = false});
  const auto scores = eval::score_davis(truth, options.prediction, options.threads);
  for (const auto& note : scores.notes) log::info(note);
  give_out(
      options,
      eval::scores_json(scores),
      eval::score_table(scores),
      [&](const std::string& path) { eval::write_results_csv(path, scores); },
      [&](const std::string& path) { eval::write_frames_csv(path, scores); });
  return 0;
}

int score_jhmdb_folders(const ScoreOptions& options) {
  const auto truth =
      data::open_jhmdb(options.truth, {.split = options.split, .need_images = false});
  std::vector<eval::JhmdbClipScore> clips;
  for (const auto& clip : truth) clips.push_back(eval::score_jhmdb_clip(clip, options.prediction));
  const auto scores = eval::sum_jhmdb(std::move(clips));
  give_out(
      options,
      eval::jhmdb_json(scores),
      eval::jhmdb_table(scores),
      [&](const std::string& path) { eval::write_jhmdb_csv(path, scores); },
      [&](const std::string& path) { eval::write_jhmdb_clips_csv(path, scores); });
  return 0;
}

int score_vip_folders(const ScoreOptions& options) {
  const auto truth = data::open_vip(options.truth, {.split = options.split, .need_images = false});
  std::vector<eval::VipSequenceScore> sequences;
  for (const auto& sequence : truth)
    sequences.push_back(eval::score_vip_sequence(sequence, options.prediction));
  const auto scores = eval::sum_vip(std::move(sequences));
  give_out(
      options,
      eval::vip_json(scores),
      eval::vip_table(scores),
      [&](const std::string& path) { eval::write_vip_csv(path, scores); },
      [&](const std::string& path) { eval::write_vip_sequences_csv(path, scores); });
  return 0;
}

struct ScoreHelp {
  const char* name;
  const char* what;
  const char* truth;
  const char* prediction;
  const char* split;
  const char* csv;
  const char* frames_flag;  // the finer table
  const char* frames;
  int (*score)(const ScoreOptions&);
};

constexpr ScoreHelp kBenchmarks[] = {
    {"davis",
     "J and F by the rules of DAVIS-2017, semi-supervised",
     "DAVIS root, or a folder of SEQ/*.png",
     "The same, of the masks to be scored",
     "File with one sequence name a line; without it ImageSets/2017/val.txt of the truth, else all "
     "of its sequences",
     "Write one line an object, full precision",
     "--frames",
     "Write one line an object and frame",
     &score_davis_folders},
    {"jhmdb",
     "PCK of key points, with and without the first frame",
     "JHMDB root",
     "Folder of CLASS/CLIP.csv with lines frame,joint,x,y",
     "List of clips, or a folder of <class>_test_split1.txt; without it those of the truth",
     "Write one line a joint, full precision",
     "--clips",
     "Write one line a clip",
     &score_jhmdb_folders},
    {"vip",
     "IoU of parts, with and without the first frames",
     "VIP root, or a folder of SEQ/*.png",
     "Folder of SEQ/*.png, named as the truth is",
     "File with one sequence name a line; without it lists/val_videos.txt of the truth, else all "
     "of its sequences",
     "Write one line a part, full precision",
     "--clips",
     "Write one line a sequence",
     &score_vip_folders},
};

void add_benchmark(CLI::App* score_command, const ScoreHelp& help, Run& run) {
  auto* command = score_command->add_subcommand(help.name, help.what);
  const auto options = std::make_shared<ScoreOptions>();
  command->add_option("--truth", options->truth, help.truth)->required();
  command->add_option("--prediction", options->prediction, help.prediction)->required();
  command->add_option("--split", options->split, help.split);
  command->add_option("--csv", options->csv, help.csv);
  command->add_option(help.frames_flag, options->frames, help.frames);
  command->add_option(
      "--json", options->json, "Write the means as JSON; '-' prints it instead of the table");
  if (help.score == &score_davis_folders)
    command->add_option("--threads", options->threads, "Sequences scored at once; 0: one a core")
        ->check(CLI::Range(0, 1024));
  command->callback(
      [options, &run, score = help.score] { run = [options, score] { return score(*options); }; });
}

}  // namespace

void add_score(CLI::App& app, Run& run) {
  auto* score = app.add_subcommand("score", "Score results that exist already against their truth");
  score->require_subcommand(1);
  for (const auto& benchmark : kBenchmarks) add_benchmark(score, benchmark, run);
}

}  // namespace stc::launcher
