#include "launcher/training/profile.h"

#include <kineto/ActivityType.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "dist/device.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace profiler = torch::autograd::profiler;
namespace fs = std::filesystem;

std::set<profiler::ActivityType> activities_of(c10::Device device) {
  std::set<profiler::ActivityType> activities = {profiler::ActivityType::CPU};
  if (device.is_cuda()) activities.insert(profiler::ActivityType::CUDA);
  return activities;
}

}  // namespace

struct Profile::Result {
  std::unique_ptr<profiler::ProfilerResult> events;
};

Profile::Profile(c10::Device device) : device_(device) {
  dist::synchronise(device_);  // a GPU may be behind its host
  const profiler::ProfilerConfig config(profiler::ProfilerState::KINETO,
                                        /*report_input_shapes=*/true);
  const auto activities = activities_of(device);
  profiler::prepareProfiler(config, activities);
  profiler::enableProfiler(config, activities);
}

Profile::~Profile() {
  if (!result_) profiler::disableProfiler();
}

void Profile::end() {
  dist::synchronise(device_);
  result_ = std::make_unique<Result>(Result{profiler::disableProfiler()});
}

std::int64_t Profile::kernels() const {
  return std::ranges::count_if(result_->events->events(), [](const auto& event) {
    return event.activityType() ==
           static_cast<std::uint8_t>(libkineto::ActivityType::CONCURRENT_KERNEL);
  });
}

// Kineto reports a file that it cannot open only in its own log.
void Profile::save(const std::string& path) const {
  std::error_code ignored;
  fs::create_directories(fs::path(path).parent_path(), ignored);
  fs::remove(path, ignored);
  result_->events->save(path);
  STC_CHECK(fs::exists(path), "{}: cannot be written", path);
}

}  // namespace stc::launcher
