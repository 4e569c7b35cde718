#include "tools/mta/content/cleanup.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "libconf/text.h"
#include "tools/mta/content/content_log.h"
#include "tools/mta/content/header_line.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Result;
using libconf::Severity;

bool is_in(const CharacterSet& set, char c) { return set[static_cast<unsigned char>(c)]; }

/// Nesting counts only where somebody looks at what is nested, as Postfix has it.
MimeOptions mime_options(const CleanupOptions& options, const ContentChecks& checks,
                         const MessageContext& context) {
  MimeOptions mime = options.mime;
  MimeStrictness& strict = mime.strictness;
  if (!mime.is_mime_enabled) strict = {};
  const bool has_header_checks =
      context.checks_content &&
      (checks.has(CheckClass::kHeader) || checks.has(CheckClass::kMime) || checks.has(CheckClass::kNested));
  strict.nesting = mime.is_mime_enabled && (has_header_checks || strict.headers_7bit ||
                                            strict.body_8bitmime || strict.encoding_domain);
  return mime;
}

/// Whether content is 8-bit, as a header says. To this question Postfix takes nothing but a bare word for an
/// answer.
bool declares_8bit(std::string_view header) {
  const HeaderStart start = header_start(header);
  if (!equals_ignoring_case(header.substr(0, start.name), "Content-Transfer-Encoding")) return false;
  const std::string_view value = libconf::trim_left(header.substr(start.colon + 1));
  return equals_ignoring_case(value, "8bit") || equals_ignoring_case(value, "binary");
}

constexpr std::string_view kEscapes = "abfnrtv\\";
constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\";

bool is_octal(char c) { return c >= '0' && c <= '7'; }

struct NamedFlag {
  const char* name;
  bool& flag;
};

struct NamedSize {
  const char* name;
  std::size_t& size;
};

}  // namespace

Result<CharacterSet> parse_character_set(std::string_view text) {
  CharacterSet set;
  while (!text.empty()) {
    unsigned value = static_cast<unsigned char>(text[0]);
    text.remove_prefix(1);
    if (value == '\\') {
      std::size_t digits = 0;
      value = 0;
      while (digits < 3 && digits < text.size() && is_octal(text[digits]))
        value = value * 8 + static_cast<unsigned>(text[digits++] - '0');
      if (digits == 0) {
        const std::size_t escape = text.empty() ? std::string_view::npos : kEscapes.find(text[0]);
        if (escape == std::string_view::npos)
          return libconf::configuration_error(concat("bad escape sequence: \\", text.substr(0, 1)));
        value = static_cast<unsigned char>(kEscaped[escape]);
        digits = 1;
      }
      text.remove_prefix(digits);
    }
    set.set(value & 0xFF);
  }
  return set;
}

Result<CleanupOptions> cleanup_options(const libconf::Settings& settings) {
  CleanupOptions options;
  auto headers = header_options(settings);
  if (!headers) return headers.error();
  options.headers = std::move(*headers);
  MimeStrictness& strict = options.mime.strictness;
  bool is_mime_disabled = false;
  bool is_8bitmime_strict = false;
  for (const NamedFlag& named : {NamedFlag{"disable_mime_input_processing", is_mime_disabled},
                                 NamedFlag{"strict_8bitmime", is_8bitmime_strict},
                                 NamedFlag{"strict_7bit_headers", strict.headers_7bit},
                                 NamedFlag{"strict_8bitmime_body", strict.body_8bitmime},
                                 NamedFlag{"strict_mime_encoding_domain", strict.encoding_domain},
                                 NamedFlag{"detect_8bit_encoding_header", options.detects_8bit},
                                 NamedFlag{"cleanup_replace_stray_cr_lf", options.replaces_stray_cr}}) {
    const auto value = settings.get_bool(named.name);
    if (!value) return value.error();
    named.flag = *value;
  }
  options.mime.is_mime_enabled = !is_mime_disabled;
  strict.headers_7bit = strict.headers_7bit || is_8bitmime_strict;
  strict.body_8bitmime = strict.body_8bitmime || is_8bitmime_strict;
  for (const NamedSize& named : {NamedSize{"body_checks_size_limit", options.body_checks_size_limit},
                                 NamedSize{"header_size_limit", options.mime.header_size_limit},
                                 NamedSize{"line_length_limit", options.mime.line_length_limit},
                                 NamedSize{"mime_boundary_length_limit", options.mime.boundary_length_limit},
                                 NamedSize{"mime_nesting_limit", options.mime.nesting_limit}}) {
    const auto value = settings.get_int(named.name);
    if (!value) return value.error();
    named.size = static_cast<std::size_t>(*value);
  }
  for (const auto& [name, set] :
       {std::pair<const char*, CharacterSet&>{"message_reject_characters", options.rejected},
        {"message_strip_characters", options.stripped}}) {
    const auto value = settings.get(name);
    if (!value) return value.error();
    const auto characters = parse_character_set(*value);
    if (!characters) return characters.error();
    set = *characters;
  }
  return options;
}

