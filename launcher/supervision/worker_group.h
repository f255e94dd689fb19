// mpirun (or another program) as a child process, every process that it starts on this node, and
// the signals that its parent reads between two looks at it.
#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "data/file.h"

namespace stc::launcher {

struct WorkerPlacement {
  int ranks = 1;
  int ranks_per_node = 0;  ///< 0: as mpirun fills them
  std::string hostfile;    ///< mpirun's; empty: none
  std::string hosts;       ///< "a,b"; empty: this node, or those of Slurm
};

/// mpirun and its arguments in front of `command`. Binding is left to the workers, which know their
/// GPU.
std::vector<std::string> mpirun_command(const WorkerPlacement& placement,
                                        const std::vector<std::string>& command);

class WorkerGroup {
 public:
  /// Starts it in a process group of its own, so that a Ctrl-C at the terminal reaches the
  /// launcher only, which forwards it.
  explicit WorkerGroup(const std::vector<std::string>& command);
  ~WorkerGroup() { end_all(); }  ///< leaves no process behind
  WorkerGroup(const WorkerGroup&) = delete;

  int output() const { return output_.number(); }  ///< to poll; non-blocking
  std::vector<std::string> read_lines();  ///< the whole lines that have come since the last call

  void signal(int number);
  bool running();   ///< false once mpirun has ended
  int exit_code();  ///< after that; 128 + signal if it was killed; throws if there is no such
                    ///< program
  bool was_killed() const;  ///< mpirun itself, by a signal
  void end_all();           ///< kills what is left on this node, and waits for it

 private:
  pid_t process_ = -1;
  data::Descriptor output_;
  std::optional<int> status_;  // of waitpid
  std::string partial_;
};

/// Signals that are read instead of interrupting this process.
class WatchedSignals {
 public:
  /// Blocks the signals in this thread and those that it starts.
  explicit WatchedSignals(std::initializer_list<int> signals);

  int descriptor() const { return file_.number(); }  ///< to poll
  std::optional<int> next();                         ///< one that has come, if any

 private:
  data::Descriptor file_;
};

}  // namespace stc::launcher
