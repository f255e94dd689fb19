#include "eval/scores/davis_sequence.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "data/benchmarks/object_masks.h"
#include "data/images/image.h"
#include "eval/scores/prediction_files.h"
#include "eval/scores/region_contour.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kVoid = 255;

double mean(const double* first, const double* last) {
  const long double sum = std::accumulate(first, last, 0.0L);
  return static_cast<double>(sum / (last - first));
}

// Masks of {0, 255} alone are the DAVIS-2016 form, where 255 is the object. One frame cannot tell
// (its other labels may have left the picture), so all are asked, until one shows another label.
data::MeaningOf255::Kind meaning_of_255(const data::DavisSequence& truth) {
  data::MeaningOf255 meaning;
  for (const auto& path : truth.annotations) {
    meaning.add(path, data::read_object_mask(path));
    if (meaning.is_settled()) break;
  }
  return meaning.kind();
}

void replace(data::LabelMap& map, std::uint8_t from, std::uint8_t to) {
  for (auto& label : map.labels) label = label == from ? to : label;
}

int highest_label(const data::LabelMap& map) {
  return map.labels.empty() ? 0 : *std::ranges::max_element(map.labels);
}

// Says why a predicted label is no object, if the truth tells.
std::string reason_of(const data::DavisSequence& truth, int label) {
  if (label == kVoid) return "";
  for (const auto& path : truth.annotations) {
    const auto labels = data::read_label_png(path).labels;
    if (std::ranges::find(labels, label) != labels.end())
      return text(
          ". The truth has {} too, but only from {} on, which the official rule does not score: "
          "--rule any-id does",
          label,
          fs::path(path).filename().string());
  }
  return "";
}

void check_labels(const data::DavisSequence& truth,
                  const std::string& path,
                  const data::LabelMap& prediction,
                  int objects) {
  const int highest = highest_label(prediction);
  if (highest <= objects) return;
  const auto reason = reason_of(truth, highest);
  throw Error(Exit::kBadData,
              text("{}: holds label {}; the first frame of the truth has objects 1 to {}{}",
                   path,
                   highest,
                   objects,
                   reason.empty() ? ". Write background as 0 and no other labels, or count them as "
                                    "background with --drop-unknown"
                                  : reason));
}

struct FramePair {
  std::string path;  // of the prediction
  data::LabelMap truth, prediction;
};

FramePair read_pair(const data::DavisSequence& sequence,
                    std::size_t frame,
                    const std::string& folder) {
  FramePair pair;
  pair.path = predicted_path(folder, sequence.name, sequence.annotations[frame]);
  pair.truth = data::read_object_mask(sequence.annotations[frame]);
  pair.prediction = data::read_object_mask(pair.path);
  check_same_size(pair.path, pair.prediction, pair.truth);
  return pair;
}

void add_frame(ObjectScore& object, const FramePair& pair, const RegionContour& score) {
  object.frames.push_back(fs::path(pair.path).stem().string());
  object.j.push_back(score.j);
  object.f.push_back(score.f);
}

std::bitset<256> labels_in(const data::LabelMap& map) {
  std::array<bool, 256> seen{};       // bits would be slow to set one by one
  constexpr std::size_t kBlock = 32;  // most of a mask is even
  for (std::size_t i = 0; i < map.labels.size(); ++i) {
    const auto* here = map.labels.data() + i;
    if (i > 0 && i + kBlock <= map.labels.size() && std::memcmp(here, here - 1, kBlock) == 0)
      i += kBlock - 1;
    else
      seen[*here] = true;
  }
  std::bitset<256> labels;
  for (std::size_t label = 0; label < seen.size(); ++label) labels[label] = seen[label];
  return labels;
}

// "1 to 205, 207": labels of `set` in from..to.
std::string ranges_of(const std::bitset<256>& set) {
  std::string ranges;
  for (int first = 1; first < 256; ++first) {
    if (!set[first]) continue;
    int last = first;
    while (last < 255 && set[last + 1]) ++last;
    ranges += (ranges.empty() ? "" : ", ") + std::to_string(first);
    if (last > first) ranges += text(" to {}", last);
    first = last;
  }
  return ranges;
}

// What the official rule makes of labels with gaps and of objects that come later.
class LabelNotes {
 public:
  explicit LabelNotes(const data::LabelMap& first) : seen_(labels_in(first)) {}

  void add(const std::string& path, const data::LabelMap& truth, int objects) {
    const auto labels = labels_in(truth);
    const auto later = labels & ~seen_;
    seen_ |= labels;
    for (int label = objects + 1; label < 256; ++label) {
      if (!later[label]) continue;
      if (late_.none()) first_late_ = text("{} in {}", label, fs::path(path).filename().string());
      late_.set(label);
    }
  }
  void write(const std::string& sequence, SequenceResult& result) const {
    const auto& objects = result.objects;
    std::bitset<256> never;
    int found = 0;
    for (const auto& object : objects) {
      if (seen_[object.object]) continue;
      never.set(object.object);
      found += mean(object.j.data(), object.j.data() + object.j.size()) == 1;
    }
    if (never.any())
      result.notes.push_back(text(
          "sequence '{}': label(s) {} are never true, but count as objects, since the highest "
          "label "
          "of the first mask is {}; {} of {} objects count as found because the prediction lacks "
          "them, too. --rule any-id scores the true ones alone",
          sequence,
          ranges_of(never),
          objects.size(),
          found,
          objects.size()));
    write_late(sequence, result.notes);
  }

