#include "tools/mta/content/mime_parser.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "libconf/text.h"
#include "tools/mta/content/header_line.h"

namespace mta {
namespace {

using libconf::equals_ignoring_case;

constexpr std::string_view kContentType = "Content-Type";
constexpr std::string_view kTransferEncoding = "Content-Transfer-Encoding";

/// RFC 2045 and, for the disposition, RFC 2183.
constexpr std::array<std::string_view, 6> kMimeHeaders = {
    "Content-Description", "Content-Disposition", "Content-ID",
    kTransferEncoding,     kContentType,          "MIME-Version",
};

/// RFC 2046, section 5.1.1: a boundary is announced, and closed, with these.
constexpr std::string_view kDashes = "--";

bool is_fold(char c) { return c == ' ' || c == '\t'; }

std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

}  // namespace

MimeParser::MimeParser(MessageSink& sink, const MimeOptions& options) : sink_(sink), options_(options) {
  options_.line_length_limit = std::max<std::size_t>(options_.line_length_limit, 1);
}

void MimeParser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t room = options_.line_length_limit - partial_.size();
    // The newline of a line that just fits is one byte behind the room.
    const std::size_t window = bytes.size() > room ? room + 1 : bytes.size();
    const auto* newline = static_cast<const char*>(std::memchr(bytes.data(), '\n', window));
    if (newline == nullptr && window <= room) {
      partial_ += bytes;
      return;
    }
    const std::size_t length = newline == nullptr ? room : static_cast<std::size_t>(newline - bytes.data());
    const bool goes_on = newline == nullptr;
    if (partial_.empty()) {
      line(bytes.substr(0, length), is_continued_, goes_on);
    } else {
      partial_ += bytes.substr(0, length);
      line(partial_, is_continued_, goes_on);
      partial_.clear();
    }
    is_continued_ = goes_on;
    bytes.remove_prefix(length + (goes_on ? 0 : 1));
  }
}

void MimeParser::feed_line(std::string_view text) {
  const bool is_one_line = text.find('\n') == std::string_view::npos;
  if (!is_one_line || !partial_.empty() || text.size() > options_.line_length_limit) {
    feed(text);
    feed("\n");
    return;
  }
  line(text, is_continued_, false);
  is_continued_ = false;
}

void MimeParser::feed_piece(std::string_view text, bool ends_line) {
  line(text, is_continued_, !ends_line);
  is_continued_ = !ends_line;
}

void MimeParser::finish() {
  if (!partial_.empty()) line(partial_, is_continued_, false);
  if (!encoded_.text().empty()) emit_encoded({}, false);
  finish_header();
  if (section_ != Section::kBody) announce_encoding();
  if (section_ == Section::kPrimary) sink_.end_of_headers();
}

void MimeParser::line(std::string_view text, bool is_continued, bool goes_on) {
  if (is_continued) {
    if (header_.empty()) {
      emit_body(text, goes_on);
    } else if (header_.size() < options_.header_size_limit) {
      header_ += until_nul(text);
    }
  } else if (section_ == Section::kBody) {
    body_line(text, goes_on);
  } else {
    header_line(text, goes_on);
  }
}

void MimeParser::header_line(std::string_view text, bool goes_on) {
  if (!header_.empty() && !text.empty() && is_fold(text[0])) {
    if (header_.size() >= options_.header_size_limit) return;
    header_ += '\n';
    header_ += until_nul(text);
    return;
  }
  finish_header();
  const HeaderStart start = header_start(text);
  if (start.name > 0) {
    header_ = text.substr(0, start.name);
    header_ += until_nul(text.substr(start.colon));
    name_length_ = start.name;
    return;
  }
  section_end(text.empty());
  body_line(text, goes_on);
}

void MimeParser::finish_header() {
  if (header_.empty()) return;
  const std::string_view text = header_;
  if (options_.strictness.headers_7bit && !libconf::is_ascii(text)) report(MimeFault::k8BitHeader, text);
  const std::string_view name = text.substr(0, name_length_);
  const std::string_view value = text.substr(name_length_ + 1);
  const bool is_encoding = equals_ignoring_case(name, kTransferEncoding);
  if (is_encoding) {
    transfer_encoding(value);
  } else if (options_.is_mime_enabled && equals_ignoring_case(name, kContentType)) {
    content_type(value);
  }
  // Another one comes with announce_encoding().
  if (!is_encoding || !is_converted()) sink_.header(kind_of_header(), header_);
  header_.clear();
}

HeaderKind MimeParser::kind_of_header() const {
  const std::string_view name = std::string_view(header_).substr(0, name_length_);
  const auto is_name = [name](std::string_view other) { return equals_ignoring_case(name, other); };
  if (section_ == Section::kPart || std::any_of(kMimeHeaders.begin(), kMimeHeaders.end(), is_name))
    return HeaderKind::kMime;
  return section_ == Section::kPrimary ? HeaderKind::kPrimary : HeaderKind::kNested;
}

/// Of several Content-Type headers, the last that is understood counts, but all boundaries do.
void MimeParser::content_type(std::string_view value) {
  ContentType content = parse_content_type(value);
  if (content.type == MediaType::kUnknown) return;
  is_message_ = content.type == MediaType::kMessage;
  is_composite_ = is_message_ || content.type == MediaType::kMultipart;
  is_identity_ = content.is_identity;
  encoding_rule_ = content.encoding_rule;
  // Postfix looks into two more multiparts than the limit says.
  const std::size_t limit = options_.nesting_limit + 2;
  for (std::string& boundary : content.boundaries) {
    if (multiparts_.size() >= limit) {
      if (options_.strictness.nesting) report(MimeFault::kNesting, header_);
      return;
    }
    boundary.resize(std::min(boundary.size(), options_.boundary_length_limit));
    multiparts_.push_back({.boundary = std::move(boundary), .is_digest = content.is_digest});
  }
}

