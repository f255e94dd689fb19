// OUT/ of an evaluation: job.json, records/, the tables, and the results of each clip. Rank 0 owns
// it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "launcher/run_folder/folder_lock.h"

namespace stc::launcher {

enum class FolderUse {
  kResume,   ///< keeps what an earlier start of the same job has done
  kRestart,  ///< overwrites what is there
  kShare,    ///< resumes, together with other live jobs that do the same
};

/// Creates OUT, or opens it again to resume: `job` holds all that its numbers depend on. Throws
/// stc::Error (kUsage) if another live job holds it, if it belongs to a job that differs (naming
/// the key), or if it holds something else.
FolderLock open_evaluation_folder(const std::string& out,
                                  const nlohmann::ordered_json& job,
                                  FolderUse use);

}  // namespace stc::launcher
