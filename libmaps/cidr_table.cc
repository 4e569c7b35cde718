#include "libmaps/cidr_table.h"

#include <string>
#include <utility>
#include <vector>

#include "libconf/text.h"
#include "libmaps/cidr_index.h"
#include "libmaps/cidr_rules.h"
#include "libmaps/source_reader.h"

namespace libmaps {
namespace {

/// The rules of one address family, with an index from the time on when it pays.
template <class Address>
class Family {
 public:
  explicit Family(std::vector<CidrRule<Address>> rules)
      : rules_(std::move(rules)), scans_left_(rules_.size() <= kSmall ? -1 : kScansBeforeIndex) {}

  std::optional<CidrValue> find(Address address) {
    if (index_) return index_->find(address);
    if (scans_left_ > 0 && --scans_left_ == 0) index_ = CidrIndex<Address>::build(rules_);
    return find_linear(rules_, address);
  }

 private:
  /// Few rules are tried faster than an index is searched.
  static constexpr std::size_t kSmall = 8;
  /// To build the index takes longer than so many scans; where there were as many, more are likely.
  static constexpr int kScansBeforeIndex = 16;

  std::vector<CidrRule<Address>> rules_;
  int scans_left_;  ///< Negative: there is to be no index.
  std::optional<CidrIndex<Address>> index_;
};

class CidrTable final : public Table {
 public:
  CidrTable(std::string name, CidrRules rules)
      : Table(std::move(name)),
        ipv4_(std::move(rules.ipv4)),
        ipv6_(std::move(rules.ipv6)),
        texts_(std::move(rules.texts)) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    std::optional<CidrValue> value;
    if (const auto ipv4 = parse_ipv4(key))
      value = ipv4_.find(*ipv4);
    else if (const auto ipv6 = parse_ipv6(key))
      value = ipv6_.find(*ipv6);
    if (!value) return std::nullopt;
    return std::string(texts_.data() + *value);
  }

 private:
  Family<Ipv4Address> ipv4_;
  Family<Ipv6Address> ipv6_;
  std::string texts_;
};

}  // namespace

Result<std::unique_ptr<Table>> open_cidr(std::string_view name, const TableContext& context) {
  Result<SourceReader> source = SourceReader::open_rules("cidr", name);
  if (!source) return source.error();
  Result<CidrRules> rules = read_cidr_rules(*source, context.warnings, context.options.load_files);
  if (!rules) return rules.error();
  return std::make_unique<CidrTable>(libconf::concat("cidr:", name), std::move(*rules));
}

}  // namespace libmaps
