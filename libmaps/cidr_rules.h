/// The rules of a `cidr:` table, in order (cidr_table(5)).
///
///     CidrRules rules = read_cidr_rules(reader, warnings);
///     if (const CidrValue value = rules.ipv4.find(address)) return std::string(rules.text(value));
///
/// The two address families never match one another, not even by negation: each has rules of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libmaps/ip_address.h"
#include "libmaps/source_reader.h"

namespace libmaps {

/// A value, as the place of its text in CidrRules.
using CidrValue = std::uint32_t;

/// One `pattern value` or `if pattern`.
template <class Address>
struct CidrRule {
  IpNetwork<Address> network;
  bool is_negated = false;
  bool is_if = false;
  std::uint32_t value = 0;  ///< A CidrValue; for an `if`, the number of the first rule behind its block.

  bool matches(Address address) const { return network.contains(address) != is_negated; }
};

/// The value of the first rule that matches: the meaning of the table, and the measure for any index.
template <class Address>
std::optional<CidrValue> find_linear(const std::vector<CidrRule<Address>>& rules, Address address) {
  for (std::size_t i = 0; i < rules.size();) {
    const CidrRule<Address>& rule = rules[i];
    const bool matches = rule.matches(address);
    if (rule.is_if) {
      i = matches ? i + 1 : rule.value;
    } else if (matches) {
      return rule.value;
    } else {
      ++i;
    }
  }
  return std::nullopt;
}

struct CidrRules {
  std::vector<CidrRule<Ipv4Address>> ipv4;
  std::vector<CidrRule<Ipv6Address>> ipv6;
  std::string texts;  ///< The values, each with a NUL at its end.

  const char* text(CidrValue value) const { return texts.data() + value; }
};

/// Reads all rules. What is wrong with one is reported, and the rule skipped. Errors: kUnsupported for a
/// table that is too large: 500 million rules, or 512 MiB of values.
libconf::Result<CidrRules> read_cidr_rules(SourceReader& source, libconf::DiagnosticSink& warnings,
                                           bool load_files = false);

}  // namespace libmaps
