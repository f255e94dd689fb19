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
  while (step(take(1)[0])) {
  }
  return pop();
}

bool Unpickler::step(std::uint8_t code) {
  if (code == '.') return false;
  if (!step_value(code) && !step_text(code) && !step_container(code) && !step_addition(code) &&
      !step_memo(code) && !step_object(code))
    damaged(text("unknown opcode {}", int{code}));
  return true;
}

bool Unpickler::step_value(std::uint8_t code) {
  switch (code) {
    case 0x80:  // PROTO
      take(1);
      return true;
    case 0x95:  // FRAME
      take(8);
      return true;
    case 'N':
      push({});
      return true;
    case 0x88:
      push({true});
      return true;
    case 0x89:
      push({false});
      return true;
    case 'J':
      push({signed_number(4)});
      return true;
    case 'K':
      push({static_cast<std::int64_t>(number(1))});
      return true;
    case 'M':
      push({static_cast<std::int64_t>(number(2))});
      return true;
    case 0x8a:  // LONG1
      push({signed_number(number(1))});
      return true;
    case 'G': {
      std::uint64_t bits = 0;
      for (const auto byte : take(8)) bits = bits << 8 | byte;
      push({std::bit_cast<double>(bits)});
      return true;
    }
    default:
      return false;
  }
}

bool Unpickler::step_text(std::uint8_t code) {
  switch (code) {
    case 'X':  // BINUNICODE, BINSTRING, BINBYTES, and their short forms
    case 'T':
    case 'B':
      push({text_of(number(4))});
      return true;
    case 0x8c:
    case 'U':
    case 'C':
      push({text_of(number(1))});
      return true;
    default:
      return false;
  }
}

bool Unpickler::step_container(std::uint8_t code) {
  switch (code) {
    case '(':
      marks_.push_back(stack_.size());
      return true;
    case '0':
      pop();
      return true;
    case '1':
      pop_to_mark();
      return true;
    case '}':
      push({std::make_shared<PickleEntries>()});
      return true;
    case ']':
    case ')':
    case 0x8f:  // EMPTY_SET
      push(items_of({}));
      return true;
    case 't':
    case 'l':
      push(items_of(pop_to_mark()));
      return true;
    case 0x85:  // TUPLE1, TUPLE2, TUPLE3
    case 0x86:
    case 0x87: {
      PickleItems items(code - 0x84);
      for (auto item = items.rbegin(); item != items.rend(); ++item) *item = pop();
      push(items_of(std::move(items)));
      return true;
    }
    default:
      return false;
  }
}

bool Unpickler::step_addition(std::uint8_t code) {
  switch (code) {
    case 'a': {
      auto item = pop();
      add_items({std::move(item)});
      return true;
    }
    case 'e':
    case 0x90:  // ADDITEMS
      add_items(pop_to_mark());
      return true;
    case 's': {
      auto value = pop();
      auto key = pop();
      add_entries({std::move(key), std::move(value)});
      return true;
    }
    case 'u':
      add_entries(pop_to_mark());
      return true;
    default:
      return false;
  }
}

bool Unpickler::step_memo(std::uint8_t code) {
  switch (code) {
    case 'q':
      memoise(number(1));
      return true;
    case 'r':
      memoise(number(4));
      return true;
    case 0x94:
      memoise(memo_.size());
      return true;
    case 'h':
      recall(number(1));
      return true;
    case 'j':
      recall(number(4));
      return true;
    default:
      return false;
  }
}

bool Unpickler::step_object(std::uint8_t code) {
  switch (code) {
    case 'c': {
      const auto module = line();
      push({PickleGlobal{module + "." + line()}});
      return true;
    }
    case 0x93: {  // STACK_GLOBAL
      const auto attribute = pop(), module = pop();
      const auto *first = module.get_if<std::string>(), *last = attribute.get_if<std::string>();
      if (first == nullptr || last == nullptr) damaged("a global without a name");
      push({PickleGlobal{*first + "." + *last}});
      return true;
    }
    case 'R':     // REDUCE
    case 0x81: {  // NEWOBJ
      const auto arguments = pop(), function = pop();
      const auto* global = function.get_if<PickleGlobal>();
      const auto* items = arguments.items();
      push(global != nullptr && items != nullptr ? hooks_.call(global->name, *items)
                                                 : PickleValue{});
      return true;
    }
    case 'b':  // BUILD: attributes of an object, which nothing here has
      pop();
      return true;
    case 'Q': {
      const auto id = pop();
      if (id.items() == nullptr) damaged("a persistent id that is not a tuple");
      push(hooks_.persistent(*id.items()));
      return true;
    }
    default:
      return false;
  }
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
