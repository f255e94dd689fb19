// One benchmark on one trunk, as `stc eval` and `stc sweep` run it: folders, ranks, tables.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dist/communicator.h"
#include "eval/jobs/benchmark.h"
#include "launcher/evaluation/benchmarks.h"
#include "launcher/evaluation/propagation_arguments.h"
#include "launcher/run_folder/folder_lock.h"

namespace stc::launcher {

enum class FolderUse {
  kResume,   ///< keeps what an earlier start of the same job has done
  kRestart,  ///< overwrites what is there
  kShare,    ///< resumes, together with other live jobs that do the same
};

/// One way to propagate labels, and the folder of its results.
struct EvaluationVariant {
  PropagationSettings settings;
  std::string out;
};

/// Stages that results.json has the seconds of, as "features_seconds".
inline constexpr const char* kStages[] = {"features", "propagation", "masks", "files", "scoring"};

struct EvaluationResult {
  nlohmann::ordered_json json;      ///< as in results.json
  std::string table;                ///< for the terminal
  std::vector<std::string> failed;  ///< what is wrong with clips that were left out
  std::size_t clips = 0;
};

class Evaluation {
 public:
  /// Variants share stride and input, and with them the features. Opens the data set; throws
  /// stc::Error naming what is wrong. `label` names the weights in tables.
  Evaluation(BenchmarkSource source,
             std::shared_ptr<const PropagationTrunk> trunk,
             std::string label,
             std::vector<EvaluationVariant> variants);

  /// Makes the variants' folders or opens them to resume, and locks them. By rank 0. Throws
  /// stc::Error (kUsage) if another live job holds one, if it belongs to a job that differs (naming
  /// the key), or if it holds something else.
  void open_folders(FolderUse use);

  std::int64_t frames() const;  ///< of all clips
  /// This rank's part of the clips; returns how many had been evaluated by an earlier start.
  std::int64_t evaluate(const std::function<std::int64_t()>& next_ticket,
                        const eval::OnFrame& on_frame) const;
  bool is_complete() const;  ///< every clip has its record in every variant's folder
  /// After all ranks are done: tables and results.json of each variant. By rank 0. Throws
  /// stc::Error (kBadData) if no clip at all could be evaluated.
  std::vector<EvaluationResult> finish(int ranks) const;

 private:
  nlohmann::ordered_json job_json(const EvaluationVariant& variant) const;
  EvaluationResult finish_variant(const EvaluationVariant& variant, int ranks) const;

  BenchmarkSource source_;
  std::shared_ptr<const PropagationTrunk> trunk_;
  std::string label_;
  std::vector<EvaluationVariant> variants_;
  eval::Benchmark benchmark_;
  std::vector<FolderLock> locks_;
};

/// "runs/demo/step2/weights.safetensors" -> "step2".
std::string label_of_weights(const std::string& weights);

/// "ResNet-18 stage 3, 256 channels, stride 8, weights W (crc32c ...), on cpu".
std::string describe(const PropagationTrunk& trunk, int stride);

/// Sets up this rank's log and compute threads (0: its share of the cores). The communicator waits
/// as long as the longest clip takes.
std::shared_ptr<dist::Communicator> start_evaluation(const dist::Session& session,
                                                     std::int64_t threads);

/// If several jobs work on the same evaluations, each takes every count-th clip.
struct EvaluationShare {
  std::int64_t index = 0, count = 1;
};

/// All ranks evaluate the clips of all `evaluations` together, and wait for the last one. All
/// records of the share are written when it returns. A collective.
void evaluate_over_ranks(const std::vector<const Evaluation*>& evaluations,
                         dist::Communicator& world,
                         const EvaluationShare& share = {});

}  // namespace stc::launcher
