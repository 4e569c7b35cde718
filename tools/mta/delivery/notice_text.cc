#include "tools/mta/delivery/notice_text.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/content/mail_date.h"
#include "tools/mta/delivery/folded_text.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

/// Ends the reading of a message; nobody sees it.
Error enough() { return {.kind = ErrorKind::kUnsupported, .message = {}}; }

std::time_t to_time(QueueTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// Calls `line` for the headers of a message, lines of folds and all; it returns false to end that.
Result<void> read_headers(QueueFileReader& reader, std::uint64_t content_offset,
                          const std::function<bool(std::string_view text, bool ends_line)>& line) {
  bool is_at_start = true;
  bool is_over = false;
  const Result<void> read =
      read_content(reader, content_offset, [&](std::string_view text, bool ends_line) -> Result<void> {
        is_over = is_at_start && ends_line && text.empty();
        is_at_start = ends_line;
        if (!is_over) is_over = !line(text, ends_line);
        return is_over ? Result<void>(enough()) : Result<void>();
      });
  return is_over ? Result<void>() : read;
}

}  // namespace

NoticeText::NoticeText(const NoticeFormat& format, const NoticeSubject& subject, const NoticePage& page,
                       ContentSink& sink)
    : format_(format),
      subject_(subject),
      page_(page),
      sink_(sink),
      sender_(subject.sender.empty() ? concat("MAILER-DAEMON@", format.myhostname)
                                     : quote_address(subject.sender)),
      boundary_(concat(subject.queue_id, ".", std::to_string(page.now), "/", format.myhostname)),
      encoding_(format.is_utf8_enabled ? std::string_view("8bit") : std::string_view(subject.encoding)),
      part_encoding_(encoding_ == "7bit" ? "" : encoding_),
      is_utf8_((subject.send_options & kUtf8Requested) != 0) {}

void NoticeText::text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void NoticeText::folded(std::string_view text) {
  for_each_folded(text, {}, [this](std::string_view each) { line(each); });
}

void NoticeText::part(std::string_view description, std::string_view type, std::string_view encoding) {
  line(concat("--", boundary_));
  line(concat("Content-Description: ", description));
  line(concat("Content-Type: ", type));
  if (!encoding.empty()) line(concat("Content-Transfer-Encoding: ", encoding));
  line("");
}

void NoticeText::begin() {
  write_headers();
  write_explanation();
  write_report();
}

void NoticeText::write_headers() {
  const libconf::BounceTemplate& design = *page_.design;
  line(concat("Date: ", mail_date(page_.now)));
  line(concat("From: ", design.from));
  line(concat("Subject: ",
              page_.reader == NoticeReader::kPostmaster ? design.postmaster_subject : design.subject));
  line(concat("To: ", quote_address(page_.to)));
  if (!page_.message_id.empty()) {
    line(concat("References: ", page_.message_id));
    line(concat("In-Reply-To: ", page_.message_id));
  }
  line(page_.reader == NoticeReader::kPostmaster ? "Auto-Submitted: auto-generated"
                                                 : "Auto-Submitted: auto-replied");
  line("MIME-Version: 1.0");
  line("Content-Type: multipart/report; report-type=delivery-status;");
  line(concat("\tboundary=\"", boundary_, "\""));
  if (!encoding_.empty()) line(concat("Content-Transfer-Encoding: ", encoding_));
  line("");
  line("This is a MIME-encapsulated message.");
  line("");
}

void NoticeText::write_explanation() {
  // Names and addresses may not be ASCII.
  const bool is_changed =
      encoding_ == "8bit" && libconf::equals_ignoring_case(page_.design->charset, "us-ascii");
  part("Notification", concat("text/plain; charset=", is_changed ? "utf-8" : page_.design->charset),
       part_encoding_);
  text(page_.text);
  line("");
  for (const NoticeEntry& entry : page_.entries) {
    std::string head = concat("<", entry.address, ">");
    if (!entry.original.empty()) head += concat(" (expanded from <", entry.original, ">)");
    folded(concat(head, ": ", entry.reason));
    line("");
  }
}

std::string NoticeText::typed(std::string_view address) const {
  const bool is_utf8 = is_utf8_ && !libconf::is_ascii(address);
  return concat(is_utf8 ? "utf-8; " : "rfc822; ", address);
}

