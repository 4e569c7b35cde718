#include "tools/sendmail/content.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "libconf/text.h"
#include "tools/mta/address/header_address.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/content/header_line.h"
#include "tools/mta/smtp/line_reader.h"

namespace sendmail {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using mta::RecordType;

struct RecipientHeader {
  std::string_view name;
  bool is_resent;
};

constexpr std::array kRecipientHeaders = {
    RecipientHeader{"To", false},       RecipientHeader{"Cc", false},
    RecipientHeader{"Bcc", false},      RecipientHeader{"Resent-To", true},
    RecipientHeader{"Resent-Cc", true}, RecipientHeader{"Resent-Bcc", true},
};

struct NamedEndings {
  std::string_view name;
  LineEndings endings;
};

constexpr std::array kEndings = {NamedEndings{"always", LineEndings::kAlways},
                                 NamedEndings{"strict", LineEndings::kStrict},
                                 NamedEndings{"never", LineEndings::kNever}};

Result<LineEndings> read_endings(const libconf::Settings& settings) {
  const Result<std::string> value = settings.get("sendmail_fix_line_endings");
  if (!value) return value.error();
  for (const NamedEndings& each : kEndings)
    if (equals_ignoring_case(each.name, *value)) return each.endings;
  return libconf::configuration_error(concat("invalid sendmail_fix_line_endings value: ", *value));
}

}  // namespace

Result<ContentOptions> content_options(const libconf::Settings& settings) {
  ContentOptions options;
  const Result<LineEndings> endings = read_endings(settings);
  if (!endings) return endings.error();
  options.line_endings = *endings;
  const struct {
    const char* parameter;
    std::size_t& value;
  } numbers[] = {{"line_length_limit", options.line_length_limit},
                 {"header_address_token_limit", options.header_address_token_limit}};
  for (const auto& [parameter, value] : numbers) {
    const Result<std::int64_t> number = settings.get_int(parameter);
    if (!number) return number.error();
    value = static_cast<std::size_t>(*number);
  }
  return options;
}

ContentCopy::ContentCopy(const ContentOptions& options, RecordSink& sink)
    : options_(options),
      sink_(sink),
      parser_(*this, {.is_mime_enabled = false, .line_length_limit = options.line_length_limit}),
      fixes_endings_(options.line_endings == LineEndings::kAlways) {}

Result<void> ContentCopy::run(int input) {
  mta::LineSplitter splitter(options_.line_length_limit, options_.line_endings == LineEndings::kAlways);
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t size = ::read(input, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0)
      return Error{.kind = ErrorKind::kInputOutput, .message = concat("read: ", std::strerror(errno))};
    if (size == 0) break;
    std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
    while (const auto piece = splitter.next(bytes)) {
      if (line(piece->text, piece->end == mta::LineEnd::kCrLf, piece->end != mta::LineEnd::kNone)) continue;
      end();
      return {};
    }
  }
  // A <CR> that waits for its <LF> is among what is pending.
  if (!splitter.pending().empty()) line(splitter.pending(), false, false);
  end();
  return {};
}

bool ContentCopy::line(std::string_view text, bool had_cr, bool is_complete) {
  if (is_first_line_ && !is_within_line_ && options_.line_endings == LineEndings::kStrict)
    fixes_endings_ = had_cr;
  is_first_line_ = false;
  const bool is_start_of_line = !is_within_line_;
  is_within_line_ = !is_complete;
  const bool keeps_cr = had_cr && !fixes_endings_;
  if (is_start_of_line && text == "." && !keeps_cr && !options_.ignores_dots) return false;
  if (is_start_of_line) {
    is_envelope_line_ = is_at_start_ && (text.starts_with("From ") || text.starts_with(">From "));
    is_at_start_ = is_envelope_line_;
  }
  if (is_envelope_line_) return true;
  if (keeps_cr) {
    write(concat(text, "\r"), is_complete);
  } else {
    write(text, is_complete);
  }
  return true;
}

void ContentCopy::write(std::string_view text, bool is_complete) {
  if (options_.extracts_recipients) {
    is_unfinished_ = !is_complete;
    parser_.feed(text);
    if (is_complete) parser_.feed("\n");
  } else {
    sink_.put(is_complete ? RecordType::kLine : RecordType::kPartialLine, text);
  }
}

void ContentCopy::end() {
  if (options_.extracts_recipients) parser_.finish();
}

void ContentCopy::header(mta::HeaderKind, std::string_view text) {
  const mta::HeaderStart start = mta::header_start(text);
  const std::string_view name = text.substr(0, start.name);
  for (const RecipientHeader& each : kRecipientHeaders) {
    if (!equals_ignoring_case(each.name, name)) continue;
    const std::string_view value = text.substr(start.colon + 1);
    for (const std::string& address : mta::header_addresses(value, options_.header_address_token_limit))
      (each.is_resent ? resent_recipients_ : recipients_).push_back(mta::unquote_address(address));
  }
  for (;;) {
    const std::size_t end = text.find('\n');
    std::string_view rest = text.substr(0, end);
    for (; rest.size() > options_.line_length_limit; rest.remove_prefix(options_.line_length_limit))
      sink_.put(RecordType::kPartialLine, rest.substr(0, options_.line_length_limit));
    sink_.put(RecordType::kLine, rest);
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

void ContentCopy::body_line(std::string_view text) {
  if (is_unfinished_) {
    // Two records for what has no end, as Postfix writes it.
    sink_.put(RecordType::kPartialLine, text);
    text = {};
  }
  sink_.put(RecordType::kLine, text);
}

}  // namespace sendmail