Cleanup::Cleanup(const CleanupOptions& options, ContentChecks& checks, const MessageContext& context,
                 HeaderAddresses* addresses, CleanupSink& sink)
    : options_(options),
      checks_(checks),
      context_(context),
      sink_(sink),
      inspection_(checks, context, sink),
      headers_(options.headers, context, addresses, sink,
               [this](std::string_view text) { write_header(text); }),
      parser_(*this, mime_options(options, checks, context)),
      filters_characters_(options.rejected.any() || options.stripped.any()) {}

void Cleanup::feed(std::string_view bytes) {
  if (is_decided_) return;
  if (filters_characters_) {
    feed_by_lines(bytes);
  } else {
    feed_parser(bytes);
  }
}

void Cleanup::feed_line(std::string_view text) {
  if (filters_characters_ || has_stray_cr(text)) {
    feed(text);
    feed("\n");
  } else if (!is_decided_) {
    parser_.feed_line(text);
  }
}

bool Cleanup::has_stray_cr(std::string_view bytes) const {
  return options_.replaces_stray_cr && bytes.find('\r') != std::string_view::npos;
}

void Cleanup::feed_parser(std::string_view bytes) {
  if (!has_stray_cr(bytes)) {
    parser_.feed(bytes);
    return;
  }
  edited_ = bytes;
  std::replace(edited_.begin(), edited_.end(), '\r', ' ');
  parser_.feed(edited_);
}

/// Bytes are refused with the line that has them in the log.
void Cleanup::feed_by_lines(std::string_view bytes) {
  const std::size_t limit = options_.mime.line_length_limit;
  while (!bytes.empty() && !is_decided_) {
    const std::size_t length = std::min(bytes.find('\n'), bytes.size());
    const std::size_t taken = std::min(length, limit - std::min(limit, raw_.size()));
    raw_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    const bool ends_line = taken == length && !bytes.empty();
    if (!ends_line && bytes.empty()) return;
    raw_line(raw_);
    if (!is_decided_) feed_parser(raw_);
    if (ends_line) {
      if (!is_decided_) parser_.feed("\n");
      bytes.remove_prefix(1);
    }
    raw_.clear();
  }
}

void Cleanup::raw_line(std::string& text) {
  if (!inspection_.is_on()) return;
  if (std::any_of(text.begin(), text.end(), [this](char c) { return is_in(options_.rejected, c); })) {
    Rejection rejection{.code = 550, .status = "5.7.1", .text = "disallowed character"};
    sink_.log(Severity::kInfo, content_log_line({.verdict = "reject",
                                                 .subject = "content",
                                                 .text = text,
                                                 .reason = concat(rejection.status, " ", rejection.text)},
                                                context_));
    refuse(std::move(rejection));
    return;
  }
  std::erase_if(text, [this](char c) { return is_in(options_.stripped, c); });
}

