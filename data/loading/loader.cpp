#include "data/loading/loader.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "data/loading/sample_source.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

/// Worker threads fill batches ahead of their use: `prefetch` of them are in flight. A worker's
/// task is one row of the oldest batch that has unclaimed rows; a row depends on its global sample
/// alone, so the number of workers changes nothing but the time. Bad entries are counted by next(),
/// in the order of the stream, so what is logged and when a run ends do not depend on the workers
/// either.
template <typename Batch>
class PrefetchingLoader : public Loader<Batch> {
 public:
  PrefetchingLoader(std::unique_ptr<SampleSource<Batch>> source,
                    const LoaderOptions& options,
                    const SampleWindow& window,
                    std::int64_t first_step)
      : source_(std::move(source)),
        window_(window),
        next_step_(first_step),
        pinned_(options.pinned),
        bad_(source_->entries(), options.max_bad_fraction) {
    const int ahead = options.workers == 0 ? 1 : options.prefetch;
    for (int i = 0; i < ahead; ++i) add_batch();
    for (int i = 0; i < options.workers; ++i) workers_.emplace_back([this] { work(); });
  }

  /// Waits for the rows that are being filled, not for the batches.
  ~PrefetchingLoader() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_added_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  Batch next() override {
    wait_for_front();
    // Every row of the front batch is done: no worker touches it any more. It leaves the queue only
    // after it proved good, so a loader that failed fails again in the same way.
    InFlight& front = *in_flight_.front();
    for (std::int64_t row = 0; row < front.run.count; ++row) {
      if (const auto& failure = front.failures[row]) throw Error(failure->exit, failure->message);
      bad_.add(front.reports[row]);
    }
    Batch batch = std::move(front.batch);
    {
      const std::lock_guard lock(mutex_);
      in_flight_.pop_front();
      add_batch();
    }
    work_added_.notify_all();
    return batch;
  }

  std::int64_t corrupt_samples() const override { return bad_.count(); }
  std::int64_t epoch_size() const override { return source_->epoch_size(); }

  std::int64_t ready() const override {
    const std::lock_guard lock(mutex_);
    std::int64_t count = 0;
    for (const auto& batch : in_flight_) {
      if (batch->done < batch->run.count) break;
      ++count;
    }
    return count;
  }

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

  void wait_for_front() {
    std::unique_lock lock(mutex_);
    const InFlight& front = *in_flight_.front();
    if (workers_.empty()) {
      while (front.done < front.run.count) {
        const Task task = *claim();
        lock.unlock();
        perform(task);
        lock.lock();
      }
    }
    batch_done_.wait(lock, [&] { return front.done == front.run.count; });
  }

  /// mutex_ held (or no worker yet)
  void add_batch() {
    auto batch = std::make_unique<InFlight>();
    batch->run = sample_run(window_, next_step_++);
    batch->batch = source_->make_batch(batch->run.count, pinned_);
    batch->reports.resize(batch->run.count);
    batch->failures.resize(batch->run.count);
    in_flight_.push_back(std::move(batch));
  }

  /// mutex_ held
  std::optional<Task> claim() {
    for (const auto& batch : in_flight_)
      if (batch->claimed < batch->run.count) return Task{batch.get(), batch->claimed++};
    return std::nullopt;
  }

  /// mutex_ not held
  void perform(const Task& task) {
    SampleReport report;
    std::optional<Failure> failure;
    try {
      report = source_->fill(task.batch->run.first + task.row, task.batch->batch, task.row);
    } catch (const Error& error) {
      failure = {error.exit(), error.what()};
    } catch (const std::exception& error) {
      failure = {Exit::kFailed, error.what()};
    }
    const std::lock_guard lock(mutex_);
    task.batch->reports[task.row] = std::move(report);
    task.batch->failures[task.row] = std::move(failure);
    ++task.batch->done;
    if (task.batch->done == task.batch->run.count) batch_done_.notify_all();
  }

  /// A worker's life.
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      std::optional<Task> task;
      work_added_.wait(lock, [&] { return stopping_ || (task = claim()).has_value(); });
      if (stopping_) return;
      lock.unlock();
      perform(*task);
      lock.lock();
    }
  }

  std::unique_ptr<SampleSource<Batch>> source_;
  SampleWindow window_;
  std::int64_t next_step_;
  bool pinned_;
  BadEntries bad_;  ///< used by next() alone

  mutable std::mutex mutex_;
  std::condition_variable work_added_;
  std::condition_variable batch_done_;
  bool stopping_ = false;
  std::deque<std::unique_ptr<InFlight>> in_flight_;  ///< in step order, finished or not
  std::vector<std::thread> workers_;
};

void check(const SampleWindow& window, std::int64_t first_step) {
  STC_CHECK_USAGE(window.world >= 1 && window.rank >= 0 && window.rank < window.world,
                  "rank {} of a world of {}; expected 0 <= rank < world",
                  window.rank,
                  window.world);
  STC_CHECK_USAGE(
      window.batch_size >= 1 && window.batch_size % window.world == 0,
      "the global batch of {} samples does not divide over {} ranks; expected a positive "
      "multiple. Change train.batch_size or the number of ranks.",
      window.batch_size,
      window.world);
  STC_CHECK(first_step >= 0, "a loader cannot start at step {}", first_step);
}

}  // namespace

void LoaderOptions::check() const {
  STC_CHECK_USAGE(
      workers >= 0 && workers <= 256, "loader workers are {}; expected 0 to 256 threads", workers);
  STC_CHECK_USAGE(
      prefetch >= 1 && prefetch <= 1024, "prefetched batches are {}; expected 1 to 1024", prefetch);
  STC_CHECK_USAGE(max_bad_fraction >= 0 && max_bad_fraction <= 1,
                  "max_bad_fraction is {}; expected 0 to 1",
                  max_bad_fraction);
}

std::unique_ptr<ImageLoader> make_image_loader(std::shared_ptr<const ShardSet> shards,
                                               const LoaderOptions& loader,
                                               const ImageOptions& images,
                                               const SampleWindow& window,
                                               std::int64_t first_step) {
  loader.check();
  check(window, first_step);
  return std::make_unique<PrefetchingLoader<ImageBatch>>(
      make_image_source(std::move(shards), window.seed, images), loader, window, first_step);
}

std::unique_ptr<ClipLoader> make_clip_loader(std::shared_ptr<const ShardSet> shards,
                                             const LoaderOptions& loader,
                                             const ClipOptions& clips,
                                             const SampleWindow& window,
                                             std::int64_t first_step) {
  loader.check();
  check(window, first_step);
  return std::make_unique<PrefetchingLoader<ClipBatch>>(
      make_clip_source(std::move(shards), window.seed, clips), loader, window, first_step);
}

}  // namespace stc::data
