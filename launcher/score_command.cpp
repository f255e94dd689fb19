#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "data/davis.h"
#include "eval/davis_scores.h"
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

int score_davis_folders(const ScoreOptions& options) {
  const auto truth =
      data::open_davis(options.truth, {.split = options.split, .need_images = false});
  const auto scores = eval::score_davis(truth, options.prediction, options.threads);
  for (const auto& note : scores.notes) log::info(note);
  if (!options.csv.empty()) eval::write_results_csv(options.csv, scores);
  if (!options.frames.empty()) eval::write_frames_csv(options.frames, scores);
  const bool prints_json = options.json == "-";
  if (!options.json.empty() && !prints_json) eval::write_scores_json(options.json, scores);
  std::fputs((prints_json ? eval::scores_json(scores) : eval::score_table(scores)).c_str(), stdout);
  return 0;
}

}  // namespace

void add_score(CLI::App& app, Run& run) {
  auto* score = app.add_subcommand("score", "Score masks that exist already against their truth");
  score->require_subcommand(1);
  auto* davis =
      score->add_subcommand("davis", "J and F by the rules of DAVIS-2017, semi-supervised");
  const auto options = std::make_shared<ScoreOptions>();
  davis->add_option("--truth", options->truth, "DAVIS root, or a folder of SEQ/*.png")->required();
  davis->add_option("--prediction", options->prediction, "The same, of the masks to be scored")
      ->required();
  davis->add_option("--split",
                    options->split,
                    "File with one sequence name a line; without it ImageSets/2017/val.txt of the "
                    "truth, else all of its sequences");
  davis->add_option("--csv", options->csv, "Write one line an object, full precision");
  davis->add_option("--frames", options->frames, "Write one line an object and frame");
  davis->add_option(
      "--json", options->json, "Write the means as JSON; '-' prints it instead of the table");
  davis->add_option("--threads", options->threads, "Sequences scored at once; 0: one a core")
      ->check(CLI::Range(0, 1024));
  davis->callback([options, &run] { run = [options] { return score_davis_folders(*options); }; });
}

}  // namespace stc::launcher
