// cidr: tables.
#include <array>
#include <map>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "libconf/text.h"
#include "libmaps/network_pattern.h"
#include "libmaps/source_reader.h"
#include "tools/postlint/table_scan.h"

namespace postlint {
namespace {

using libconf::concat;
using libmaps::IpNetwork;

template <class Address>
struct AddressHash {
  std::size_t operator()(Address address) const {
    if constexpr (Address::kBits == 32)
      return std::hash<std::uint64_t>()(address.bits * 0x9E3779B97F4A7C15U);
    else
      return std::hash<std::uint64_t>()((address.high ^ (address.low * 31)) * 0x9E3779B97F4A7C15U);
  }
};

template <class Address>
bool is_within(const IpNetwork<Address>& inner, const IpNetwork<Address>& outer) {
  return inner.length >= outer.length && outer.contains(inner.address);
}

/// The address whose bit number `length - 1` is the other one.
libmaps::Ipv4Address sibling(libmaps::Ipv4Address address, int length) {
  return {address.bits ^ (std::uint32_t{1} << (32 - length))};
}
libmaps::Ipv6Address sibling(libmaps::Ipv6Address address, int length) {
  if (length <= 64) return {address.high ^ (std::uint64_t{1} << (64 - length)), address.low};
  return {address.high, address.low ^ (std::uint64_t{1} << (128 - length))};
}

/// What the rules so far answer for all of a network, wherever in it an address is.
struct Answer {
  int line;               ///< Of the rule that covers it, or of one of them.
  std::size_t value;      ///< The hash of its text.
  bool is_mixed = false;  ///< Several rules cover it together.
};

/// Which networks are covered. Two halves of a network that are covered cover it, so that the union of any
/// rules is found.
template <class Address>
class Coverage {
 public:
  const Answer* find(const IpNetwork<Address>& network) const {
    for (int length = 0; length <= network.length; ++length) {
      const auto& networks = networks_[static_cast<std::size_t>(length)];
      if (networks.empty()) continue;
      const auto found = networks.find(network.address & prefix_mask(network.address, length));
      if (found != networks.end()) return &found->second;
    }
    return nullptr;
  }

  void add(IpNetwork<Address> network, Answer answer) {
    while (true) {
      networks_[network.length].emplace(network.address, answer);
      if (network.length == 0) return;
      const IpNetwork<Address> other{sibling(network.address, network.length), network.length};
      const Answer* half = find(other);
      if (half == nullptr) return;
      if (half->line != answer.line) answer.is_mixed = answer.is_mixed || half->value != answer.value;
      --network.length;
      network.address = network.address & prefix_mask(network.address, network.length);
    }
  }

 private:
  std::array<std::unordered_map<Address, Answer, AddressHash<Address>>, Address::kBits + 1> networks_;
};

class NetworkScan {
 public:
  NetworkScan(TableFaults& faults, ValueCheck& values) : faults_(faults), values_(values) {}

  void read(const libmaps::SourceLine& line);
  void finish();

 private:
  /// An `if` whose ENDIF has not come.
  struct Block {
    int line;
    std::optional<libmaps::NetworkPattern> network;  ///< Nothing: it is negated, or malformed.
  };

  template <class Address>
  void take(const IpNetwork<Address>& network, std::string_view value, Coverage<Address>& coverage);

  TableFaults& faults_;
  ValueCheck& values_;
  int line_ = 0;
  std::vector<Block> open_;
  Coverage<libmaps::Ipv4Address> ipv4_;
  Coverage<libmaps::Ipv6Address> ipv6_;
};

bool take_keyword(std::string_view& text, std::string_view keyword) {
  if (text.size() < keyword.size() || !libconf::equals_ignoring_case(text.substr(0, keyword.size()), keyword))
    return false;
  const std::string_view rest = text.substr(keyword.size());
  if (!rest.empty() && !libconf::is_space(rest[0]) && rest[0] != '!') return false;
  text = libconf::trim_left(rest);
  return true;
}

void NetworkScan::read(const libmaps::SourceLine& line) {
  line_ = line.first;
  std::string_view text = libconf::trim(line.text);
  if (text.empty()) return;
  const auto complain = [&](std::string message) {
    faults_.add(TableFaultKind::kSyntax, line_, std::move(message));
  };
  if (take_keyword(text, "endif")) {
    if (open_.empty()) return complain("ENDIF without IF");
    open_.pop_back();
    return;
  }
  const bool is_if = take_keyword(text, "if");
  bool is_negated = false;
  for (; text.starts_with('!'); text = libconf::trim_left(text.substr(1))) is_negated = !is_negated;
  const std::string_view word = text.substr(0, text.find_first_of(libconf::kBlanks));
  const std::string_view value = libconf::trim_left(text.substr(word.size()));
  const auto pattern = libmaps::parse_network_pattern(word);
  if (is_if) open_.push_back({line_, std::nullopt});
  if (!pattern) return complain(pattern.error().message);
  if (is_if) {
    if (!is_negated) open_.back().network = *pattern;
    return;
  }
  if (value.empty()) return complain("no lookup result");
  values_.check(
      value, [&](TableFaultKind kind, std::string message) { faults_.add(kind, line_, std::move(message)); });
  if (is_negated) return;  // It covers all but a network: rules behind it are for that one.
  if (const auto* network = std::get_if<IpNetwork<libmaps::Ipv4Address>>(&*pattern))
    take(*network, value, ipv4_);
  else
    take(std::get<IpNetwork<libmaps::Ipv6Address>>(*pattern), value, ipv6_);
}

template <class Address>
void NetworkScan::take(const IpNetwork<Address>& network, std::string_view value,
                       Coverage<Address>& coverage) {
  IpNetwork<Address> effective = network;
  bool is_known = true;  // Whether all of it gets here: what a negated IF lets through is no network.
  for (const Block& block : open_) {
    is_known = is_known && block.network;
    if (!block.network) continue;
    const auto* around = std::get_if<IpNetwork<Address>>(&*block.network);
    if (around == nullptr || (!is_within(effective, *around) && !is_within(*around, effective)))
      return faults_.add(TableFaultKind::kShadowed, line_,
                         concat("the IF in line ", std::to_string(block.line), " keeps this network out"));
    if (is_within(*around, effective)) effective = *around;
  }
  const std::size_t hash = std::hash<std::string_view>()(value);
  const Answer* answer = coverage.find(effective);
  if (answer == nullptr) {
    if (is_known) coverage.add(effective, {line_, hash});
    return;
  }
  // A rule that says the same again does no harm, and lists of networks have many.
  if (answer->value == hash && !answer->is_mixed) return;
  if (!faults_.wants(TableFaultKind::kShadowed)) return faults_.count(TableFaultKind::kShadowed);
  faults_.add(
      TableFaultKind::kShadowed, line_,
      concat("line ", std::to_string(answer->line), answer->is_mixed ? " and others match" : " matches",
             " all of this network, with another result"));
}

void NetworkScan::finish() {
  for (const Block& block : open_)
    faults_.add(TableFaultKind::kSyntax, block.line, "IF has no matching ENDIF");
}

}  // namespace

void scan_networks(const SiteModel& site, const TableJob& job, TableFaults& faults) {
  auto reader = libmaps::SourceReader::open_file(faults.file());
  if (!reader) return;
  ValueCheck values(site, job);
  NetworkScan scan(faults, values);
  while (const auto line = reader->next()) {
    if (line->is_orphan())
      faults.add(TableFaultKind::kSyntax, line->first,
                 "the line starts with white space, and continues nothing");
    else
      scan.read(*line);
  }
  scan.finish();
}

}  // namespace postlint
