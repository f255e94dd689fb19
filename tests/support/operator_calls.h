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
  std::map<std::string, std::int64_t> all;  ///< by name
  /// Those that compute and call no other that does: on a GPU each is at least one kernel that the
  /// host launches.
  std::map<std::string, std::int64_t> computing;

  std::int64_t count() const { return sum(all); }
  std::int64_t launches() const { return sum(computing); }

 private:
  static std::int64_t sum(const std::map<std::string, std::int64_t>& calls) {
    std::int64_t total = 0;
    for (const auto& [name, count] : calls) total += count;
    return total;
  }
};

namespace operator_calls {

struct Call : at::ObserverContext {
  std::string name;
  Call* parent = nullptr;
  bool has_computed = false;  // by a call within it
};

inline thread_local Call* current = nullptr;
inline std::mutex mutex;
inline OperatorCalls seen;

// Memory and its views; what only calls others.
inline bool computes(const std::string& name) {
  static const std::set<std::string> kNothing = {"_reshape_alias",
                                                 "_to_copy",
                                                 "_unsafe_view",
                                                 "alias",
                                                 "as_strided",
                                                 "detach",
                                                 "detach_",
                                                 "empty",
                                                 "empty_like",
                                                 "empty_strided",
                                                 "expand",
                                                 "expand_as",
                                                 "flatten",
                                                 "is_nonzero",
                                                 "lift_fresh",
                                                 "mT",
                                                 "narrow",
                                                 "new_empty_strided",
                                                 "permute",
                                                 "reshape",
                                                 "resize_",
                                                 "resolve_conj",
                                                 "resolve_neg",
                                                 "result_type",
                                                 "select",
                                                 "set_",
                                                 "slice",
                                                 "split",
                                                 "squeeze",
                                                 "t",
                                                 "to",
                                                 "transpose",
                                                 "unbind",
                                                 "unflatten",
                                                 "unsqueeze",
                                                 "view",
                                                 "view_as"};
  return name.starts_with("aten::") && !kNothing.contains(name.substr(6));
}

// What the CPU does by an operator of its own and a GPU within a kernel: the type of a factor that
// is a number, and the zero that a sum begins with. (The change of a map's type is one, too: none
// is in float32.)
inline bool is_of_the_cpu_alone(const Call& call) {
  const std::string parent = call.parent == nullptr ? "" : call.parent->name;
  return (call.name == "aten::copy_" && parent == "aten::_to_copy") ||
         (call.name == "aten::fill_" && parent == "aten::sum");
}

inline std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  auto call = std::make_unique<Call>();
  call->name = function.name();
  call->parent = std::exchange(current, call.get());
  const std::lock_guard lock(mutex);
  ++seen.all[call->name];
  return call;
}

inline void end(const at::RecordFunction&, at::ObserverContext* context) {
  auto& call = *static_cast<Call*>(context);
  current = call.parent;
  const bool is_own = !call.has_computed && computes(call.name) && !is_of_the_cpu_alone(call);
  if (call.parent != nullptr) call.parent->has_computed |= is_own || call.has_computed;
  if (!is_own) return;
  const std::lock_guard lock(mutex);
  ++seen.computing[call.name];
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
