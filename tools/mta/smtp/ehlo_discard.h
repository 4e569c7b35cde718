/// Which EHLO keywords a client is not told of: smtpd_discard_ehlo_keywords and
/// smtpd_discard_ehlo_keyword_address_maps (postconf(5)).
///
///     Result<EhloDiscard> rules = EhloDiscard::open(context);
///     Result<DiscardedKeywords> keywords = rules->keywords_for("192.0.2.7");
#pragma once

#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libmaps/table_context.h"
#include "tools/mta/smtp/server_options.h"
#include "tools/mta/smtp/table_list.h"

namespace mta {

/// Movable; not thread-safe, as tables are not.
class EhloDiscard {
 public:
  EhloDiscard() = default;

  /// What `context` refers to must outlive the object. Errors: as Settings::get() and TableList::open().
  static libconf::Result<EhloDiscard> open(const libmaps::TableContext& context);

  /// Those for a client's address: what the tables have, else what is for all. Errors: as
  /// TableList::lookup().
  libconf::Result<DiscardedKeywords> keywords_for(std::string_view address);

 private:
  DiscardedKeywords for_all_;
  TableList by_address_;
};

}  // namespace mta
