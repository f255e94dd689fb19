#include "eval/davis_scores.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <filesystem>
#include <numeric>
#include <thread>

#include "data/image.h"
#include "eval/region_contour.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kVoid = 255;

double mean(const double* first, const double* last) {
  const long double sum = std::accumulate(first, last, 0.0L);
  return static_cast<double>(sum / (last - first));
}

/// Masks of {0, 255} alone are the DAVIS-2016 form, where 255 is the object. One frame cannot tell
/// (its other labels may have left the picture), so all are asked, until one shows another label.
bool is_binary_255(const data::DavisSequence& truth) {
  bool has_255 = false;
  for (const auto& path : truth.annotations) {
    for (const auto label : data::read_label_png(path).labels) {
      if (label != 0 && label != kVoid) return false;
      has_255 |= label == kVoid;
    }
  }
  return has_255;
}

void replace(data::LabelMap& map, std::uint8_t from, std::uint8_t to) {
  std::replace(map.labels.begin(), map.labels.end(), from, to);
}

int highest_label(const data::LabelMap& map) {
  return map.labels.empty() ? 0 : *std::max_element(map.labels.begin(), map.labels.end());
}

/// Where the prediction of a frame of the truth lies.
std::string predicted_path(const std::string& folder,
                           const std::string& sequence,
                           const std::string& annotation) {
  return (fs::path(folder) / sequence / fs::path(annotation).filename()).string();
}

void check_predictions_exist(const data::DavisSequence& truth, const std::string& folder) {
  for (std::size_t i = 1; i + 1 < truth.annotations.size(); ++i) {
    const auto path = predicted_path(folder, truth.name, truth.annotations[i]);
    STC_CHECK_DATA(fs::is_regular_file(path),
                   path,
                   ": no such prediction; expected one for every annotated frame but the first and "
                   "the last, named as in the truth");
  }
}

void check_prediction(const std::string& path,
                      const data::LabelMap& prediction,
                      const data::LabelMap& truth,
                      int objects) {
  STC_CHECK_DATA(prediction.height == truth.height && prediction.width == truth.width,
                 path,
                 ": is ",
                 prediction.height,
                 "x",
                 prediction.width,
                 " (height x width); its truth is ",
                 truth.height,
                 "x",
                 truth.width,
                 ". Predictions are scored at the size of the truth");
  const int highest = highest_label(prediction);
  STC_CHECK_DATA(highest <= objects,
                 path,
                 ": holds label ",
                 highest,
                 "; the first frame of the truth has objects 1 to ",
                 objects,
                 ". Write background as 0, and no other labels");
}

/// Longest sequences first, so that no thread is left with a long one at the end.
std::vector<std::size_t> longest_first(const std::vector<data::DavisSequence>& truth) {
  std::vector<std::size_t> order(truth.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return truth[a].annotations.size() > truth[b].annotations.size();
  });
  return order;
}

std::vector<SequenceResult> score_sequences(const std::vector<data::DavisSequence>& truth,
                                            const std::string& folder,
                                            int threads) {
  const auto order = longest_first(truth);
  std::vector<SequenceResult> results(truth.size());
  std::vector<std::exception_ptr> errors(truth.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size(); i = next++) {
      const auto index = order[i];
      try {
        results[index] = score_sequence(truth[index], folder);
      } catch (...) {
        errors[index] = std::current_exception();
      }
    }
  };
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int wanted = std::min<int>(threads > 0 ? threads : cores, static_cast<int>(truth.size()));
  {
    std::vector<std::jthread> workers;
    for (int i = 1; i < wanted; ++i) workers.emplace_back(work);
    work();
  }
  // The first in the order of sequences, so that the same data gives the same message.
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  return results;
}

Statistics mean_over_objects(const std::vector<ObjectScore>& objects,
                             Statistics ObjectScore::*which) {
  const auto mean_of = [&](double Statistics::*number) {
    std::vector<double> values;
    for (const auto& object : objects) values.push_back(object.*which.*number);
    return mean(values.data(), values.data() + values.size());
  };
  return {mean_of(&Statistics::mean), mean_of(&Statistics::recall), mean_of(&Statistics::decay)};
}

}  // namespace

