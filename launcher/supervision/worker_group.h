// mpirun as a child process, and every process that it starts on this node.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

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
  ~WorkerGroup();  ///< leaves no process behind
  WorkerGroup(const WorkerGroup&) = delete;

  int output() const { return output_; }  ///< to poll; non-blocking
  std::vector<std::string> read_lines();  ///< the whole lines that have come since the last call

  void signal(int number);
  bool running();   ///< false once mpirun has ended
  int exit_code();  ///< after that; 128 + signal if it was killed; throws if there is no such
                    ///< program
  bool was_killed() const;  ///< mpirun itself, by a signal
  void end_all();           ///< kills what is left on this node, and waits for it

 private:
  pid_t process_ = -1;
  int output_ = -1;
  std::optional<int> status_;  // of waitpid
  std::string partial_;
};

}  // namespace stc::launcher
