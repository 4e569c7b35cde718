#include "libmaps/cidr_index.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>

namespace libmaps {
namespace {

constexpr CidrValue kNoValue = std::numeric_limits<CidrValue>::max();

/// Both ends belong to it.
template <class Address>
struct Interval {
  Address first;
  Address last;
};

/// Addresses that `rule` matches where no earlier rule does.
template <class Address>
struct Span {
  Address first;
  Address last;
  std::uint32_t rule = 0;
};

template <class Address>
constexpr Address kHighest = ~Address{};

/// Calls `emit` for each interval, in ascending order, of the addresses in `scope` that match `rule`. `scope`
/// is sorted, and its intervals are disjoint.
template <class Address, class Emit>
void intersect(const std::vector<Interval<Address>>& scope, const CidrRule<Address>& rule, Emit emit) {
  const auto emit_part = [&](Interval<Address> part) {
    auto at = std::partition_point(scope.begin(), scope.end(),
                                   [&](const auto& interval) { return interval.last < part.first; });
    for (; at != scope.end() && at->first <= part.last; ++at)
      emit(Interval<Address>{std::max(at->first, part.first), std::min(at->last, part.last)});
  };
  const Interval<Address> network = {rule.network.address, rule.network.last()};
  if (!rule.is_negated) return emit_part(network);
  if (network.first != Address{}) emit_part({Address{}, previous(network.first)});
  if (network.last != kHighest<Address>) emit_part({next(network.last), kHighest<Address>});
}

/// The spans of all rules. Nothing: there are too many.
template <class Address>
std::optional<std::vector<Span<Address>>> flatten(const std::vector<CidrRule<Address>>& rules) {
  // Rules have one or two spans unless blocks with negated conditions nest deeply.
  const std::size_t most_intervals = 4 * rules.size() + 65536;
  struct Scope {
    std::vector<Interval<Address>> intervals;
    std::size_t end;
  };
  std::vector<Scope> scopes;
  scopes.push_back({{{Address{}, kHighest<Address>}}, rules.size()});
  std::vector<Span<Address>> spans;
  spans.reserve(rules.size());
  std::size_t in_conditions = 0;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    while (scopes.back().end == i) scopes.pop_back();
    const CidrRule<Address>& rule = rules[i];
    if (rule.is_if) {
      std::vector<Interval<Address>> intervals;
      intersect(scopes.back().intervals, rule, [&](Interval<Address> part) { intervals.push_back(part); });
      in_conditions += intervals.size();
      scopes.push_back({std::move(intervals), rule.value});
    } else {
      intersect(scopes.back().intervals, rule, [&](Interval<Address> part) {
        spans.push_back({part.first, part.last, static_cast<std::uint32_t>(i)});
      });
    }
    if (spans.size() + in_conditions > most_intervals) return std::nullopt;
  }
  return spans;
}

std::size_t top(Ipv4Address address, int bits) { return address.bits >> (32 - bits); }
std::size_t top(Ipv6Address address, int bits) { return address.high >> (64 - bits); }

/// So many top bits that evenly spread addresses come in buckets of a cache line or two.
int top_bits_for(std::size_t count) {
  constexpr int kMostBits = 20;
  return std::clamp(static_cast<int>(std::bit_width(count)) - 2, 1, kMostBits);
}

/// For each value of the top bits, how many of the items have a smaller one; and the number of all.
template <class Item>
std::vector<std::uint32_t> bucket_starts(const std::vector<Item>& items, int bits) {
  std::vector<std::uint32_t> starts((std::size_t{1} << bits) + 1);
  for (const Item& item : items) ++starts[top(item.first, bits) + 1];
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  return starts;
}

/// Sorts by the first address: bucket by bucket, which takes a third of the time of one sort where addresses
/// are evenly spread.
template <class Address>
void sort(std::vector<Span<Address>>& spans) {
  const auto is_before = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (std::is_sorted(spans.begin(), spans.end(), is_before)) return;
  const int bits = top_bits_for(spans.size());
  std::vector<std::uint32_t> ends = bucket_starts(spans, bits);
  std::vector<Span<Address>> sorted(spans.size());
  for (const Span<Address>& span : spans) sorted[ends[top(span.first, bits)]++] = span;
  auto start = sorted.begin();
  for (const std::uint32_t end : ends) {
    const auto stop = sorted.begin() + end;
    std::sort(start, stop, is_before);
    start = stop;
  }
  spans = std::move(sorted);
}

/// The spans that hold the current address, and some that ended: the one with the first rule is in front.
template <class Address>
class OpenSpans {
 public:
  void add(const Span<Address>& span) {
    const bool is_hidden = !heap_.empty() && front().rule < span.rule && front().last >= span.last;
    if (is_hidden) return;
    heap_.push_back(span);
    std::push_heap(heap_.begin(), heap_.end(), is_later);
  }
  void drop_before(Address address) {
    while (!heap_.empty() && front().last < address) {
      std::pop_heap(heap_.begin(), heap_.end(), is_later);
      heap_.pop_back();
    }
  }
  bool empty() const { return heap_.empty(); }
  const Span<Address>& front() const { return heap_.front(); }

 private:
  static bool is_later(const Span<Address>& a, const Span<Address>& b) { return a.rule > b.rule; }

  std::vector<Span<Address>> heap_;
};

}  // namespace

template <class Address>
std::optional<CidrIndex<Address>> CidrIndex<Address>::build(const std::vector<CidrRule<Address>>& rules) {
  std::optional<std::vector<Span<Address>>> spans = flatten(rules);
  if (!spans) return std::nullopt;
  sort(*spans);

  CidrIndex index;
  OpenSpans<Address> open;
  Address at{};
  for (auto span = spans->begin();;) {
    for (; span != spans->end() && span->first <= at; ++span) open.add(*span);
    open.drop_before(at);
    index.add_segment(at, open.empty() ? kNoValue : rules[open.front().rule].value);
    // The next place where the answer may be another one.
    const bool is_last = open.empty() || open.front().last == kHighest<Address>;
    if (span != spans->end() && (open.empty() || span->first <= open.front().last))
      at = span->first;
    else if (is_last)
      break;
    else
      at = next(open.front().last);
  }
  index.top_bits_ = top_bits_for(index.segments_.size());
  index.buckets_ = bucket_starts(index.segments_, index.top_bits_);
  return index;
}

template <class Address>
void CidrIndex<Address>::add_segment(Address first, CidrValue value) {
  if (segments_.empty() || segments_.back().value != value) segments_.push_back({first, value});
}

template <class Address>
std::optional<CidrValue> CidrIndex<Address>::find(Address address) const {
  const std::size_t bucket = top(address, top_bits_);
  const auto begin = segments_.begin();
  const auto behind = std::upper_bound(begin + buckets_[bucket], begin + buckets_[bucket + 1], address,
                                       [](Address a, const Segment& segment) { return a < segment.first; });
  const CidrValue value = std::prev(behind)->value;
  return value == kNoValue ? std::nullopt : std::optional(value);
}

template class CidrIndex<Ipv4Address>;
template class CidrIndex<Ipv6Address>;

}  // namespace libmaps
