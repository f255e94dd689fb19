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

}  // namespace

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
