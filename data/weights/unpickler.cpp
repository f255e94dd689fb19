#include "data/weights/unpickler.h"

#include <algorithm>
#include <bit>

#include "monitoring/check.h"

namespace stc::data {
namespace {

PickleValue items_of(PickleItems items) {
  return {std::make_shared<PickleItems>(std::move(items))};
}

constexpr std::size_t kMaxMemos = std::size_t{1} << 24;

}  // namespace

const PickleItems* PickleValue::items() const {
  const auto* shared = get_if<std::shared_ptr<PickleItems>>();
  return shared != nullptr ? shared->get() : nullptr;
}

const PickleEntries* PickleValue::entries() const {
  const auto* shared = get_if<std::shared_ptr<PickleEntries>>();
  return shared != nullptr ? shared->get() : nullptr;
}

Unpickler::Unpickler(std::span<const std::uint8_t> bytes,
                     std::size_t position,
                     std::string name,
                     Hooks hooks)
    : bytes_(bytes), position_(position), name_(std::move(name)), hooks_(std::move(hooks)) {}

PickleValue Unpickler::read() {
  stack_.clear();
  marks_.clear();
  memo_.clear();
  for (auto code = take(1)[0]; code != '.'; code = take(1)[0]) {
    const auto step = kSteps.find(code);
    if (step == kSteps.end()) damaged(text("unknown opcode {}", int{code}));
    step->second(*this);
  }
  return pop();
}

const std::map<std::uint8_t, Unpickler::Step> Unpickler::kSteps = {
    {0x80, [](Unpickler& u) { u.take(1); }},  // PROTO
    {0x95, [](Unpickler& u) { u.take(8); }},  // FRAME
    {'N', [](Unpickler& u) { u.push({}); }},
    {0x88, [](Unpickler& u) { u.push({true}); }},
    {0x89, [](Unpickler& u) { u.push({false}); }},
    {'J', [](Unpickler& u) { u.push({u.signed_number(4)}); }},
    {'K', [](Unpickler& u) { u.push({static_cast<std::int64_t>(u.number(1))}); }},
    {'M', [](Unpickler& u) { u.push({static_cast<std::int64_t>(u.number(2))}); }},
    {0x8a, [](Unpickler& u) { u.push({u.signed_number(u.number(1))}); }},  // LONG1
    {'G', [](Unpickler& u) { u.push_double(); }},
    // BINUNICODE, BINSTRING, BINBYTES, and their short forms
    {'X', [](Unpickler& u) { u.push({u.text_of(u.number(4))}); }},
    {'T', [](Unpickler& u) { u.push({u.text_of(u.number(4))}); }},
    {'B', [](Unpickler& u) { u.push({u.text_of(u.number(4))}); }},
    {0x8c, [](Unpickler& u) { u.push({u.text_of(u.number(1))}); }},
    {'U', [](Unpickler& u) { u.push({u.text_of(u.number(1))}); }},
    {'C', [](Unpickler& u) { u.push({u.text_of(u.number(1))}); }},
    // Containers
    {'(', [](Unpickler& u) { u.marks_.push_back(u.stack_.size()); }},
    {'0', [](Unpickler& u) { u.pop(); }},
    {'1', [](Unpickler& u) { u.pop_to_mark(); }},
    {'}', [](Unpickler& u) { u.push({std::make_shared<PickleEntries>()}); }},
    {']', [](Unpickler& u) { u.push(items_of({})); }},
    {')', [](Unpickler& u) { u.push(items_of({})); }},
    {0x8f, [](Unpickler& u) { u.push(items_of({})); }},  // EMPTY_SET
    {'t', [](Unpickler& u) { u.push(items_of(u.pop_to_mark())); }},
    {'l', [](Unpickler& u) { u.push(items_of(u.pop_to_mark())); }},
    {0x85, [](Unpickler& u) { u.push(items_of(u.pop_last(1))); }},  // TUPLE1
    {0x86, [](Unpickler& u) { u.push(items_of(u.pop_last(2))); }},
    {0x87, [](Unpickler& u) { u.push(items_of(u.pop_last(3))); }},
    {'a', [](Unpickler& u) { u.add_items(u.pop_last(1)); }},
    {'e', [](Unpickler& u) { u.add_items(u.pop_to_mark()); }},
    {0x90, [](Unpickler& u) { u.add_items(u.pop_to_mark()); }},  // ADDITEMS
    {'s', [](Unpickler& u) { u.add_entries(u.pop_last(2)); }},
    {'u', [](Unpickler& u) { u.add_entries(u.pop_to_mark()); }},
    // Memo
    {'q', [](Unpickler& u) { u.memoise(u.number(1)); }},
    {'r', [](Unpickler& u) { u.memoise(u.number(4)); }},
    {0x94, [](Unpickler& u) { u.memoise(u.memo_.size()); }},
    {'h', [](Unpickler& u) { u.recall(u.number(1)); }},
    {'j', [](Unpickler& u) { u.recall(u.number(4)); }},
    // Objects
    {'c', [](Unpickler& u) { u.push_named_global(); }},
    {0x93, [](Unpickler& u) { u.push_stack_global(); }},
    {'R', [](Unpickler& u) { u.reduce(); }},
    {0x81, [](Unpickler& u) { u.reduce(); }},  // NEWOBJ
    {'b', [](Unpickler& u) { u.pop(); }},  // BUILD: attributes of an object, which nothing here has
    {'Q', [](Unpickler& u) { u.push_persistent(); }},
};

void Unpickler::push_double() {
  std::uint64_t bits = 0;
  for (const auto byte : take(8)) bits = bits << 8 | byte;
  push({std::bit_cast<double>(bits)});
}

void Unpickler::push_named_global() {
  const auto module = line();
  push({PickleGlobal{module + "." + line()}});
}

void Unpickler::push_stack_global() {
  const auto attribute = pop(), module = pop();
  const auto *first = module.get_if<std::string>(), *last = attribute.get_if<std::string>();
  if (first == nullptr || last == nullptr) damaged("a global without a name");
  push({PickleGlobal{*first + "." + *last}});
}

void Unpickler::reduce() {
  const auto arguments = pop(), function = pop();
  const auto* global = function.get_if<PickleGlobal>();
  const auto* items = arguments.items();
  push(global != nullptr && items != nullptr ? hooks_.call(global->name, *items) : PickleValue{});
}

void Unpickler::push_persistent() {
  const auto id = pop();
  if (id.items() == nullptr) damaged("a persistent id that is not a tuple");
  push(hooks_.persistent(*id.items()));
}

std::span<const std::uint8_t> Unpickler::take(std::uint64_t count) {
  if (count > bytes_.size() - position_) damaged("it is cut short");
  const auto taken = bytes_.subspan(position_, count);
  position_ += count;
  return taken;
}

std::uint64_t Unpickler::number(int bytes) {
  const auto taken = take(bytes);
  std::uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | taken[i];
  return value;
}

// Wider numbers lose their upper part; a file by torch.save holds one, whose value is known.
std::int64_t Unpickler::signed_number(std::uint64_t bytes) {
  const auto taken = take(bytes);
  const bool negative = bytes > 0 && (taken[bytes - 1] & 0x80) != 0;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < std::min<std::uint64_t>(bytes, 8); ++i) {
    value &= ~(std::uint64_t{0xff} << (8 * i));
    value |= std::uint64_t{taken[i]} << (8 * i);
  }
  return static_cast<std::int64_t>(value);
}

