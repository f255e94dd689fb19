// Ranks in front of others, for a test that looks at one collective, or changes it, and leaves the
// rest as it is.
#pragma once

#include "dist/communicator.h"

namespace stc::test {

class ForwardingRanks : public dist::Communicator {
 public:
  explicit ForwardingRanks(dist::Communicator& ranks) : ranks_(ranks) {}

  int rank() const override { return ranks_.rank(); }
  int size() const override { return ranks_.size(); }
  int local_rank() const override { return ranks_.local_rank(); }
  int local_size() const override { return ranks_.local_size(); }
  std::string host() const override { return ranks_.host(); }
  void all_reduce(at::Tensor tensor, dist::ReduceOp op) override { ranks_.all_reduce(tensor, op); }
  std::function<void()> start_all_reduce(at::Tensor tensor, dist::ReduceOp op) override {
    return ranks_.start_all_reduce(tensor, op);
  }
  void broadcast(at::Tensor tensor, int root) override { ranks_.broadcast(tensor, root); }
  at::Tensor all_gather(const at::Tensor& tensor) override { return ranks_.all_gather(tensor); }
  at::Tensor all_to_all(const at::Tensor& rows,
                        const std::vector<std::int64_t>& send_rows,
                        const std::vector<std::int64_t>& receive_rows) override {
    return ranks_.all_to_all(rows, send_rows, receive_rows);
  }
  void barrier() override { ranks_.barrier(); }
  void set_timeout(double seconds) override { ranks_.set_timeout(seconds); }
  std::int64_t bytes_sent() const override { return ranks_.bytes_sent(); }

 protected:
  dist::Communicator& ranks_;
};

}  // namespace stc::test
