#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "data/benchmarks/davis.h"
#include "data/benchmarks/jhmdb.h"
#include "data/benchmarks/vip.h"
#include "data/file.h"
#include "eval/scores/davis_scores.h"
#include "eval/scores/jhmdb_scores.h"
#include "eval/scores/text_files.h"
#include "eval/scores/vip_scores.h"
#include "launcher/commands.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct ScoreArguments {
  std::string truth;
  std::string prediction;
  std::string split;
  std::string csv;
  std::string frames;
  std::string json;
  bool keep_going = false;
  std::string rule = "official";  // what follows is davis' alone
  eval::ScoreOptions davis;
};

// Writes and prints what was asked for: `write_csv` and `write_frames` to a path.
template <typename WriteCsv, typename WriteFrames>
void give_out(const ScoreArguments& arguments,
              const std::string& json,
              const std::string& table,
              const WriteCsv& write_csv,
              const WriteFrames& write_frames) {
  if (!arguments.csv.empty()) write_csv(arguments.csv);
  if (!arguments.frames.empty()) write_frames(arguments.frames);
  const bool prints_json = arguments.json == "-";
  if (!arguments.json.empty() && !prints_json) data::write_text(arguments.json, json);
  std::fputs((prints_json ? json : table).c_str(), stdout);
}

int report_failures(const std::vector<std::string>& failures) {
  if (failures.empty()) return 0;
  for (const auto& failure : failures) log::error("{}", failure);
  log::error("{} sequence(s) left out; the numbers are those of the others", failures.size());
  return static_cast<int>(Exit::kBadData);
}

int score_davis_folders(const ScoreArguments& arguments) {
  STC_CHECK_USAGE(arguments.rule == "official" || !arguments.davis.drop_unknown,
                  "--drop-unknown belongs to --rule official; any-id has no unknown labels");
  auto options = arguments.davis;
  options.keep_going = arguments.keep_going;
  if (arguments.rule == "any-id") options.rule = eval::ScoreRule::kAnyId;
  std::vector<data::DavisSequence> truth;
  std::vector<std::string> failures;
  for (auto& sequence : data::open_davis(
           arguments.truth,
           {.split = arguments.split, .need_images = false, .keep_faulty = arguments.keep_going})) {
    if (sequence.fault.empty()) {
      truth.push_back(std::move(sequence));
    } else {
      failures.push_back(sequence.fault);
    }
  }
  eval::DavisScores scores;
  if (!truth.empty()) scores = eval::score_davis(truth, arguments.prediction, options);
  for (const auto& note : scores.notes) log::info("{}", note);
  if (!scores.objects.empty()) {
    give_out(
        arguments,
        eval::scores_json(scores),
        eval::score_table(scores),
        [&](const std::string& path) { eval::write_results_csv(path, scores); },
        [&](const std::string& path) { eval::write_frames_csv(path, scores); });
  }
  failures.insert(failures.end(), scores.failures.begin(), scores.failures.end());
  return report_failures(failures);
}

// The scores of clips one by one; with --keep-going a clip with bad data is left out, and
// `failures` says what is wrong.
template <typename Clip, typename ScoreClip>
auto score_each(const std::vector<Clip>& clips,
                bool keep_going,
                const ScoreClip& score_clip,
                std::vector<std::string>* failures) {
  std::vector<decltype(score_clip(clips.front()))> scores;
  for (const auto& clip : clips) {
    try {
      STC_CHECK_DATA(clip.fault.empty(), "{}", clip.fault);
      scores.push_back(score_clip(clip));
    } catch (const Error& error) {
      if (!keep_going || error.exit() != Exit::kBadData) throw;
      failures->push_back(error.what());
    }
  }
  return scores;
}

int score_jhmdb_folders(const ScoreArguments& arguments) {
  const auto truth = data::open_jhmdb(
      arguments.truth,
      {.split = arguments.split, .need_images = false, .keep_faulty = arguments.keep_going});
  std::vector<std::string> failures;
  const auto score = [&](const data::JhmdbClip& clip) {
    return eval::score_jhmdb_clip(clip, arguments.prediction);
  };
  const auto scores = eval::sum_jhmdb(score_each(truth, arguments.keep_going, score, &failures));
  if (!scores.clips.empty()) {
    give_out(
        arguments,
        eval::jhmdb_json(scores),
        eval::jhmdb_table(scores),
        [&](const std::string& path) { eval::write_jhmdb_csv(path, scores); },
        [&](const std::string& path) { eval::write_jhmdb_clips_csv(path, scores); });
  }
  return report_failures(failures);
}

int score_vip_folders(const ScoreArguments& arguments) {
  const auto truth = data::open_vip(
      arguments.truth,
      {.split = arguments.split, .need_images = false, .keep_faulty = arguments.keep_going});
  std::vector<std::string> failures;
  const auto score = [&](const data::VipSequence& sequence) {
    return eval::score_vip_sequence(sequence, arguments.prediction);
  };
  const auto scores = eval::sum_vip(score_each(truth, arguments.keep_going, score, &failures));
  if (!scores.sequences.empty()) {
    give_out(
        arguments,
        eval::vip_json(scores),
        eval::vip_table(scores),
        [&](const std::string& path) { eval::write_vip_csv(path, scores); },
        [&](const std::string& path) { eval::write_vip_sequences_csv(path, scores); });
  }
  return report_failures(failures);
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
  int (*score)(const ScoreArguments&);
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

void add_davis_options(CLI::App* command, ScoreArguments* arguments) {
  auto& options = arguments->davis;
  command->add_option("--threads", options.threads, "Sequences scored at once; 0: one a core")
      ->check(CLI::Range(0, 1024));
  command
      ->add_option("--rule",
                   arguments->rule,
                   "official: objects of the first true mask; any-id: every label that the truth "
                   "shows, from where it shows up [official]")
      ->check(CLI::IsMember({"official", "any-id"}));
  command->add_flag("--drop-unknown",
                    options.drop_unknown,
                    "Predicted labels above the highest of the first true mask are background");
}

void add_benchmark(CLI::App* score_command, const ScoreHelp& help, Action& action) {
  auto* command = score_command->add_subcommand(help.name, help.what);
  const auto arguments = std::make_shared<ScoreArguments>();
  command->add_option("--truth", arguments->truth, help.truth)->required();
  command->add_option("--prediction", arguments->prediction, help.prediction)->required();
  command->add_option("--split", arguments->split, help.split);
  command->add_option("--csv", arguments->csv, help.csv);
  command->add_option(help.frames_flag, arguments->frames, help.frames);
  command->add_option(
      "--json", arguments->json, "Write the means as JSON; '-' prints it instead of the table");
  command->add_flag("--keep-going",
                    arguments->keep_going,
                    "Leave clips with bad data out, name them, and end with exit code 3");
  if (help.score == &score_davis_folders) add_davis_options(command, arguments.get());
  command->callback([arguments, &action, score = help.score] {
    action = [arguments, score] { return score(*arguments); };
  });
}

}  // namespace

void add_score(CLI::App& app, Action& action) {
  auto* score = app.add_subcommand("score", "Score results that exist already against their truth");
  score->require_subcommand(1);
  for (const auto& benchmark : kBenchmarks) add_benchmark(score, benchmark, action);
}

}  // namespace stc::launcher
