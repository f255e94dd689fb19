#include "data/loading/prefetching_loader.h"

#include <exception>
#include <utility>

namespace stc::data {

template <typename Batch>
PrefetchingLoader<Batch>::PrefetchingLoader(std::unique_ptr<SampleSource<Batch>> source,
                                            const LoaderOptions& options,
                                            const SampleWindow& window,
                                            std::int64_t first_step)
    : source_(std::move(source)),
      window_(window),
      next_step_(first_step),
      bad_(source_->entries(), options.max_bad_fraction) {
  const int ahead = options.workers == 0 ? 1 : options.prefetch;
  for (int i = 0; i < ahead; ++i) add_batch();
  for (int i = 0; i < options.workers; ++i) workers_.emplace_back([this] { work(); });
}

template <typename Batch>
PrefetchingLoader<Batch>::~PrefetchingLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_added_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

template <typename Batch>
Batch PrefetchingLoader<Batch>::next() {
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

template <typename Batch>
std::int64_t PrefetchingLoader<Batch>::ready() const {
  const std::lock_guard lock(mutex_);
  std::int64_t count = 0;
  for (const auto& batch : in_flight_) {
    if (batch->done < batch->run.count) break;
    ++count;
  }
  return count;
}

template <typename Batch>
void PrefetchingLoader<Batch>::wait_for_front() {
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

template <typename Batch>
void PrefetchingLoader<Batch>::add_batch() {
  auto batch = std::make_unique<InFlight>();
  batch->run = sample_run(window_, next_step_++);
  batch->batch = source_->make_batch(batch->run.count);
  batch->reports.resize(batch->run.count);
  batch->failures.resize(batch->run.count);
  in_flight_.push_back(std::move(batch));
}

template <typename Batch>
auto PrefetchingLoader<Batch>::claim() -> std::optional<Task> {
  for (const auto& batch : in_flight_)
    if (batch->claimed < batch->run.count) return Task{batch.get(), batch->claimed++};
  return std::nullopt;
}

template <typename Batch>
void PrefetchingLoader<Batch>::perform(const Task& task) {
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

template <typename Batch>
void PrefetchingLoader<Batch>::work() {
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

template class PrefetchingLoader<ImageBatch>;
template class PrefetchingLoader<ClipBatch>;

}  // namespace stc::data
