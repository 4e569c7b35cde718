#include "tools/mta/smtp/reject_replies.h"

#include <algorithm>
#include <optional>

#include "libconf/text.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {

using libconf::concat;
using libconf::Result;

std::optional<Reply> parse_refusal(std::string_view text) {
  constexpr std::size_t kCodeSize = 3;
  if (text.size() < kCodeSize + 2 || text[kCodeSize] != ' ') return std::nullopt;
  int code = 0;
  for (const char c : text.substr(0, kCodeSize)) {
    if (c < '0' || c > '9') return std::nullopt;
    code = code * 10 + (c - '0');
  }
  if (code < 400 || code > 599) return std::nullopt;
  const auto skip_blanks = [&text] {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  };
  text.remove_prefix(kCodeSize);
  skip_blanks();
  const std::size_t length = status_length(text);
  const std::string_view status = text.substr(0, length);
  // A status of another class would contradict the code.
  if (length > 0 && status.front() - '0' != code / 100) return std::nullopt;
  text.remove_prefix(length);
  skip_blanks();
  if (text.empty()) return std::nullopt;
  return Reply(code, status, text);
}

Result<RejectReplies> RejectReplies::open(const libmaps::TableContext& context) {
  RejectReplies replies;
  const Result<bool> is_soft = context.settings.get_bool("soft_bounce");
  if (!is_soft) return is_soft.error();
  replies.is_soft_ = *is_soft;
  // Their $names are not those of main.cf.
  replies.footer_ = context.settings.value_of("smtpd_reject_footer").value_or("");
  replies.expansion_filter_ = context.settings.value_of("smtpd_expansion_filter").value_or("");
  const struct {
    std::string_view parameter;
    TableList& list;
  } tables[] = {{"smtpd_reject_filter_maps", replies.filters_},
                {"smtpd_reject_footer_maps", replies.footers_}};
  for (const auto& [parameter, list] : tables) {
    Result<TableList> opened = TableList::open(parameter, context);
    if (!opened) return opened.error();
    list = std::move(*opened);
  }
  return replies;
}

void RejectReplies::filter(Reply& reply, libconf::DiagnosticSink& sink) {
  if (filters_.is_empty()) return;
  const std::string text = reply.to_string();
  const Result<std::optional<std::string>> found = filters_.lookup(text);
  if (!found) return sink.warn("reject-filter", found.error().message);
  if (!*found) return;
  const std::optional<Reply> replacement = parse_refusal(**found);
  // What refuses must not become what accepts.
  if (!replacement)
    return sink.warn("reject-filter", concat("smtpd_reject_filter_maps: bad SMTP response \"", **found,
                                             "\" for \"", text, "\""));
  reply = *replacement;
}

void RejectReplies::finish(Reply& reply, const FooterAttributes& attributes, libconf::DiagnosticSink& sink) {
  if (!reply.is_error()) return;
  if (is_soft_) reply = softened(std::move(reply));
  filter(reply, sink);
  std::string footer = footer_;
  if (!footers_.is_empty()) {
    Result<std::optional<std::string>> found = footers_.lookup(reply.to_string());
    if (!found) {
      sink.warn("reject-footer", found.error().message);
    } else if (*found) {
      footer = std::move(**found);
    }
  }
  if (footer.empty()) return;
  // A template that is malformed is told of by its expansion, and left out.
  [[maybe_unused]] const Result<void> applied =
      ReplyFooter(footer, expansion_filter_).apply(reply, attributes, sink);
}

}  // namespace mta
