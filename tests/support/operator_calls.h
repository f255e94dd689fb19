// Which of ATen's operators run while a function runs, in all threads.
#pragma once

#include <ATen/record_function.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace stc::test {

struct OperatorCalls {
  std::map<std::string, std::int64_t> all;     ///< by name
  std::map<std::string, std::int64_t> leaves;  ///< those that call no other operator

  std::int64_t count() const { return sum(all, {}); }
  /// Leaves that compute: on a GPU each is at least one kernel that the host launches.
  std::int64_t launches() const {
    return sum(leaves,
               {"aten::_reshape_alias",
                "aten::_unsafe_view",
                "aten::alias",
                "aten::as_strided",
                "aten::detach",
                "aten::detach_",
                "aten::empty",
                "aten::empty_like",
                "aten::empty_strided",
                "aten::expand",
                "aten::narrow",
                "aten::permute",
                "aten::reshape",
                "aten::resize_",
                "aten::select",
                "aten::slice",
                "aten::squeeze",
                "aten::t",
                "aten::transpose",
                "aten::unbind",
                "aten::unflatten",
                "aten::unsqueeze",
                "aten::view",
                "aten::lift_fresh",
                "aten::flatten",
                "aten::is_nonzero",
                "aten::set_",
                "aten::split",
                "aten::result_type",
                "aten::resolve_conj",
                "aten::resolve_neg",
                "detach",
                "aten::to"});
  }

 private:
  static std::int64_t sum(const std::map<std::string, std::int64_t>& calls,
                          const std::set<std::string>& without) {
    std::int64_t total = 0;
    for (const auto& [name, count] : calls) total += without.contains(name) ? 0 : count;
    return total;
  }
};

namespace operator_calls {

struct Call : at::ObserverContext {
  Call* parent = nullptr;
  bool has_children = false;
};

inline thread_local Call* current = nullptr;
inline std::mutex mutex;
inline OperatorCalls seen;

inline std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  auto call = std::make_unique<Call>();
  call->parent = std::exchange(current, call.get());
  if (call->parent != nullptr) call->parent->has_children = true;
  const std::lock_guard lock(mutex);
  ++seen.all[function.name()];
  return call;
}

inline void end(const at::RecordFunction& function, at::ObserverContext* context) {
  const auto* call = static_cast<Call*>(context);
  current = call->parent;
  const std::lock_guard lock(mutex);
  if (!call->has_children) ++seen.leaves[function.name()];
}

}  // namespace operator_calls

inline OperatorCalls calls_of(const std::function<void()>& body) {
  operator_calls::seen = {};
  const auto handle =
      at::addGlobalCallback(at::RecordFunctionCallback(operator_calls::begin, operator_calls::end)
                                .scopes({at::RecordScope::FUNCTION}));
  body();
  at::removeCallback(handle);
  return std::move(operator_calls::seen);
}

}  // namespace stc::test
