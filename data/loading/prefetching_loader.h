// Worker threads that fill batches ahead of their use.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "data/loading/bad_entries.h"
#include "data/loading/loader.h"
#include "data/loading/sample_source.h"
#include "monitoring/check.h"

namespace stc::data {

/// Holds `prefetch` batches in flight. A worker's task is one row of the oldest batch that has
/// unclaimed rows; a row depends on its global sample alone, so the number of workers changes
/// nothing but the time. Bad entries are counted by next(), in the order of the stream, so what is
/// logged and when a run ends do not depend on the workers either.
template <typename Batch>
class PrefetchingLoader : public Loader<Batch> {
 public:
  PrefetchingLoader(std::unique_ptr<SampleSource<Batch>> source,
                    const LoaderOptions& options,
                    const SampleWindow& window,
                    std::int64_t first_step);
  ~PrefetchingLoader() override;  ///< waits for the rows that are being filled, not for the batches

  Batch next() override;
  std::int64_t corrupt_samples() const override { return bad_.count(); }
  std::int64_t epoch_size() const override { return source_->epoch_size(); }
  std::int64_t ready() const override;

 private:
  /// An error on its way from a worker to next(). A copy of the text: exceptions are not shared
  /// between threads.
  struct Failure {
    Exit exit;
    std::string message;
  };
  struct InFlight {
    Batch batch;
    SampleRun run;
    std::int64_t claimed = 0;  ///< rows given to a worker
    std::int64_t done = 0;     ///< rows filled or failed
    std::vector<SampleReport> reports;
    std::vector<std::optional<Failure>> failures;
  };
  struct Task {
    InFlight* batch;  ///< stays in in_flight_ until all of its rows are done
    std::int64_t row;
  };

  void add_batch();                ///< mutex_ held (or no worker yet)
  std::optional<Task> claim();     ///< mutex_ held
  void perform(const Task& task);  ///< mutex_ not held
  void work();                     ///< a worker's life
  void wait_for_front();

  std::unique_ptr<SampleSource<Batch>> source_;
  SampleWindow window_;
  std::int64_t next_step_;
  BadEntries bad_;  ///< used by next() alone

  mutable std::mutex mutex_;
  std::condition_variable work_added_;
  std::condition_variable batch_done_;
  bool stopping_ = false;
  std::deque<std::unique_ptr<InFlight>> in_flight_;  ///< in step order, finished or not
  std::vector<std::thread> workers_;
};

}  // namespace stc::data
