#include "tools/mta/delivery/reply_filter.h"

#include "libconf/text.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {

using libconf::concat;

Result<std::unique_ptr<ReplyFilter>> ReplyFilter::open(std::string_view protocol,
                                                       const libmaps::TableContext& context) {
  Result<std::string> spec = context.settings.get(concat(protocol, "reply_filter"));
  if (!spec) return spec.error();
  if (spec->empty()) return std::unique_ptr<ReplyFilter>();
  auto table = open_table(*spec, context);
  if (!table) return table.error();
  return std::unique_ptr<ReplyFilter>(new ReplyFilter(std::move(*spec), std::move(*table)));
}

Result<std::optional<std::string>> ReplyFilter::replacement(std::string_view line) {
  auto found = table_->lookup(line);
  if (found) return std::move(*found);
  return Error{.kind = found.error().kind, .message = concat("table ", spec_, " lookup error for ", line)};
}

Result<std::optional<std::string>> SessionLines::replacement(std::string_view line) {
  transcript_.received(line);
  if (filter_ == nullptr) return std::optional<std::string>();
  auto found = filter_->replacement(line);
  if (!found) {
    log_.write(tag_, Severity::kWarning, concat(queue_id_, ": ", found.error().message));
  } else if (*found) {
    log_.write(tag_, Severity::kInfo,
               concat(server_.relay(), ": replacing server reply \"", line, "\" with \"", **found, "\""));
  }
  return found;
}

void SessionLines::note_stray_line(std::string_view line) {
  constexpr std::size_t kShown = 100;
  transcript_.note(ErrorClass::kProtocol);
  if (!is_pipelined_) return;
  const bool is_lmtp = protocol_ == ClientProtocol::kLmtp;
  log_.write(tag_, Severity::kWarning,
             concat(queue_id_, ": non-", is_lmtp ? "LMTP" : "ESMTP", " response from ", server_.relay(), ": ",
                    line.substr(0, kShown)));
  log_.write(
      tag_, Severity::kWarning,
      concat("to prevent loss of mail, turn off command pipelining for ", server_.address, " with the ",
             is_lmtp ? "lmtp_discard_lhlo" : "smtp_discard_ehlo", "_keyword_address_maps parameter"));
}

}  // namespace mta
