/// What a site does to refusals on their way to the client: soft_bounce, smtpd_reject_filter_maps,
/// smtpd_reject_footer and smtpd_reject_footer_maps (postconf(5)).
///
///     Result<RejectReplies> replies = RejectReplies::open(settings, context);
///     replies->finish(reply, attributes, sink);
#pragma once

#include <string>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libmaps/table_context.h"
#include "tools/mta/smtp/reply.h"
#include "tools/mta/smtp/table_list.h"

namespace mta {

/// Movable; not thread-safe, as tables are not.
class RejectReplies {
 public:
  RejectReplies() = default;

  /// What `context` refers to must outlive the object. Errors: as Settings::get_bool() and TableList::open().
  static libconf::Result<RejectReplies> open(const libmaps::TableContext& context);

  /// Changes a 4xx or 5xx reply in this order: soft_bounce makes it temporary; what the filter has for the
  /// complete reply takes its place; the footer comes behind. What cannot be done is warned of, and left out.
  void finish(Reply& reply, const FooterAttributes& attributes, libconf::DiagnosticSink& sink);

 private:
  void filter(Reply& reply, libconf::DiagnosticSink& sink);

  bool is_soft_ = false;
  TableList filters_;
  TableList footers_;
  std::string footer_;
  std::string expansion_filter_;
};

/// Reads "550 5.1.1 text", a 4xx or 5xx reply of one line; the enhanced status may be missing. Nothing: it is
/// none, or its status contradicts its code. Pure; thread-safe.
std::optional<Reply> parse_refusal(std::string_view text);

}  // namespace mta