void Cleanup::finish() {
  if (!is_decided_ && !raw_.empty()) {
    raw_line(raw_);
    if (!is_decided_) feed_parser(raw_);
  }
  if (!is_decided_) parser_.finish();
  if (!is_decided_ && faults_.any()) {
    std::size_t first = 0;
    while (!faults_[first]) ++first;
    refuse({.code = 550, .status = "5.6.0", .text = std::string(describe(static_cast<MimeFault>(first)))});
  }
  if (rejection_) {
    sink_.reject(*rejection_);
  } else if (is_discarded_) {
    sink_.discard();
  } else if (options_.detects_8bit && declares_8bit_) {
    sink_.content_is_8bit();
  }
}

/// A pattern may have copied parts of the message into the text; what comes of them must stay one reply.
void Cleanup::refuse(Rejection rejection) {
  std::replace_if(
      rejection.text.begin(), rejection.text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, ' ');
  rejection_ = std::move(rejection);
  is_decided_ = true;
}

/// Whether the action ends the message.
bool Cleanup::decides(const CheckAction& action) {
  if (action.kind == CheckActionKind::kReject) {
    refuse({.code = action.code, .status = action.status, .text = action.text});
  } else if (action.kind == CheckActionKind::kDiscard) {
    is_discarded_ = is_decided_ = true;
  }
  return is_decided_;
}

void Cleanup::header(HeaderKind kind, std::string_view text) {
  if (is_decided_) return;
  CheckAction action;
  const CheckClass check_class = class_of(kind);
  if (inspection_.covers(check_class)) {
    action = inspection_.inspect(check_class, text);
    if (decides(action) || action.kind == CheckActionKind::kIgnore) return;
    if (action.kind == CheckActionKind::kPrepend) write_header(action.text);
    if (action.kind == CheckActionKind::kReplace) text = action.text;
  }
  declares_8bit_ = declares_8bit_ || declares_8bit(text);
  if (kind != HeaderKind::kPrimary) {
    write_header(text);
  } else if (auto rejection = headers_.header(text)) {
    refuse(std::move(*rejection));
  }
}

void Cleanup::end_of_headers() {
  if (!is_decided_) headers_.finish();
}

void Cleanup::body(std::string_view text, bool ends_line) {
  if (!checks_.has(CheckClass::kBody)) {
    write_line(text, ends_line);
  } else if (!is_decided_) {
    checked_body(text, ends_line);
  }
}

void Cleanup::checked_body(std::string_view text, bool ends_line) {
  const std::size_t limit = options_.body_checks_size_limit;
  const bool is_in_reach = limit == 0 || body_offset_ < limit;
  body_offset_ += text.size() + 1;
  if (!is_in_reach || !inspection_.covers(CheckClass::kBody)) {
    write_line(text, ends_line);
    return;
  }
  const CheckAction action = inspection_.inspect(CheckClass::kBody, text);
  if (decides(action) || action.kind == CheckActionKind::kIgnore) return;
  if (action.kind == CheckActionKind::kPrepend) write_text(action.text, true);
  if (action.kind == CheckActionKind::kReplace) {
    write_text(action.text, ends_line);
  } else {
    write_line(text, ends_line);
  }
}

void Cleanup::fault(MimeFault fault, std::string_view text) {
  if (is_decided_) return;
  faults_.set(static_cast<std::size_t>(fault));
  sink_.log(Severity::kInfo, mime_fault_log_line(describe(fault), text, context_));
}

/// A header is cut, lines and all, before it is written.
void Cleanup::write_header(std::string_view text) {
  if (!is_decided_ && !faults_.any()) sink_.header(text.substr(0, options_.mime.header_size_limit));
}

/// What a table gives may be several lines.
void Cleanup::write_text(std::string_view text, bool ends_line) {
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
    write_line(text.substr(0, end), true);
  write_line(text, ends_line);
}

void Cleanup::write_line(std::string_view text, bool ends_line) {
  if (is_decided_ || faults_.any()) return;
  for (; text.size() > options_.mime.line_length_limit; text.remove_prefix(options_.mime.line_length_limit))
    sink_.content(text.substr(0, options_.mime.line_length_limit), false);
  sink_.content(text, ends_line);
}

}  // namespace mta