void check_scorable(const data::DavisSequence& truth) {
  STC_CHECK_DATA(truth.annotations.size() >= 3,
                 "sequence '",
                 truth.name,
                 "' has ",
                 truth.annotations.size(),
                 " annotated frame(s); the first and the last are never scored, so at least 3 are "
                 "needed. Take it out of the split");
}

SequenceResult score_sequence(const data::DavisSequence& truth, const std::string& folder) {
  SequenceResult result;
  const bool binary_255 = is_binary_255(truth);
  // Elsewhere 255 marks void, which the semi-supervised rules count as background.
  const std::uint8_t void_becomes = binary_255 ? 1 : 0;
  if (binary_255) {
    result.notes.push_back(
        text("sequence '", truth.name, "': masks hold 0 and 255 alone; 255 was read as object 1"));
  }
  auto first = data::read_label_png(truth.annotations.front());
  replace(first, kVoid, void_becomes);
  const int objects = highest_label(first);
  if (objects == 0) {
    result.notes.push_back(
        text("sequence '", truth.name, "': no object in its first frame; nothing was scored"));
  }
  for (int object = 1; object <= objects; ++object) {
    result.objects.push_back({truth.name, object, {}, {}, {}, {}, {}});
  }
  for (std::size_t i = 1; i + 1 < truth.annotations.size(); ++i) {
    auto expected = data::read_label_png(truth.annotations[i]);
    replace(expected, kVoid, void_becomes);
    const auto path = predicted_path(folder, truth.name, truth.annotations[i]);
    auto predicted = data::read_label_png(path);
    if (binary_255) replace(predicted, kVoid, 1);
    check_prediction(path, predicted, expected, objects);
    const auto scores = region_and_contour(expected, predicted, objects);
    for (auto& object : result.objects) {
      object.frames.push_back(fs::path(path).stem().string());
      object.j.push_back(scores[object.object - 1].j);
      object.f.push_back(scores[object.object - 1].f);
    }
  }
  for (auto& object : result.objects) {
    object.j_statistics = statistics_of(object.j);
    object.f_statistics = statistics_of(object.f);
  }
  return result;
}

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

DavisScores scores_of(std::vector<ObjectScore> objects) {
  STC_CHECK_DATA(
      !objects.empty(),
      "no sequence of the truth has an object in its first frame; expected labels 1, 2, ... "
      "in the first mask of each sequence");
  DavisScores scores;
  scores.objects = std::move(objects);
  scores.j = mean_over_objects(scores.objects, &ObjectScore::j_statistics);
  scores.f = mean_over_objects(scores.objects, &ObjectScore::f_statistics);
  return scores;
}

DavisScores score_davis(const std::vector<data::DavisSequence>& truth,
                        const std::string& prediction,
                        int threads) {
  const auto folder = data::annotation_folder(prediction);
  // Before anything is scored: a wrong folder shows at once, not after minutes.
  for (const auto& sequence : truth) {
    check_scorable(sequence);
    check_predictions_exist(sequence, folder);
  }
  std::vector<ObjectScore> objects;
  std::vector<std::string> notes;
  for (auto& result : score_sequences(truth, folder, threads)) {
    std::move(result.objects.begin(), result.objects.end(), std::back_inserter(objects));
    std::move(result.notes.begin(), result.notes.end(), std::back_inserter(notes));
  }
  auto scores = scores_of(std::move(objects));
  scores.notes = std::move(notes);
  return scores;
}

std::vector<SequenceScore> sequence_scores(const DavisScores& scores) {
  std::vector<SequenceScore> sequences;
  for (const auto& object : scores.objects) {
    if (sequences.empty() || sequences.back().sequence != object.sequence) {
      sequences.push_back({object.sequence, 0, static_cast<int>(object.frames.size()), 0, 0});
    }
    ++sequences.back().objects;
    sequences.back().j_mean += object.j_statistics.mean;
    sequences.back().f_mean += object.f_statistics.mean;
  }
  for (auto& sequence : sequences) {
    sequence.j_mean /= sequence.objects;
    sequence.f_mean /= sequence.objects;
  }
  return sequences;
}

}  // namespace stc::eval
