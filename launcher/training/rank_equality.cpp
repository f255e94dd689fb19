#include "launcher/training/rank_equality.h"

#include <ATen/ATen.h>

#include <vector>

#include "data/crc32c.h"
#include "dist/run_together.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

/// "the queue (checksums of ranks 0 to 2: 12, 12, 9)", of every column that is not one value.
std::string differences(const at::Tensor& sums, const std::vector<std::string>& names) {
  std::string out;
  for (std::int64_t group = 0; group < sums.size(1); ++group) {
    const auto column = sums.select(1, group);
    if (at::equal(column, column[0].expand_as(column))) continue;
    out += text("{}{} (checksum by rank:", out.empty() ? "" : "; ", names[group]);
    for (std::int64_t r = 0; r < column.size(0); ++r)
      out += text("{}{}", r == 0 ? " " : ", ", column[r].item<std::int64_t>());
    out += ")";
  }
  return out;
}

}  // namespace

std::uint32_t checksum(const data::NamedTensors& tensors) {
  std::uint32_t sum = 0;
  for (const auto& [name, value] : tensors) {
    const auto bytes = value.detach().to(at::kCPU).contiguous();
    sum = data::crc32c({static_cast<const std::uint8_t*>(bytes.const_data_ptr()), bytes.nbytes()},
                       sum);
  }
  return sum;
}

void check_equal_on_all_ranks(dist::Communicator& control,
                              std::int64_t step,
                              const std::map<std::string, data::NamedTensors>& groups) {
  if (control.size() == 1) return;
  std::vector<std::string> names;
  std::vector<std::int64_t> own;
  for (const auto& [name, tensors] : groups) {
    names.push_back(name);
    own.push_back(checksum(tensors));
  }
  const auto sums = control.all_gather(at::tensor(own, at::kLong).unsqueeze(0));
  dist::run_on_all_ranks(control, [&] {
    const auto what = differences(sums, names);
    STC_CHECK(what.empty(),
              "after step {} the ranks no longer hold the same: {}. A defect of a rank's memory or "
              "GPU, or of stc: run the same command again, it resumes from the newest checkpoint; "
              "exclude the machine of a rank that differs twice",
              step,
              what);
  });
}

}  // namespace stc::launcher
