// What workers print, as `mpirun --tag-output` delivers it: which rank printed which line, and what
// mpirun itself reports of a lost rank.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stc::launcher {

struct WorkerLine {
  int rank = -1;  ///< -1: mpirun's own
  std::string line;
};

/// "[1,3]<stderr>:words" is rank 3's; anything else is mpirun's own.
WorkerLine parse_worker_line(const std::string& tagged);

/// "process rank 2 ... exited on signal 9 (Killed)", "Process name: [[7375,1],1]" with "Exit code:
/// 4".
struct LostRank {
  int rank = -1;
  std::string how;  ///< "was killed by signal 9 (Killed)", "ended with exit code 4"
};
std::optional<LostRank> lost_rank_in(const std::vector<std::string>& mpirun_lines);

/// The last lines of each rank, and a file for each in `folder` as soon as it exists: RUN/log
/// belongs to the run, which makes it itself. A file that cannot be written is skipped.
class WorkerOutput {
 public:
  explicit WorkerOutput(std::string folder);

  /// Keeps the line; returns it as the terminal shows it, or nothing for mpirun's own.
  std::optional<std::string> take(const std::string& tagged, int world);

  std::vector<std::string> last_lines(int rank) const;
  const std::vector<std::string>& mpirun_lines() const { return mpirun_; }
  const std::optional<LostRank>& lost() const { return lost_; }  ///< as mpirun has reported so far
  void forget();                                                 ///< before another attempt

 private:
  void write(int rank, const std::string& line);

  std::string folder_;
  std::map<int, std::deque<std::string>> last_;
  std::map<int, std::vector<std::string>> unwritten_;
  std::vector<std::string> mpirun_;
  std::optional<LostRank> lost_;
};

}  // namespace stc::launcher
