#include <ATen/ATen.h>

#include "dist/group_communicator.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

class SoloCommunicator : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  std::string host() const override { return host_name(); }
  std::int64_t bytes_sent() const override { return 0; }

  void all_reduce(at::Tensor, ReduceOp) override {}
  void broadcast(at::Tensor, int) override {}
  void barrier() override {}
  void set_timeout(double) override {}

  // New memory and no gradient, as with more ranks.
  at::Tensor all_gather(const at::Tensor& tensor) override {
    check_rows("all_gather", tensor);
    return tensor.detach().clone();
  }

  at::Tensor all_to_all(const at::Tensor& rows,
                        const std::vector<std::int64_t>& send_rows,
                        const std::vector<std::int64_t>& receive_rows) override {
    check_blocks(rows, send_rows, receive_rows, 1);
    STC_CHECK(send_rows == receive_rows,
              "all_to_all of one rank sends {} rows to itself and expects {}",
              send_rows[0],
              receive_rows[0]);
    return rows.detach().clone();
  }
};

}  // namespace

std::shared_ptr<Communicator> make_solo_communicator() {
  return std::make_shared<SoloCommunicator>();
}

}  // namespace stc::dist