void NoticeText::write_report() {
  part("Delivery report", is_utf8_ ? "message/global-delivery-status" : "message/delivery-status",
       is_utf8_ ? part_encoding_ : "");
  line(concat("Reporting-MTA: dns; ", format_.myhostname));
  if (!subject_.envelope_id.empty()) line(concat("Original-Envelope-Id: ", subject_.envelope_id));
  line(concat("X-", format_.mail_name, "-Queue-ID: ", subject_.queue_id));
  line(concat("X-", format_.mail_name, "-Sender: rfc822; ", sender_));
  line(concat("Arrival-Date: ", mail_date(to_time(subject_.arrival))));
  for (const NoticeEntry& entry : page_.entries) write_recipient(entry);
  line("");
}

void NoticeText::write_recipient(const NoticeEntry& entry) {
  line("");
  line(concat("Final-Recipient: ", typed(entry.address)));
  if (!entry.dsn_original.empty()) {
    line(concat("Original-Recipient: ", entry.dsn_original));
  } else if (!entry.original.empty()) {
    line(concat("Original-Recipient: ", typed(entry.original)));
  }
  line(concat("Action: ", entry.action));
  line(concat("Status: ", entry.status));
  if (!entry.server.empty()) line(concat("Remote-MTA: ", entry.server_type, "; ", entry.server));
  const bool has_diagnostic = !entry.diagnostic_type.empty() && !entry.diagnostic.empty();
  folded(has_diagnostic ? concat("Diagnostic-Code: ", entry.diagnostic_type, "; ", entry.diagnostic)
                        : concat("Diagnostic-Code: X-", format_.mail_name, "; ", entry.reason));
  if (page_.kind == NoticeKind::kDelay)
    line(concat("Will-Retry-Until: ",
                mail_date(to_time(subject_.arrival) + format_.maximal_queue_lifetime.count())));
}

Result<void> NoticeText::message(QueueFileReader& reader, std::uint64_t content_offset) {
  const bool is_undelivered = page_.kind == NoticeKind::kFailure || page_.kind == NoticeKind::kDelay;
  const std::string_view description = is_undelivered ? "Undelivered Message" : "Message";
  if (page_.has_message) {
    part(description, is_utf8_ ? "message/global" : "message/rfc822", part_encoding_);
  } else {
    part(concat(description, " Headers"), is_utf8_ ? "message/global-headers" : "text/rfc822-headers",
         part_encoding_);
  }
  line(concat("Return-Path: <", sender_, ">"));
  const auto copy = [this](std::string_view text, bool ends_line) {
    sink_.line(text, !ends_line);
    return true;
  };
  Result<void> read = page_.has_message
                          ? read_content(reader, content_offset,
                                         [&copy](std::string_view text, bool ends_line) -> Result<void> {
                                           copy(text, ends_line);
                                           return {};
                                         })
                          : read_headers(reader, content_offset, copy);
  line("");
  return read;
}

void NoticeText::end() { line(concat("--", boundary_, "--")); }

Result<std::optional<std::string>> find_message_id(QueueFileReader& reader, std::uint64_t content_offset) {
  constexpr std::string_view kLabel = "Message-Id:";
  std::optional<std::string> found;
  bool is_folded = false;
  bool is_at_start = true;
  const Result<void> read = read_headers(reader, content_offset, [&](std::string_view text, bool ends_line) {
    const bool is_start = std::exchange(is_at_start, ends_line);
    if (found) {
      if (!is_start) return found->append(text), true;
      is_folded = !text.empty() && libconf::is_space(text.front());
      return false;
    }
    if (is_start && text.size() >= kLabel.size() &&
        libconf::equals_ignoring_case(text.substr(0, kLabel.size()), kLabel))
      found = libconf::trim_left(text.substr(kLabel.size()));
    return true;
  });
  if (!read) return read.error();
  if (!found) return std::optional<std::string>("");
  const std::string_view id = libconf::trim(*found);
  if (is_folded || !id.starts_with('<') || !id.ends_with('>')) return std::optional<std::string>();
  return found;
}

}  // namespace mta
