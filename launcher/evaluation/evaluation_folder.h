// OUT/ of an evaluation: job.json, records/, the tables, and what each clip left. Rank 0 owns it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "launcher/run_folder/folder_lock.h"

namespace stc::launcher {

enum class FolderUse {
  kGoOn,   ///< keeps what an earlier start of the same job has done
  kAnew,   ///< writes over what is there
  kShare,  ///< goes on, together with other live jobs that do the same
};

/// Creates OUT, or opens it again to go on: `job` holds all that its numbers depend on. Throws
/// stc::Error (kUsage) where another live job holds it, where it belongs to a job that differs
/// (naming the key), or where it holds something else.
FolderLock open_evaluation_folder(const std::string& out,
                                  const nlohmann::ordered_json& job,
                                  FolderUse use);

}  // namespace stc::launcher