const MimeParser::KnownEncoding MimeParser::kEncodings[] = {
    {"7bit", Encoding::k7Bit, EncodingRule::kAny},
    {"8bit", Encoding::k8Bit, EncodingRule::k7Bit},
    {"binary", Encoding::kBinary, EncodingRule::k7Bit},
    {"quoted-printable", Encoding::kQuotedPrintable, EncodingRule::kIdentity},
    {"base64", Encoding::kBase64, EncodingRule::kIdentity},
};

/// Of several headers, the last that is understood counts (RFC 2045, section 6).
void MimeParser::transfer_encoding(std::string_view value) {
  const std::string name = first_word(value);
  for (const KnownEncoding& known : kEncodings) {
    if (!equals_ignoring_case(name, known.name)) continue;
    encoding_ = known.encoding;
  }
}

bool MimeParser::is_converted() const {
  return options_.converts_8bit && (encoding_ == Encoding::k8Bit || encoding_ == Encoding::kBinary);
}

/// The last header of a section that is converted, as Postfix has it. What is in a message/global is text
/// then: there, quoted-printable is allowed (RFC 6532, section 3.7).
void MimeParser::announce_encoding() {
  if (!is_converted()) return;
  const HeaderKind kind = section_ == Section::kPrimary ? HeaderKind::kPrimary
                          : section_ == Section::kPart  ? HeaderKind::kMime
                                                        : HeaderKind::kNested;
  sink_.header(kind, libconf::concat(kTransferEncoding, ": ", is_identity_ ? "7bit" : "quoted-printable"));
  if (!is_identity_) is_message_ = is_composite_ = false;
}

/// Headers end at an empty line, or where a line is no header. An attached message begins after an empty line
/// alone. Postfix supplies a missing one after the message's own headers. What a composite says of its
/// encoding does not count for what is in it.
void MimeParser::section_end(bool is_blank_line) {
  announce_encoding();
  if (section_ == Section::kPrimary) {
    sink_.end_of_headers();
    if (!is_blank_line) sink_.body_line({});
  }
  if (options_.strictness.encoding_domain) check_encoding();
  section_ = is_blank_line && is_message_ ? Section::kNested : Section::kBody;
  if (is_blank_line && is_composite_) encoding_ = Encoding::k7Bit;
  is_message_ = is_composite_ = is_identity_ = false;
  encoding_rule_ = EncodingRule::kAny;
  sink_.start_of_body();
}

void MimeParser::check_encoding() {
  for (const KnownEncoding& known : kEncodings)
    if (known.encoding == encoding_ && known.forbidden_by == encoding_rule_ &&
        encoding_rule_ != EncodingRule::kAny)
      report(MimeFault::kEncodingDomain, known.name);
}

void MimeParser::body_line(std::string_view text, bool goes_on) {
  if (multiparts_.empty() || !text.starts_with(kDashes)) {
    emit_body(text, goes_on);
    return;
  }
  const std::size_t depth = delimited(text.substr(kDashes.size()));
  const bool is_last =
      depth > 0 && text.substr(kDashes.size() + multiparts_[depth - 1].boundary.size()).starts_with(kDashes);
  // body_checks_size_limit counts the last delimiter with what follows, any other with what is before it.
  if (is_last) sink_.start_of_body();
  if (depth == 0) {
    emit_body(text, goes_on);
    return;
  }
  emit_plain(text, goes_on);
  delimiter(depth, is_last);
}

void MimeParser::emit_body(std::string_view text, bool goes_on) {
  if (is_converted()) {
    emit_encoded(text, goes_on);
  } else {
    emit_plain(text, goes_on);
  }
}

void MimeParser::emit_encoded(std::string_view text, bool goes_on) {
  for (const char c : text) {
    if (encoded_.is_full()) {
      encoded_.divide();
      sink_.body_line(encoded_.text());
      encoded_.clear();
    }
    encoded_.add(c);
  }
  if (goes_on) return;
  encoded_.end();
  sink_.body_line(encoded_.text());
  encoded_.clear();
}

void MimeParser::emit_plain(std::string_view text, bool goes_on) {
  if (options_.strictness.body_8bitmime && encoding_ == Encoding::k7Bit && !libconf::is_ascii(text))
    report(MimeFault::k8BitBody, text);
  if (goes_on) {
    sink_.body_piece(text);
  } else {
    sink_.body_line(text);
  }
}

/// Which multipart a line ends a part of, counted from 1; 0: none. A line that begins with a boundary does,
/// whatever follows.
std::size_t MimeParser::delimited(std::string_view text) const {
  if (text.empty()) return 0;
  for (std::size_t depth = multiparts_.size(); depth > 0; --depth)
    if (text.starts_with(multiparts_[depth - 1].boundary)) return depth;
  return 0;
}

/// The delimiter of an outer multipart ends those inside it.
void MimeParser::delimiter(std::size_t depth, bool is_last) {
  const bool is_digest = multiparts_[depth - 1].is_digest;
  is_message_ = is_composite_ = is_identity_ = is_digest;
  encoding_rule_ = is_digest ? EncodingRule::kIdentity : EncodingRule::kAny;
  encoding_ = Encoding::k7Bit;
  section_ = is_last ? Section::kBody : Section::kPart;
  multiparts_.resize(is_last ? depth - 1 : depth);
}

void MimeParser::report(MimeFault fault, std::string_view text) {
  const auto index = static_cast<std::size_t>(fault);
  if (!reported_[index]) sink_.fault(fault, text);
  reported_.set(index);
}

}  // namespace mta
