#include "launcher/evaluation/benchmarks.h"

#include <algorithm>
#include <array>

#include "eval/jobs/benchmarks.h"
#include "eval/scores/clip_scores.h"
#include "eval/scores/davis_scores.h"
#include "eval/scores/jhmdb_scores.h"
#include "eval/scores/vip_scores.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

template <auto open_data_set, auto benchmark>
eval::Benchmark open(const BenchmarkSource& source, eval::BenchmarkSetup setup) {
  return benchmark(
      open_data_set(source.data, {.split = source.split, .keep_faulty = source.keep_going}),
      std::move(setup));
}

template <auto open_data_set>
auto open_truth(const ScoreArguments& arguments) {
  return open_data_set(
      arguments.truth,
      {.split = arguments.split, .need_images = false, .keep_faulty = arguments.keep_going});
}

BenchmarkScores score_davis(const ScoreArguments& arguments) {
  auto options = arguments.davis;
  options.keep_going = arguments.keep_going;
  auto scores =
      eval::score_davis(open_truth<data::open_davis>(arguments), arguments.prediction, options);
  BenchmarkScores result{{}, std::move(scores.failures), std::move(scores.notes)};
  if (!scores.objects.empty()) result.tables = eval::davis_tables(scores);
  return result;
}

// Counts of clips, summed up and made into tables.
template <auto open_data_set, auto score_clip, auto sum, auto tables_of>
BenchmarkScores score_counts(const ScoreArguments& arguments) {
  const auto truth = open_truth<open_data_set>(arguments);
  const auto score = [&](const auto& clip) { return score_clip(clip, arguments.prediction); };
  auto [scores, failures] = eval::score_clips(truth, score, {.keep_going = arguments.keep_going});
  BenchmarkScores result{{}, std::move(failures)};
  if (!scores.empty()) result.tables = tables_of(sum(std::move(scores)));
  return result;
}

constexpr auto score_jhmdb =
    score_counts<data::open_jhmdb, eval::score_jhmdb_clip, eval::sum_jhmdb, eval::jhmdb_tables>;
constexpr auto score_vip =
    score_counts<data::open_vip, eval::score_vip_sequence, eval::sum_vip, eval::vip_tables>;

constexpr std::array kBenchmarks = {
    BenchmarkEntry{
        .name = "davis",
        .eval_help = "Propagate and score masks on DAVIS, or on a folder tree like it: J and F",
        .score_help = "J and F of masks by the semi-supervised rules of DAVIS-2017",
        .example_root = "DAVIS",
        .data_help = "Root with JPEGImages and Annotations",
        .split_help = "File with one sequence name per line; by default ImageSets/2017/val.txt if "
                      "present, else all sequences with annotations",
        .truth_help = "DAVIS root, or a folder of SEQ/*.png",
        .prediction_help = "Predicted masks: a folder of SEQ/*.png, or a DAVIS root",
        .csv_help = "Write one line per object, in full precision",
        .details_flag = "--frames",
        .details_help = "Write one line per object and frame",
        .defaults = kDavisDefaults,
        .open = open<data::open_davis, eval::davis_benchmark>,
        .score = score_davis,
    },
    BenchmarkEntry{
        .name = "jhmdb",
        .eval_help = "Propagate and score key points on JHMDB: PCK",
        .score_help = "PCK of key points, with and without the first frame",
        .example_root = "JHMDB",
        .data_help = "Root with Rename_Images and joint_positions",
        .split_help = "List of clips, or a folder of <class>_test_split1.txt; by default "
                      "val_list.txt if present, else splits, else all clips with joints",
        .truth_help = "JHMDB root",
        .prediction_help = "Folder of CLASS/CLIP.csv with lines frame,joint,x,y",
        .csv_help = "Write one line per joint, in full precision",
        .details_flag = "--clips",
        .details_help = "Write one line per clip",
        .defaults = kJhmdbDefaults,
        .open = open<data::open_jhmdb, eval::jhmdb_benchmark>,
        .score = score_jhmdb,
    },
    BenchmarkEntry{
        .name = "vip",
        .eval_help = "Propagate and score body parts on VIP: mean IoU",
        .score_help = "IoU of body parts, with and without the first frames",
        .example_root = "VIP_Fine",
        .data_help = "Root with Images and Category_ids (or Annotations)",
        .split_help = "File with one sequence name per line; by default lists/val_videos.txt if "
                      "present, else all sequences with masks",
        .truth_help = "VIP root, or a folder of SEQ/*.png",
        .prediction_help = "Folder of SEQ/*.png, named as the truth is",
        .csv_help = "Write one line per part, in full precision",
        .details_flag = "--clips",
        .details_help = "Write one line per sequence",
        .defaults = kVipDefaults,
        .open = open<data::open_vip, eval::vip_benchmark>,
        .score = score_vip,
    }};

}  // namespace

std::span<const BenchmarkEntry> benchmarks() { return kBenchmarks; }

const BenchmarkEntry& find_benchmark(const std::string& name) {
  const auto* found = std::ranges::find(kBenchmarks, name, &BenchmarkEntry::name);
  STC_CHECK_USAGE(
      found != kBenchmarks.end(), "benchmark '{}' is unknown; expected davis, jhmdb or vip", name);
  return *found;
}

}  // namespace stc::launcher
