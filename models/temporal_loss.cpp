#include "models/temporal_loss.h"

#include <ATen/ATen.h>

#include <cmath>
#include <tuple>
#include <utility>

#include "models/correlation.h"
#include "models/upsampling.h"
#include "monitoring/check.h"

namespace stc::models {
namespace {

// Puts the bend of the smooth L1 at 0.05 of a normalised channel.
constexpr double kColourScale = 20;

/// Two frames of a level, each [B, C, h, w]. Taken apart once: the gradients of both frames then
/// come together in one copy.
struct Frames {
  at::Tensor reference, target;
  explicit Frames(const at::Tensor& level) {
    const auto frames = level.unbind(1);
    reference = frames[0];
    target = frames[1];
  }
};

// [B, S, S] -> [B, h, w]: the colours of the level's cells (Q4).
at::Tensor colours(const at::Tensor& channel,
                   const at::Tensor& level,
                   const TemporalLossOptions& options) {
  const auto cells = level.size(-1);
  if (options.centred_colours)
    return at::upsample_bilinear2d(channel.unsqueeze(1), {cells, cells}, false).squeeze(1);
  const auto stride = channel.size(-1) / cells;
  return channel.slice(1, 0, {}, stride).slice(2, 0, {}, stride);
}

WindowedCorrelation correlation_of(const at::Tensor& level,
                                   std::int64_t radius_cells,
                                   MapStorage storage) {
  const Frames frames(level);
  return {frames.target, frames.reference, radius_cells, storage};
}

// smooth L1 of scaled colours: the scale s in front, since s x has its bend at 1 where x has it at
// 1/s.
at::Tensor reconstruction_loss(const at::Tensor& rebuilt, const at::Tensor& truth, double weight) {
  const auto side = truth.size(-1);
  const auto full = upsample_bilinear(rebuilt.unsqueeze(1), side).squeeze(1);
  return at::smooth_l1_loss(full, truth, at::Reduction::Mean, 1 / kColourScale) *
         (kColourScale * weight);
}

// The cells' scores and the choice, both [B, h, w].
std::pair<at::Tensor, at::Tensor> select_cells(const WindowedCorrelation& coarse,
                                               const TemporalInputs& inputs,
                                               const TemporalLossOptions& options) {
  const auto score = coarse.scores(
      options.entropy_of_distilled_map ? ScoredRows::kOwn : ScoredRows::kUnscaledPadded,
      options.shannon_entropy ? RowScore::kEntropy : RowScore::kNegativeLogSum);
  if (inputs.selection.defined()) return {score, inputs.selection.to(at::kBool)};
  return {score, score > selection_threshold(score, options)};
}

// What the squares of the local loss are multiplied by: its weight over the number of selected
// cells of all ranks, of which `own` are this one's.
at::Tensor local_factor(const at::Tensor& own,
                        std::int64_t cells,
                        const OverRanks& ranks,
                        double weight) {
  auto count = own;
  if (ranks) {
    count = own.clone();
    ranks.sum(count);
  }
  // The authors repeat a cell's weight over every key of the frame, in the window or not.
  return weight * ranks.size / (count * static_cast<double>(cells)).clamp_min(1e-12);
}

// The teacher's map (Q5).
at::Tensor teacher_map(const at::Tensor& features, const TemporalLossOptions& options) {
  auto teacher = features.detach();
  if (options.normalise_teacher) teacher = teacher / teacher.norm(2, {2}, true).clamp_min(1e-12);
  const Frames frames(teacher);
  return global_correlation(frames.target, frames.reference, 1 / options.teacher_temperature);
}

at::Tensor global_distillation(const at::Tensor& level, const at::Tensor& goal) {
  const double scale = 1 / std::sqrt(static_cast<double>(level.size(2)));
  const Frames frames(level);
  return at::mse_loss(global_correlation(frames.target, frames.reference, scale), goal);
}

}  // namespace

void TemporalLossOptions::check() const {
  STC_CHECK_USAGE(fine_radius == 2 * coarse_radius,
                  "losses.fine_radius is {} and losses.coarse_radius {}; the fine radius must be "
                  "twice the coarse one, so that both windows cover the same pixels",
                  fine_radius,
                  coarse_radius);
  STC_CHECK_USAGE(
      coarse_radius >= 1, "losses.coarse_radius is {}; expected at least 1", coarse_radius);
  STC_CHECK_USAGE(keep > 0 && keep <= 1, "losses.keep is {}; expected 0 < keep <= 1", keep);
  STC_CHECK_USAGE(teacher_temperature > 0,
                  "losses.teacher_temperature is {}; expected more than 0",
                  teacher_temperature);
}

TemporalLossOptions with_preset(TemporalLossOptions options, const std::string& preset) {
  STC_CHECK_USAGE(preset == "paper_code" || preset == "fixed",
                  "train.preset is '{}'; expected 'paper_code' or 'fixed'",
                  preset);
  const bool fixed = preset == "fixed";
  options.shannon_entropy = fixed;
  options.threshold_per_sample = fixed;
  options.entropy_of_distilled_map = fixed;
  options.distil_row_mass = false;
  options.centred_colours = false;
  options.normalise_teacher = false;
  return options;
}

// The authors sort along the columns and take one row as thresholds (Q2).
at::Tensor selection_threshold(const at::Tensor& score, const TemporalLossOptions& options) {
  const auto index = [&](std::int64_t count) {
    return std::max<std::int64_t>(
        0, static_cast<std::int64_t>(static_cast<double>(count) * options.keep) - 1);
  };
  if (options.threshold_per_sample) {
    const auto flat = std::get<0>(score.flatten(1).sort(-1, true));
    return flat.select(1, index(flat.size(1))).reshape({-1, 1, 1});
  }
  const auto sorted = std::get<0>(score.sort(-1, true));
  return sorted.narrow(1, index(score.size(1)), 1);
}

TemporalLosses temporal_losses(const TemporalInputs& inputs, const TemporalLossOptions& options) {
  const auto& [level0, level1, level2] = inputs.levels;
  const Frames lab(inputs.lab);
  const auto source = lab.reference.select(1, inputs.dropped);
  const auto truth = lab.target.select(1, inputs.dropped);
  TemporalLosses losses;

  // (a), (b). Level 0 first: its tiles are gone before the map of level 1 takes memory.
  const bool local = options.local_weight != 0;
  const auto fine = correlation_of(level0, options.fine_radius, MapStorage::kRecomputed);
  const auto colours0 = colours(source, level0, options);
  const auto [rebuilt0, pooled] = local ? fine.rebuild_and_pool(colours0)
                                        : WindowedCorrelation::Rebuilt{fine.rebuild(colours0), {}};
  losses.reconstruction0 = reconstruction_loss(rebuilt0, truth, options.reconstruction_weight);
  const auto coarse = correlation_of(level1, options.coarse_radius, MapStorage::kKept);
  const auto rebuilt1 = coarse.rebuild(colours(source, level1, options));
  losses.reconstruction1 = reconstruction_loss(rebuilt1, truth, options.reconstruction_weight);

  // (c) on the cells of (d)
  if (local) {
    std::tie(losses.selection_score, losses.selection) = select_cells(coarse, inputs, options);
    const auto weight = losses.selection.to(level1.scalar_type());
    const auto goal = options.distil_row_mass ? pooled.scaled(4) : pooled;
    const auto selected = weight.sum();
    losses.local_distillation =
        coarse.squared_distance(goal, weight) *
        local_factor(selected, weight.size(1) * weight.size(2), inputs.ranks, options.local_weight);
    losses.selected_fraction = selected / static_cast<double>(weight.numel());
    losses.local_entropy = coarse.mean_entropy();
  } else {
    losses.local_distillation = at::zeros({}, level0.options());
  }

  // (e)
  if (options.global_weight != 0) {
    const auto goal = teacher_map(inputs.teacher, options);
    losses.global_distillation = global_distillation(level2, goal) * options.global_weight;
    losses.teacher_entropy = row_entropy(goal).mean();
  } else {
    losses.global_distillation = at::zeros({}, level0.options());
  }
  losses.total = losses.reconstruction0 + losses.reconstruction1 + losses.local_distillation +
                 losses.global_distillation;
  return losses;
}

}  // namespace stc::models
