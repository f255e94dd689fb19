#include "models/temporal_loss.h"

#include <ATen/ATen.h>

#include <cmath>

#include "models/correlation.h"
#include "monitoring/check.h"

namespace stc::models {
namespace {

// Tiles of the two levels: the fine map pooled has the coarse map's layout (correlation.h).
constexpr std::int64_t kFineTile = 8;
constexpr std::int64_t kCoarseTile = 4;
constexpr double kColourScale =
    20;  // puts the bend of the smooth L1 at 0.05 of a normalised channel

at::Tensor target_of(const at::Tensor& level) { return level.select(1, 1); }
at::Tensor reference_of(const at::Tensor& level) { return level.select(1, 0); }

// [B, S, S] -> [B, n, n]: the colours that cells of a level stand for.
at::Tensor colours(const at::Tensor& channel, std::int64_t cells, bool centred) {
  if (centred)
    return at::upsample_bilinear2d(channel.unsqueeze(1), {cells, cells}, false).squeeze(1);
  const auto stride = channel.size(-1) / cells;
  return channel.slice(1, 0, {}, stride).slice(2, 0, {}, stride);
}

at::Tensor reconstruction_loss(const at::Tensor& rebuilt, const at::Tensor& truth) {
  const auto side = truth.size(-1);
  const auto full = at::upsample_bilinear2d(rebuilt.unsqueeze(1), {side, side}, false).squeeze(1);
  return at::smooth_l1_loss(full * kColourScale, truth * kColourScale);
}

at::Tensor row_entropy(const at::Tensor& map) { return -at::xlogy(map, map).sum(-1); }

// The score by which cells are chosen, [B, tiles, T * T] (docs/method.md 2.6 d, Q1, Q6).
at::Tensor tiled_score(const LocalCorrelation& coarse,
                       TileShape shape,
                       std::int64_t cells,
                       const TemporalLossOptions& options) {
  const auto window = window_of_tile(shape, coarse.map.device());
  const auto inside =
      frame_of_tiles(shape, cells, cells, coarse.map.device()).unsqueeze(1).logical_and(window);
  // Unscaled products keep cells outside the frame as zero logits: the authors correlate with a
  // padded frame.
  const auto p = options.entropy_of_distilled_map
                     ? coarse.map.detach()
                     : at::softmax(coarse.dots.masked_fill(window.logical_not(), -INFINITY), -1);
  if (options.shannon_entropy) return row_entropy(p * inside);
  const auto counted = options.entropy_of_distilled_map ? inside : window;
  return (-(p + 1e-12).log()).mul(counted).sum(-1);
}

at::Tensor select(const at::Tensor& score, const TemporalLossOptions& options) {
  return score > selection_threshold(score, options);
}

void add_local_distillation(const TemporalInputs& inputs,
                            const TemporalLossOptions& options,
                            const LocalCorrelation& coarse,
                            const at::Tensor& pooled,
                            TemporalLosses* losses) {
  const TileShape shape{kCoarseTile, options.coarse_radius};
  const auto cells = inputs.levels[1].size(-1);
  losses->selection_score =
      untile_queries(tiled_score(coarse, shape, cells, options), kCoarseTile, cells, cells);
  losses->selection = inputs.selection.defined() ? inputs.selection.to(at::kBool)
                                                 : select(losses->selection_score, options);
  const auto weight = tile_queries(losses->selection.to(coarse.map.scalar_type()), kCoarseTile);
  const auto target = options.distil_row_mass ? pooled * 4 : pooled;
  const auto squares = (coarse.map - target).square().sum(-1);
  auto count = weight.sum();
  losses->selected_fraction = count / static_cast<double>(weight.numel());
  if (inputs.sum) inputs.sum(count = count.clone());
  // The count runs over all keys, in the window or not: the authors repeat a query's weight over
  // every key.
  const auto share = (squares * weight).sum() * static_cast<double>(inputs.world) /
                     (count * static_cast<double>(cells * cells)).clamp_min(1e-12);
  losses->local_distillation = share * options.local_weight;
  losses->local_entropy = row_entropy(coarse.map.detach()).mean();
}

void add_global_distillation(const TemporalInputs& inputs,
                             const TemporalLossOptions& options,
                             TemporalLosses* losses) {
  const auto& level = inputs.levels[2];
  const double scale = 1 / std::sqrt(static_cast<double>(level.size(2)));
  auto teacher = inputs.teacher.detach();
  if (options.normalise_teacher) teacher = teacher / teacher.norm(2, {2}, true).clamp_min(1e-12);
  const auto map = global_correlation(target_of(level), reference_of(level), scale);
  const auto goal = global_correlation(
      target_of(teacher), reference_of(teacher), 1 / options.teacher_temperature);
  losses->global_distillation = at::mse_loss(map, goal) * options.global_weight;
  losses->teacher_entropy = row_entropy(goal).mean();
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

void apply_preset(const std::string& preset, TemporalLossOptions* options) {
  STC_CHECK_USAGE(preset == "paper_code" || preset == "fixed",
                  "train.preset is '{}'; expected 'paper_code' or 'fixed'",
                  preset);
  const bool fixed = preset == "fixed";
  options->shannon_entropy = fixed;
  options->threshold_per_sample = fixed;
  options->entropy_of_distilled_map = fixed;
  options->distil_row_mass = false;
  options->centred_colours = false;
  options->normalise_teacher = false;
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
  const auto& [fine, coarse, top] = inputs.levels;
  const bool local = options.local_weight != 0;
  const auto source = reference_of(inputs.lab).select(1, inputs.dropped);
  const auto truth = target_of(inputs.lab).select(1, inputs.dropped);
  TemporalLosses losses;

  const auto rebuilt = local_reconstruction(target_of(fine),
                                            reference_of(fine),
                                            colours(source, fine.size(-1), options.centred_colours),
                                            {kFineTile, options.fine_radius},
                                            local);
  losses.reconstruction0 =
      reconstruction_loss(rebuilt.values, truth) * options.reconstruction_weight;

  const TileShape shape{kCoarseTile, options.coarse_radius};
  const auto correlation = local_correlation(target_of(coarse), reference_of(coarse), shape);
  const auto keys = tile_keys(colours(source, coarse.size(-1), options.centred_colours), shape);
  const auto tiled = at::matmul(correlation.map, keys.unsqueeze(-1)).squeeze(-1);
  const auto values = untile_queries(tiled, kCoarseTile, coarse.size(-2), coarse.size(-1));
  losses.reconstruction1 = reconstruction_loss(values, truth) * options.reconstruction_weight;

  losses.local_distillation = at::zeros({}, fine.options());
  losses.global_distillation = at::zeros({}, fine.options());
  if (local) add_local_distillation(inputs, options, correlation, rebuilt.pooled, &losses);
  if (options.global_weight != 0) add_global_distillation(inputs, options, &losses);
  losses.total = losses.reconstruction0 + losses.reconstruction1 + losses.local_distillation +
                 losses.global_distillation;
  return losses;
}

}  // namespace stc::models