 private:
  void write_late(const std::string& sequence, std::vector<std::string>& notes) const {
    if (late_.none()) return;
    notes.push_back(text(
        "sequence '{}': label(s) {} first appear after the first frame ({}) and were not scored: "
        "objects are those of the first mask by the official rule; --rule any-id scores them",
        sequence,
        ranges_of(late_),
        first_late_));
  }

  std::bitset<256> seen_, late_;
  std::string first_late_;
};

SequenceResult score_by_official_rule(const data::DavisSequence& truth,
                                      const std::string& folder,
                                      bool drop_unknown) {
  SequenceResult result;
  const bool binary_255 = meaning_of_255(truth) == data::MeaningOf255::Kind::kObject;
  // Elsewhere 255 marks void, which the semi-supervised rules count as background.
  const std::uint8_t void_becomes = binary_255 ? 1 : 0;
  if (binary_255) {
    result.notes.push_back(
        text("sequence '{}': masks hold 0 and 255 alone; 255 was read as object 1", truth.name));
  }
  auto first = data::read_object_mask(truth.annotations.front());
  replace(first, kVoid, void_becomes);
  LabelNotes labels(first);
  const int objects = highest_label(first);
  if (objects == 0) {
    result.notes.push_back(
        text("sequence '{}': no object in its first frame; nothing was scored by the official "
             "rule (--rule any-id scores objects that come later)",
             truth.name));
  }
  for (int object = 1; object <= objects; ++object)
    result.objects.push_back({truth.name, object, {}, {}, {}});
  for (std::size_t i = 1; i + 1 < truth.annotations.size(); ++i) {
    auto pair = read_pair(truth, i, folder);
    replace(pair.truth, kVoid, void_becomes);
    labels.add(truth.annotations[i], pair.truth, objects);
    if (binary_255) replace(pair.prediction, kVoid, 1);
    if (!drop_unknown) check_labels(truth, pair.path, pair.prediction, objects);
    const auto scores = region_and_contour(pair.truth, pair.prediction, objects);
    for (auto& object : result.objects) add_frame(object, pair, scores[object.object - 1]);
  }
  labels.write(truth.name, result);
  return result;
}

SequenceResult score_by_any_id(const data::DavisSequence& truth, const std::string& folder) {
  meaning_of_255(truth);  // an object and stray pixels are an error by this rule, too
  std::bitset<256> in_truth, in_predictions;
  std::vector<ObjectScore> objects;
  for (int label = 1; label < 256; ++label) objects.push_back({truth.name, label, {}, {}, {}});
  for (std::size_t i = 1; i + 1 < truth.annotations.size(); ++i) {
    const auto pair = read_pair(truth, i, folder);
    in_truth |= labels_in(pair.truth);
    in_predictions |= labels_in(pair.prediction);
    const auto scores = region_and_contour(pair.truth, pair.prediction, 255);
    for (auto& object : objects)
      if (in_truth[object.object] || in_predictions[object.object])
        add_frame(object, pair, scores[object.object - 1]);
  }
  SequenceResult result;
  for (auto& object : objects)
    if (in_truth[object.object]) result.objects.push_back(std::move(object));
  if (result.objects.empty()) {
    result.notes.push_back(
        text("sequence '{}': no object in its scored frames; nothing was scored", truth.name));
  }
  in_truth.reset(0);
  in_predictions.reset(0);
  if (in_predictions.any() && (in_truth & in_predictions).none())
    result.notes.push_back(
        text("sequence '{}': the labels of the truth ({}) and of the prediction ({}) have none in "
             "common; equal labels are the same object",
             truth.name,
             ranges_of(in_truth),
             ranges_of(in_predictions)));
  return result;
}

}  // namespace

Statistics statistics_of(const std::vector<double>& values) {
  const auto n = static_cast<std::int64_t>(values.size());
  STC_CHECK(n > 0, "statistics of no values were asked for; expected at least one scored frame");
  // Borders of the quarters, as positions in 0..n-1; the small term sends halves up.
  std::array<std::int64_t, 5> border;
  for (int k = 0; k < 5; ++k) {
    border[k] = std::llrint(1 + k * static_cast<double>(n - 1) / 4 + 1e-10) - 1;
  }
  const double* first = values.data();
  Statistics statistics;
  statistics.mean = mean(first, first + n);
  statistics.recall =
      static_cast<double>(std::count_if(first, first + n, [](double v) { return v > 0.5; })) / n;
  statistics.decay = mean(first + border[0], first + border[1] + 1) -
                     mean(first + border[3], first + border[4] + 1);
  return statistics;
}

void check_scorable(const data::DavisSequence& truth) {
  STC_CHECK_DATA(truth.annotations.size() >= 3,
                 "sequence '{}' has {} annotated frame(s); the first and the last are never "
                 "scored, so at least 3 are needed. Take it out of the split",
                 truth.name,
                 truth.annotations.size());
}

void check_predictions_exist(const data::DavisSequence& truth, const std::string& folder) {
  for (std::size_t i = 1; i + 1 < truth.annotations.size(); ++i) {
    const auto path = predicted_path(folder, truth.name, truth.annotations[i]);
    STC_CHECK_DATA(fs::is_regular_file(path),
                   "{}: no such prediction; expected one for every annotated frame but the first "
                   "and the last, named as in the truth",
                   path);
  }
}

SequenceResult score_sequence(const data::DavisSequence& truth,
                              const std::string& folder,
                              const ScoreOptions& options) {
  check_scorable(truth);
  check_predictions_exist(truth, folder);
  return options.rule == ScoreRule::kAnyId
             ? score_by_any_id(truth, folder)
             : score_by_official_rule(truth, folder, options.drop_unknown);
}

}  // namespace stc::eval
