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
  std::string input = "";        ///< colours that the backbone sees: "rgb" or "lab"; "" if unknown
};

/// Only rank 0 writes. keep >= 2: older ones are removed after a save, but never the restored one.
class CheckpointStore {
 public:
  CheckpointStore(const std::string& folder, std::int64_t keep);

  /// Returns the bytes written. Throws stc::Error naming path and cause (disk full); the earlier
  /// ones stay complete and no partial folder is left.
  std::uint64_t save(const Checkpoint& checkpoint);

  struct Restored {
    std::optional<Checkpoint> checkpoint;  ///< the newest complete one, if any
    std::vector<std::string> skipped;      ///< newer ones, each with the reason
  };
  /// Removes leftover temporary folders.
  Restored restore();

  /// Where the run resumes if it ends now: "the checkpoint of step 20 in FOLDER", or "its
  /// beginning: FOLDER holds no complete checkpoint".
  std::string resume_point() const;

 private:
  void remove_old(std::int64_t saved_step);

  std::string folder_;
  std::int64_t keep_;
  std::int64_t restored_step_ = -1;
  std::int64_t newest_step_ = -1;  // restored or saved
};

/// The file with the weights of a checkpoint folder or of a run folder (weights.safetensors, else
/// its newest complete checkpoint's model.safetensors); any other path as it is. Throws stc::Error
/// (kBadData) naming the path.
std::string weights_file(const std::string& path);

}  // namespace stc::launcher
