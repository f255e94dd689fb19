#include "dist/rank_order_reduction.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

#include "dist/shared_reduction.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

// Scratch memory stays this small, and a segment is still in the cache when it is added up.
constexpr std::int64_t kSegmentBytes = std::int64_t{4} << 20;

// Below this, one exchange of everything is quicker than two of parts.
constexpr std::int64_t kSmallBytes = std::int64_t{8} << 10;

// As torch does, a NaN wins: a maximum must not hide the rank that diverged.
template <typename T>
bool is_nan(T value) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(value);
  return false;
}

template <typename Element, typename Sum, typename Combine>
void combine(const std::vector<const std::byte*>& parts,
             std::byte* out,
             std::int64_t elements,
             Combine op) {
  constexpr std::int64_t kBlock = 512;
  std::array<Sum, kBlock> total;
  auto* result = reinterpret_cast<Element*>(out);
  for (std::int64_t start = 0; start < elements; start += kBlock) {
    const std::int64_t count = std::min(kBlock, elements - start);
    for (std::size_t rank = 0; rank < parts.size(); ++rank) {
      const auto* part = reinterpret_cast<const Element*>(parts[rank]) + start;
      if (rank == 0) {
        for (std::int64_t i = 0; i < count; ++i) total[i] = static_cast<Sum>(part[i]);
      } else {
        for (std::int64_t i = 0; i < count; ++i) total[i] = op(total[i], static_cast<Sum>(part[i]));
      }
    }
    for (std::int64_t i = 0; i < count; ++i) result[start + i] = static_cast<Element>(total[i]);
  }
}

template <typename Element, typename Sum = Element>
void combine_as(const std::vector<const std::byte*>& parts,
                std::byte* out,
                std::int64_t elements,
                ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return combine<Element, Sum>(parts, out, elements, [](Sum a, Sum b) { return Sum(a + b); });
    case ReduceOp::kMax:
      return combine<Element, Sum>(
          parts, out, elements, [](Sum a, Sum b) { return a < b || is_nan(b) ? b : a; });
    case ReduceOp::kMin:
      return combine<Element, Sum>(
          parts, out, elements, [](Sum a, Sum b) { return b < a || is_nan(b) ? b : a; });
  }
}

/// One segment: each rank adds up one share of it and hands the result to all. With `shares` false
/// each adds up all of it.
void reduce_segment(Transport& transport,
                    Bytes segment,
                    at::ScalarType type,
                    ReduceOp op,
                    bool shares,
                    std::vector<std::byte>& scratch) {
  const int size = transport.size();
  const int rank = transport.rank();
  const auto width = static_cast<std::int64_t>(c10::elementSize(type));
  const std::int64_t elements = static_cast<std::int64_t>(segment.size()) / width;
  const auto share = [&](int r) {
    const std::int64_t first = shares ? elements * r / size : 0;
    const std::int64_t last = shares ? elements * (r + 1) / size : elements;
    return segment.subspan(first * width, (last - first) * width);
  };
  const Bytes mine = share(rank);

  std::vector<ConstBytes> send(size);
  std::vector<Bytes> receive(size);
  std::vector<const std::byte*> parts(size, mine.data());
  scratch.resize(std::max(scratch.size(), mine.size() * size));
  for (int r = 0; r < size; ++r) {
    if (r == rank) continue;
    send[r] = share(r);
    receive[r] = Bytes(scratch).subspan(mine.size() * r, mine.size());
    parts[r] = receive[r].data();
  }
  transport.exchange(send, receive);
  combine_in_rank_order(
      parts, mine.data(), static_cast<std::int64_t>(mine.size()) / width, type, op);
  if (!shares) return;

  for (int r = 0; r < size; ++r) {
    send[r] = mine;
    receive[r] = share(r);
  }
  transport.exchange(send, receive);
}

}  // namespace

bool can_reduce(at::ScalarType type) {
  constexpr std::array kTypes = {
      at::kFloat, at::kDouble, at::kLong, at::kInt, at::kByte, at::kBFloat16, at::kHalf};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

void combine_in_rank_order(const std::vector<const std::byte*>& parts,
                           std::byte* out,
                           std::int64_t elements,
                           at::ScalarType type,
                           ReduceOp op) {
  switch (type) {
    case at::kFloat:
      return combine_as<float>(parts, out, elements, op);
    case at::kDouble:
      return combine_as<double>(parts, out, elements, op);
    case at::kLong:
      return combine_as<std::int64_t>(parts, out, elements, op);
    case at::kInt:
      return combine_as<std::int32_t>(parts, out, elements, op);
    case at::kByte:
      return combine_as<std::uint8_t>(parts, out, elements, op);
    case at::kBFloat16:
      return combine_as<c10::BFloat16, float>(parts, out, elements, op);
    case at::kHalf:
      return combine_as<c10::Half, float>(parts, out, elements, op);
    default:
      STC_CHECK(false, "all_reduce does not know {}", c10::toString(type));
  }
}

void all_reduce_in_rank_order(
    Transport& transport, void* data, std::int64_t elements, at::ScalarType type, ReduceOp op) {
  if (SharedReduction* shared = transport.shared_reduction()) {
    return shared->all_reduce(data, elements, type, op);
  }
  const auto bytes = elements * static_cast<std::int64_t>(c10::elementSize(type));
  const Bytes whole(static_cast<std::byte*>(data), bytes);
  const bool shares = bytes > kSmallBytes;
  std::vector<std::byte> scratch;
  for (std::int64_t start = 0; start < bytes; start += kSegmentBytes) {
    const Bytes segment = whole.subspan(start, std::min(kSegmentBytes, bytes - start));
    reduce_segment(transport, segment, type, op, shares, scratch);
  }
}

}  // namespace stc::dist
