// Step 2: a student on LAB input with one chroma channel dropped, and a frozen teacher on RGB
// (docs/method.md 2).
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>

#include "models/resnet.h"
#include "models/temporal_loss.h"

namespace stc::models {

struct TemporalOptions {
  int depth = 18;  ///< the student's
  int teacher_depth = 18;
  TemporalLossOptions losses;
};

class TemporalModel {
 public:
  /// The student's weights are random (decided by `seed`, last batch norms 0). There is a teacher
  /// if the global loss is on.
  TemporalModel(const TemporalOptions& options, std::uint64_t seed);

  struct Batch {
    at::Tensor rgb;            ///< [B, 2, 3, S, S] normalised; unused without a teacher
    at::Tensor lab;            ///< [B, 2, 3, S, S] normalised
    std::int64_t dropped = 1;  ///< channel that the student does not see, equal on all ranks
    at::Tensor selection;      ///< see TemporalInputs
  };
  /// Forward of both networks and the losses. Over several ranks, batch norm and the local loss run
  /// over all ranks.
  TemporalLosses losses(const Batch& batch, const OverRanks& ranks) const;

  /// The student's maps of stages 2, 3, 4, each [B, 2, C, h, w], and the teacher's of stage 4
  /// (undefined without one).
  struct Features {
    std::array<at::Tensor, 3> levels;
    at::Tensor teacher;
  };
  Features features(const Batch& batch, const OverRanks& ranks) const;

  void to(at::Device device, at::ScalarType dtype);
  /// After the teacher's weights are loaded. In bfloat16, and in no other type, the teacher keeps
  /// nothing but its weights in that type with the batch norms folded in.
  void set_arithmetic(const Arithmetic& arithmetic);

  TemporalOptions options;
  ResNet student;
  std::optional<ResNet> teacher;
};

/// LAB [B, 2, 3, S, S] as the student sees it: channel `dropped` zero, the others times 3 / 2.
/// Copies.
at::Tensor drop_channel(const at::Tensor& lab, std::int64_t dropped);

}  // namespace stc::models
