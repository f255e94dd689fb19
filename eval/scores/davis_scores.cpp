#include "eval/scores/davis_scores.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <functional>
#include <numeric>
#include <thread>

#include "monitoring/check.h"

namespace stc::eval {
namespace {

double mean(const double* first, const double* last) {
  const long double sum = std::accumulate(first, last, 0.0L);
  return static_cast<double>(sum / (last - first));
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

// Calls score(i) for each sequence, several at once.
void for_each_sequence(const std::vector<data::DavisSequence>& truth,
                       int threads,
                       const std::function<void(std::size_t)>& score) {
  const auto order = longest_first(truth);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size(); i = next++) score(order[i]);
  };
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int wanted = std::min<int>(threads > 0 ? threads : cores, static_cast<int>(truth.size()));
  std::vector<std::jthread> workers;
  for (int i = 1; i < wanted; ++i) workers.emplace_back(work);
  work();
}

struct Outcome {
  SequenceResult result;
  std::exception_ptr error;
  std::string failure;  // bad data, where it is to keep going
};

std::vector<Outcome> score_sequences(const std::vector<data::DavisSequence>& truth,
                                     const std::string& folder,
                                     const ScoreOptions& options) {
  std::vector<Outcome> outcomes(truth.size());
  for_each_sequence(truth, options.threads, [&](std::size_t i) {
    try {
      outcomes[i].result = score_sequence(truth[i], folder, options);
    } catch (const Error& error) {
      const bool is_left_out = options.keep_going && error.exit() == Exit::kBadData;
      if (is_left_out) outcomes[i].failure = error.what();
      if (!is_left_out) outcomes[i].error = std::current_exception();
    } catch (...) {
      outcomes[i].error = std::current_exception();
    }
  });
  // The first in the order of sequences, so that the same data gives the same message.
  for (const auto& outcome : outcomes)
    if (outcome.error) std::rethrow_exception(outcome.error);
  return outcomes;
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
  STC_CHECK_DATA(!objects.empty(),
                 "no sequence of the truth has an object in its first frame; expected labels 1, 2, "
                 "... in the first mask of each sequence");
  DavisScores scores;
  scores.objects = std::move(objects);
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
  std::vector<ObjectScore> objects;
  std::vector<std::string> notes, failures;
  for (auto& [result, error, failure] : score_sequences(truth, folder, options)) {
    std::move(result.objects.begin(), result.objects.end(), std::back_inserter(objects));
    std::move(result.notes.begin(), result.notes.end(), std::back_inserter(notes));
    if (!failure.empty()) failures.push_back(failure);
  }
  const bool all_failed = objects.empty() && !failures.empty();
  auto scores = all_failed ? DavisScores{} : scores_of(std::move(objects));
  scores.notes = std::move(notes);
  scores.failures = std::move(failures);
  return scores;
}

std::vector<SequenceScore> sequence_scores(const DavisScores& scores) {
  std::vector<SequenceScore> sequences;
  for (const auto& object : scores.objects) {
    if (sequences.empty() || sequences.back().sequence != object.sequence) {
      sequences.push_back({object.sequence, 0, 0, 0, 0});
    }
    ++sequences.back().objects;
    sequences.back().frames =
        std::max(sequences.back().frames, static_cast<int>(object.frames.size()));
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