std::string Unpickler::text_of(std::uint64_t length) {
  const auto taken = take(length);
  return {taken.begin(), taken.end()};
}

std::string Unpickler::line() {
  std::string read;
  for (char c = static_cast<char>(take(1)[0]); c != '\n'; c = static_cast<char>(take(1)[0]))
    read += c;
  return read;
}

PickleValue Unpickler::pop() {
  if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back()))
    damaged("it takes more values than it holds");
  auto value = std::move(stack_.back());
  stack_.pop_back();
  return value;
}

PickleValue& Unpickler::top() {
  if (stack_.empty()) damaged("it takes more values than it holds");
  return stack_.back();
}

PickleItems Unpickler::pop_last(std::size_t count) {
  PickleItems items(count);
  for (auto item = items.rbegin(); item != items.rend(); ++item) *item = pop();
  return items;
}

PickleItems Unpickler::pop_to_mark() {
  if (marks_.empty()) damaged("a mark is missing");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  PickleItems items(std::make_move_iterator(begin), std::make_move_iterator(stack_.end()));
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

// What is added to an object of a foreign class is dropped with it.
void Unpickler::add_entries(const PickleItems& keys_and_values) {
  if (keys_and_values.size() % 2 != 0) damaged("a key without a value");
  const auto* entries = std::get_if<std::shared_ptr<PickleEntries>>(&top().held);
  if (entries == nullptr) return;
  for (std::size_t i = 0; i < keys_and_values.size(); i += 2)
    (*entries)->emplace_back(keys_and_values[i], keys_and_values[i + 1]);
}

void Unpickler::add_items(PickleItems added) {
  const auto* items = std::get_if<std::shared_ptr<PickleItems>>(&top().held);
  if (items == nullptr) return;
  for (auto& item : added) (*items)->push_back(std::move(item));
}

void Unpickler::memoise(std::uint64_t place) {
  if (place >= kMaxMemos) damaged("a memo that is out of bounds");
  if (place >= memo_.size()) memo_.resize(place + 1);
  memo_[place] = top();
}

void Unpickler::recall(std::uint64_t place) {
  if (place >= memo_.size()) damaged("a memo that does not exist");
  push(memo_[place]);
}

void Unpickler::damaged(const std::string& what) const {
  throw Error(Exit::kBadData, text("{}: damaged pickle at byte {}: {}", name_, position_, what));
}

}  // namespace stc::data
