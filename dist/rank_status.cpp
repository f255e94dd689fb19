#include "dist/rank_status.h"

#include <algorithm>
#include <random>
#include <sstream>

namespace stc::dist {
namespace {

constexpr char kFormat[] = "stc-status-1";
constexpr char kNone[] = "-";

// A field of the datagram: never empty, and without spaces.
std::string field(std::string value) {
  if (value.empty()) return kNone;
  std::replace(value.begin(), value.end(), ' ', '_');
  return value;
}

std::string value_of(std::string field) {
  if (field == kNone) return "";
  std::replace(field.begin(), field.end(), '_', ' ');
  return field;
}

}  // namespace

std::string random_token() {
  std::random_device random;
  std::ostringstream out;
  out << std::hex << random() << random();
  return out.str();
}

std::string encode(const RankStatus& status, const std::string& token) {
  std::ostringstream out;
  out << kFormat << ' ' << token << ' ' << status.rank << ' ' << status.world << ' ' << status.pid
      << ' ' << (status.host.empty() ? kNone : status.host) << ' ' << status.step << ' '
      << field(status.phase) << ' ' << status.phase_seconds << ' ' << status.arrived << ' '
      << status.completed << ' ' << field(status.verb) << ' ' << status.bytes << ' '
      << status.pending_seconds << ' ' << status.stall_seconds << ' ' << status.timeout_seconds
      << ' ' << status.ended;
  return out.str();
}

std::optional<RankStatus> decode(const std::string& datagram, const std::string& token) {
  std::istringstream in(datagram);
  std::string format, run;
  RankStatus status;
  in >> format >> run >> status.rank >> status.world >> status.pid >> status.host >> status.step >>
      status.phase >> status.phase_seconds >> status.arrived >> status.completed >> status.verb >>
      status.bytes >> status.pending_seconds >> status.stall_seconds >> status.timeout_seconds >>
      status.ended;
  if (!in || format != kFormat || run != token) return std::nullopt;
  if (status.rank < 0 || status.rank >= status.world) return std::nullopt;
  status.phase = value_of(status.phase);
  // Verbs are names such as all_reduce.
  if (status.verb == kNone) status.verb.clear();
  return status;
}

}  // namespace stc::dist
