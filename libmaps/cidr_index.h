/// Finds the first rule of a `cidr:` table that matches an address without trying them one after the other.
///
///     auto index = CidrIndex<Ipv4Address>::build(rules.ipv4);
///     std::optional<CidrValue> value = index ? index->find(address) : find_linear(rules.ipv4, address);
///
/// The rules, their negations and if-blocks included, divide the address space into segments with one answer
/// each. The index is the sorted list of them, with a table of where each combination of top bits begins.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "libmaps/cidr_rules.h"
#include "libmaps/ip_address.h"

namespace libmaps {

/// Immutable; thread-safe.
template <class Address>
class CidrIndex {
 public:
  /// Takes O(n log n). Nothing: nested negations cut the address space in so many pieces that an index would
  /// not pay; find_linear() then is the way.
  static std::optional<CidrIndex> build(const std::vector<CidrRule<Address>>& rules);

  /// What find_linear() finds.
  std::optional<CidrValue> find(Address address) const;

 private:
  /// From `first` up to the next segment.
  struct Segment {
    Address first;
    CidrValue value;
  };

  void add_segment(Address first, CidrValue value);

  std::vector<Segment> segments_;       ///< The first begins at address zero.
  std::vector<std::uint32_t> buckets_;  ///< For each value of the top bits, where its segments begin.
  int top_bits_ = 1;
};

extern template class CidrIndex<Ipv4Address>;
extern template class CidrIndex<Ipv6Address>;

}  // namespace libmaps
