// The losses of step 2 (docs/method.md 2.6): reconstruction at two levels, local and global
// correlation distillation.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>

#include "models/batch_norm.h"

namespace stc::models {

/// Which cells the local loss counts, and how strongly each loss weighs. The defaults are the
/// authors' code; every switch corrects one quirk of it (docs/method.md 3).
struct TemporalLossOptions {
  std::int64_t fine_radius = 12;   ///< cells at stride 4; = 2 * coarse_radius
  std::int64_t coarse_radius = 6;  ///< cells at stride 8
  double reconstruction_weight = 1;
  double local_weight = 1000;  ///< 0 switches the loss off
  double global_weight = 50;   ///< 0 switches the loss, and the teacher, off
  double teacher_temperature = 0.07;
  double keep = 0.7;  ///< share of the cells that the local loss is meant to count, (0, 1]
  bool shannon_entropy = false;       ///< Q1: select by -sum p log p instead of sum -log p
  bool threshold_per_sample = false;  ///< Q2: one threshold per sample instead of per column
  bool distil_row_mass = false;       ///< Q3: the pooled target's rows sum to 1 instead of 1/4
  bool centred_colours = false;  ///< Q4: colours sampled at the cell's centre instead of its corner
  bool normalise_teacher = false;  ///< Q5: L2-normalised teacher features
  /// Q6: selection looks at the coarse map itself instead of unscaled products.
  bool entropy_of_distilled_map = false;

  void check() const;  ///< throws stc::Error (kUsage) naming the field and the rule
};

/// `options` with its switches (Q1 to Q6) as the preset has them: "paper_code": all off, the
/// defaults; "fixed": Q1, Q2 and Q6 on.
TemporalLossOptions with_preset(TemporalLossOptions options, const std::string& preset);

/// What a cell's score [B, h, w] must exceed to be counted: [B, 1, 1] with threshold_per_sample,
/// else [B, 1, w] (docs/method.md 2.6 d).
at::Tensor selection_threshold(const at::Tensor& score, const TemporalLossOptions& options);

struct TemporalInputs {
  /// Student maps of stages 2, 3, 4: [B, 2, C, h, w] at strides 4, 8, 32; frame 0 is the reference,
  /// frame 1 the target.
  std::array<at::Tensor, 3> levels;
  at::Tensor teacher;        ///< [B, 2, C', h, w] at stride 32; undefined if the global loss is off
  at::Tensor lab;            ///< [B, 2, 3, S, S] as loaded (nothing dropped, nothing scaled)
  std::int64_t dropped = 1;  ///< the channel that the student did not see: 1 (a) or 2 (b)
  at::Tensor selection;      ///< [B, h, w] bool at stride 8; defined: replaces the computed one
  OverRanks ranks;           ///< the local loss is a ratio over the batch of all ranks
};

struct TemporalLosses {
  /// Sum of the four; the mean over ranks of its gradient is the gradient over the union batch.
  at::Tensor total;
  /// Weighted; 0 when off. The mean over ranks is the value on the union batch.
  at::Tensor reconstruction0, reconstruction1, local_distillation, global_distillation;
  at::Tensor selection_score;  ///< [B, h, w], detached; undefined when the local loss is off
  at::Tensor selection;        ///< [B, h, w] bool
  // Health of the step, detached scalars; undefined if the loss is off.
  at::Tensor selected_fraction;
  at::Tensor local_entropy;    ///< mean row entropy of the coarse map, nats
  at::Tensor teacher_entropy;  ///< the same of the teacher's map; near 0: one-hot targets
};

/// Scalars of the inputs' dtype and device. Differentiable in the levels. Deterministic.
TemporalLosses temporal_losses(const TemporalInputs& inputs, const TemporalLossOptions& options);

}  // namespace stc::models
