// Checkpoints of a run: RUN/checkpoints/step-00001000/ (design: written under a temporary name,
// synced, renamed once).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/weights/safetensors.h"

namespace stc::launcher {

struct Checkpoint {
  std::int64_t step = 0;      ///< steps done
  data::NamedTensors model;   ///< model.safetensors: the backbone, torchvision names
  data::NamedTensors method;  ///< method.safetensors: heads, momentum encoder, queue (may be empty)
  data::NamedTensors optimizer;  ///< optimizer.safetensors
  std::string state;             ///< state.json
};

/// Only rank 0 writes. keep >= 2: older ones are removed after a save, never the one that was
/// restored from.
class CheckpointStore {
 public:
  CheckpointStore(const std::string& folder, std::int64_t keep);

  /// Returns the bytes written. Throws stc::Error naming path and cause (disk full); what was there
  /// stays whole and no half folder stays.
  std::uint64_t save(const Checkpoint& checkpoint);

  /// The newest whole one; passed_over says which newer ones were not taken, and why. Leftover
  /// temporary folders are removed.
  std::optional<Checkpoint> restore(std::vector<std::string>* passed_over);

  /// Where the run goes on if it ends now: "the checkpoint of step 20 in FOLDER", or "its
  /// beginning: FOLDER holds no whole checkpoint".
  std::string resume_point() const;

 private:
  void remove_old(std::int64_t saved_step);

  std::string folder_;
  std::int64_t keep_;
  std::int64_t restored_step_ = -1;
  std::int64_t newest_step_ = -1;  // restored or saved
};

/// Reads model.safetensors of a checkpoint folder, of a run folder (weights.safetensors, else its
/// newest checkpoint), or a .safetensors file. Throws stc::Error (kBadData) naming the path.
data::NamedTensors read_weights(const std::string& path);

}  // namespace stc::launcher
