#include "tools/mta/smtp/ehlo_discard.h"

namespace mta {

using libconf::Result;

Result<EhloDiscard> EhloDiscard::open(const libmaps::TableContext& context) {
  const Result<std::string> for_all = context.settings.get("smtpd_discard_ehlo_keywords");
  if (!for_all) return for_all.error();
  Result<TableList> by_address = TableList::open("smtpd_discard_ehlo_keyword_address_maps", context);
  if (!by_address) return by_address.error();
  EhloDiscard discard;
  discard.for_all_ = DiscardedKeywords::parse(*for_all);
  discard.by_address_ = std::move(*by_address);
  return discard;
}

Result<DiscardedKeywords> EhloDiscard::keywords_for(std::string_view address) {
  const Result<std::optional<std::string>> found = by_address_.lookup(address);
  if (!found) return found.error();
  if (*found) return DiscardedKeywords::parse(**found);
  return for_all_;
}

}  // namespace mta
