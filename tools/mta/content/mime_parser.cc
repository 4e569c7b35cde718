#include "tools/mta/content/mime_parser.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "libconf/text.h"
#include "tools/mta/content/content_type.h"

namespace mta {
namespace {

using libconf::equals_ignoring_case;

constexpr std::string_view kContentType = "Content-Type";

/// RFC 2045 and, for the disposition, RFC 2183.
constexpr std::array<std::string_view, 6> kMimeHeaders = {
    "Content-Description",       "Content-Disposition", "Content-ID",
    "Content-Transfer-Encoding", kContentType,          "MIME-Version",
};

/// RFC 2046, section 5.1.1: a boundary is announced, and closed, with these.
constexpr std::string_view kDashes = "--";

bool is_fold(char c) { return c == ' ' || c == '\t'; }

/// RFC 5322, section 2.2: printable ASCII, other than the colon.
bool is_name_char(char c) { return c > ' ' && c < 0x7F && c != ':'; }

/// A line that begins a header: the length of its name, and where its colon is.
struct HeaderStart {
  std::size_t name = 0;  ///< 0: not a header.
  std::size_t colon = 0;
};

HeaderStart header_start(std::string_view line) {
  HeaderStart start;
  while (start.name < line.size() && is_name_char(line[start.name])) ++start.name;
  start.colon = start.name;
  while (start.colon < line.size() && is_fold(line[start.colon])) ++start.colon;
  if (start.colon == line.size() || line[start.colon] != ':') start.name = 0;
  return start;
}

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
    if (partial_.empty()) {
      line(bytes.substr(0, length), is_continued_);
    } else {
      partial_ += bytes.substr(0, length);
      line(partial_, is_continued_);
      partial_.clear();
    }
    is_continued_ = newline == nullptr;
    bytes.remove_prefix(length + (newline == nullptr ? 0 : 1));
  }
}

void MimeParser::finish() {
  if (!partial_.empty()) line(partial_, is_continued_);
  finish_header();
  if (section_ == Section::kPrimary) sink_.end_of_headers();
}

void MimeParser::line(std::string_view text, bool is_continued) {
  if (is_continued) {
    if (header_.empty()) {
      sink_.body_line(text);
    } else if (header_.size() < options_.header_size_limit) {
      header_ += until_nul(text);
    }
  } else if (section_ == Section::kBody) {
    body_line(text);
  } else {
    header_line(text);
  }
}

void MimeParser::header_line(std::string_view text) {
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
  body_line(text);
}

void MimeParser::finish_header() {
  if (header_.empty()) return;
  sink_.header(kind_of_header(), header_);
  const std::string_view text = header_;
  if (options_.is_mime_enabled && equals_ignoring_case(text.substr(0, name_length_), kContentType))
    content_type(text.substr(name_length_ + 1));
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
  // Postfix looks into two more multiparts than the limit says.
  const std::size_t limit = options_.nesting_limit + 2;
  for (std::string& boundary : content.boundaries) {
    if (multiparts_.size() >= limit) return;
    boundary.resize(std::min(boundary.size(), options_.boundary_length_limit));
    multiparts_.push_back({.boundary = std::move(boundary), .is_digest = content.is_digest});
  }
}

/// Headers end at an empty line, or where a line is no header. An attached message begins after an empty line
/// alone. Postfix supplies a missing one after the message's own headers.
void MimeParser::section_end(bool is_blank_line) {
  if (section_ == Section::kPrimary) {
    sink_.end_of_headers();
    if (!is_blank_line) sink_.body_line({});
  }
  section_ = is_blank_line && is_message_ ? Section::kNested : Section::kBody;
  is_message_ = false;
}

void MimeParser::body_line(std::string_view text) {
  sink_.body_line(text);
  if (!multiparts_.empty() && text.starts_with(kDashes)) delimiter(text);
}

/// A line that begins with a boundary is a delimiter, whatever follows. That of an outer multipart ends those
/// inside it.
void MimeParser::delimiter(std::string_view text) {
  text.remove_prefix(kDashes.size());
  if (text.empty()) return;
  for (std::size_t depth = multiparts_.size(); depth > 0; --depth) {
    const Multipart& multipart = multiparts_[depth - 1];
    if (!text.starts_with(multipart.boundary)) continue;
    const bool is_last = text.substr(multipart.boundary.size()).starts_with(kDashes);
    is_message_ = multipart.is_digest;
    section_ = is_last ? Section::kBody : Section::kPart;
    multiparts_.resize(is_last ? depth - 1 : depth);
    return;
  }
}

}  // namespace mta
