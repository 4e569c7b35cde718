// cidr: tables: the index answers as a scan does, at and beside the ends of every network of the input.
#include "libmaps/cidr_index.h"
#include "libmaps/cidr_rules.h"
#include "tests/fuzz/property.h"

namespace {

template <class Address>
void require_same(const std::vector<libmaps::CidrRule<Address>>& rules) {
  const auto index = libmaps::CidrIndex<Address>::build(rules);
  if (!index) return;
  for (const libmaps::CidrRule<Address>& rule : rules)
    for (const Address end : {rule.network.address, rule.network.last()})
      for (const Address key : {previous(end), end, next(end)})
        require(index->find(key) == find_linear(rules, key), "index and scan agree");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  libmaps::SourceReader reader = libmaps::SourceReader::from_text("t", std::string(as_text(data, size)));
  libconf::DiagnosticDiscard discard;
  const auto rules = libmaps::read_cidr_rules(reader, discard);
  require(rules.has_value(), "small tables are read");
  require_same(rules->ipv4);
  require_same(rules->ipv6);
  return 0;
}
