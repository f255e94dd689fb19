// Python's pickle format as far as files by torch.save use it. No code that a file names is run:
// what is not a plain value, list or dict is left to the caller, who knows a few by name.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace stc::data {

struct PickleValue;
using PickleItems = std::vector<PickleValue>;
using PickleEntries = std::vector<std::pair<PickleValue, PickleValue>>;

struct PickleGlobal {
  std::string name;  ///< "module.attribute"
};

/// None, and all that is not understood, is the monostate. Lists, tuples and sets are items; both
/// containers are shared, as a pickle refers to one more than once.
struct PickleValue {
  std::variant<std::monostate,
               bool,
               std::int64_t,
               double,
               std::string,
               PickleGlobal,
               at::Tensor,
               std::shared_ptr<PickleItems>,
               std::shared_ptr<PickleEntries>>
      held;

  template <typename T>
  const T* get_if() const {
    return std::get_if<T>(&held);
  }
  const PickleItems* items() const;      ///< null if it is none
  const PickleEntries* entries() const;  ///< null if it is none
};

class Unpickler {
 public:
  /// `persistent` gives the value of a persistent id, `call` that of calling a global.
  struct Hooks {
    std::function<PickleValue(const PickleItems& id)> persistent;
    std::function<PickleValue(const std::string& global, const PickleItems& arguments)> call;
  };
  /// Reads from `position` of `bytes` on. `name` begins errors.
  Unpickler(std::span<const std::uint8_t> bytes,
            std::size_t position,
            std::string name,
            Hooks hooks);

  /// The value of one pickle. Throws stc::Error (kBadData) if it is cut short or damaged.
  PickleValue read();
  std::size_t position() const { return position_; }  ///< behind what was read

 private:
  using Step = void (*)(Unpickler&);
  static const std::map<std::uint8_t, Step> kSteps;  ///< by opcode

  void push_double();
  void push_named_global();
  void push_stack_global();
  void push_persistent();
  void reduce();

  std::span<const std::uint8_t> take(std::uint64_t count);
  std::uint64_t number(int bytes);
  std::int64_t signed_number(std::uint64_t bytes);
  std::string text_of(std::uint64_t length);
  std::string line();
  void push(PickleValue value) { stack_.push_back(std::move(value)); }
  PickleValue pop();
  PickleValue& top();
  PickleItems pop_last(std::size_t count);
  PickleItems pop_to_mark();
  void add_entries(const PickleItems& keys_and_values);
  void add_items(PickleItems items);
  void memoise(std::uint64_t place);
  void recall(std::uint64_t place);
  [[noreturn]] void damaged(const std::string& what) const;

  std::span<const std::uint8_t> bytes_;
  std::size_t position_;
  std::string name_;
  Hooks hooks_;
  std::vector<PickleValue> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickleValue> memo_;
};

}  // namespace stc::data
