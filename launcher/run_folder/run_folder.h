// RUN/: config.toml, metrics.jsonl, checkpoints/, log/, weights.safetensors, summary.json. Rank 0
// owns it.
#pragma once

#include <memory>
#include <string>

#include "data/file.h"
#include "launcher/config/schema.h"
#include "launcher/run_folder/folder_lock.h"

namespace stc::launcher {

enum class RunState { kNew, kResume, kFinished };

class RunFolder {
 public:
  /// Creates or opens the folder, takes its lock (released by the end of the process) and writes
  /// config.toml. fresh: an existing folder is moved aside to RUN.1, RUN.2, ... Throws stc::Error:
  /// kUsage if another live job holds it (naming host and pid), if a training key differs (naming
  /// it), or if the path holds something other than a run; kFailed if it cannot be written.
  /// `read_as`: what the recorded config of an earlier version means.
  static std::unique_ptr<RunFolder> open(const std::string& folder,
                                         const ConfigSchema& schema,
                                         bool fresh,
                                         const EarlierValues& read_as = {});

  /// The config.toml of a run in `folder` that has trained, so that it is resumed; else "".
  static std::string recorded_config(const std::string& folder);

  RunState state() const { return state_; }
  /// "RUN/inside"
  std::string path(const std::string& inside) const { return folder_ + "/" + inside; }

  /// A line that cannot be written (disk full) is kept, and written with a later one.
  void append_metrics(const std::string& json_line);
  void flush_metrics();  ///< throws stc::Error (kFailed) if lines still cannot be written
  void cut_metrics_after(std::int64_t step);  ///< drops lines of later steps and a torn last line
  void write_atomically(const std::string& inside, const std::string& content);
  void remove(const std::string& inside);

 private:
  RunFolder() = default;
  std::string write_lines();

  std::string folder_;
  RunState state_ = RunState::kNew;
  FolderLock lock_;
  data::Descriptor metrics_;  // opened by the first line
  std::string unwritten_;     // lines, the first perhaps in part
  bool is_behind_ = false;
};

}  // namespace stc::launcher
