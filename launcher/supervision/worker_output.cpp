#include "launcher/supervision/worker_output.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

constexpr std::size_t kLastLines = 5;
constexpr std::size_t kMaxUnwritten = 1000;  // per rank, while there is no folder yet

}  // namespace

WorkerLine parse_worker_line(const std::string& tagged) {
  int job = 0, rank = 0, end = 0;
  char stream[7] = "";
  if (std::sscanf(tagged.c_str(), "[%d,%d]<%6[a-z]>:%n", &job, &rank, stream, &end) == 3 && end > 0)
    return {rank, tagged.substr(end)};
  return {-1, tagged};
}

std::optional<LostRank> lost_rank_in(const std::vector<std::string>& mpirun_lines) {
  static const std::regex killed(R"(process rank (\d+) .*exited on (signal \d+ \([^)]*\)))");
  static const std::regex name(
      R"(Process name: \[\[\d+,\d+\],(\d+)\]|MPI_ABORT was invoked on rank (\d+))");
  static const std::regex code(R"(Exit code: +(\d+)|with errorcode (\d+))");
  std::optional<LostRank> lost;
  for (const auto& line : mpirun_lines) {
    std::smatch match;
    if (std::regex_search(line, match, killed))
      return LostRank{std::stoi(match[1]), "was killed by " + match[2].str()};
    const auto either = [&match] { return match[1].str() + match[2].str(); };
    if (!lost && std::regex_search(line, match, name))
      lost = LostRank{std::stoi(either()), "ended"};
    if (lost && std::regex_search(line, match, code))
      lost->how = "ended with exit code " + either();
  }
  return lost;
}

WorkerOutput::WorkerOutput(std::string folder) : folder_(std::move(folder)) {}

std::optional<std::string> WorkerOutput::take(const std::string& tagged, int world) {
  const auto [rank, line] = parse_worker_line(tagged);
  if (rank < 0) {
    mpirun_.push_back(line);
    lost_ = lost_rank_in(mpirun_);
    return std::nullopt;
  }
  auto& last = last_[rank];
  last.push_back(line);
  if (last.size() > kLastLines) last.pop_front();
  write(rank, line);
  const bool has_prefix = line.starts_with("[rank ");
  return has_prefix || world == 1 ? line : text("[rank {}/{}] {}", rank, world, line);
}

void WorkerOutput::write(int rank, const std::string& line) {
  auto& waiting = unwritten_[rank];
  if (waiting.size() < kMaxUnwritten) waiting.push_back(line);
  std::error_code none;
  if (folder_.empty() || !std::filesystem::is_directory(folder_, none)) return;
  std::ofstream file(text("{}/rank-{}.out", folder_, rank), std::ios::app);
  for (const auto& one : waiting) file << one << '\n';
  waiting.clear();
}

std::vector<std::string> WorkerOutput::last_lines(int rank) const {
  const auto found = last_.find(rank);
  if (found == last_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

void WorkerOutput::forget() {
  last_.clear();
  mpirun_.clear();
  lost_.reset();
}

}  // namespace stc::launcher
