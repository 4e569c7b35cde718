#include "tools/mta/smtp/reply.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "libconf/expansion.h"
#include "libconf/text.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {

namespace {

using libconf::concat;

constexpr std::string_view kLineBreak = "\\n";
constexpr std::string_view kSameLine = "\\c";

/// Characters that have a letter of their own behind the backslash.
constexpr std::string_view kEscapeLetters = "abfnrtv";
constexpr std::string_view kEscapeControls = "\a\b\f\n\r\t\v";

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// The attributes as `$name`. What they bring is filtered before it stands in the text.
class FooterScope : public libconf::ExpansionScope {
 public:
  FooterScope(const FooterAttributes& attributes, std::string_view filter)
      : attributes_{{{"client_address", filtered(attributes.client_address, filter)},
                     {"client_port", filtered(attributes.client_port, filter)},
                     {"localtime", filtered(attributes.localtime, filter)},
                     {"server_name", filtered(attributes.server_name, filter)}}} {}

  std::optional<std::string_view> value_of(std::string_view name) const override {
    for (const auto& [known, value] : attributes_) {
      if (name == known) return value;
    }
    return std::nullopt;
  }

 private:
  static std::string filtered(std::string_view value, std::string_view filter) {
    std::string out(value);
    // A dollar sign would name another attribute.
    for (char& c : out) {
      if (c == '$' || filter.find(c) == std::string_view::npos) c = '_';
    }
    return out;
  }

  std::array<std::pair<std::string_view, std::string>, 4> attributes_;
};

std::string replace_line_breaks(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find(kLineBreak, at), text.size());
    out += text.substr(at, next - at);
    if (next < text.size()) out += '\n';
    at = next + kLineBreak.size();
  }
  return out;
}

}  // namespace

Reply parse_reply(std::string_view text, ErrorClasses classes) {
  const int code = std::stoi(std::string(text.substr(0, 3)));
  text.remove_prefix(std::min<std::size_t>(4, text.size()));
  const std::size_t length = status_length(text);
  const std::string_view status = text.substr(0, length);
  text.remove_prefix(std::min(length + (length > 0 ? 1 : 0), text.size()));
  return {code, status, text, classes};
}

std::string Reply::to_string() const {
  std::string out = std::to_string(code_);
  if (!enhanced_.empty()) out += concat(" ", enhanced_);
  out += concat(" ", text_);
  for (char& c : out) {
    if (c == '\n') c = ' ';
  }
  return out;
}

void Reply::append_to(std::string& out) const {
  const std::string code = std::to_string(code_);
  const std::string_view separator = enhanced_.empty() ? "" : " ";
  std::string_view rest = text_;
  while (true) {
    const std::size_t newline = rest.find('\n');
    const bool is_last = newline == std::string_view::npos;
    out += concat(code, is_last ? " " : "-", enhanced_, separator, rest.substr(0, newline), "\r\n");
    if (is_last) return;
    rest.remove_prefix(newline + 1);
  }
}

ReplyFooter::ReplyFooter(std::string_view text, std::string_view expansion_filter)
    : text_(text), filter_(unescape(expansion_filter)) {}

libconf::Result<void> ReplyFooter::apply(Reply& reply, const FooterAttributes& attributes,
                                         libconf::DiagnosticSink& sink) const {
  if (!reply.is_error() || text_.empty()) return {};
  std::string_view text = text_;
  const bool is_same_line = text.starts_with(kSameLine);
  if (is_same_line) text.remove_prefix(kSameLine.size());
  libconf::Result<std::string> footer =
      libconf::expand(replace_line_breaks(text), FooterScope(attributes, filter_), sink);
  if (!footer) return footer.error();
  reply.add_text(concat(is_same_line ? "" : "\n", *footer));
  return {};
}

Reply softened(Reply reply) {
  if (reply.code() < 500) return reply;
  std::string status = reply.enhanced();
  if (!status.empty()) status.front() = '4';
  return {reply.code() - 100, status, reply.text(), reply.error_classes()};
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const std::size_t control = kEscapeControls.find(c);
    if (control != std::string_view::npos) {
      out += {'\\', kEscapeLetters[control]};
    } else if (c == '\\') {
      out += "\\\\";
    } else if (byte < ' ' || byte > '~') {
      out += {'\\', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + (byte >> 3 & 7)),
              static_cast<char>('0' + (byte & 7))};
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '\\' || text.size() == 1) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(1);
    const std::size_t letter = kEscapeLetters.find(text.front());
    if (letter != std::string_view::npos) {
      out += kEscapeControls[letter];
      text.remove_prefix(1);
    } else if (is_octal(text.front())) {
      unsigned value = 0;
      for (int digits = 0; digits < 3 && !text.empty() && is_octal(text.front()); ++digits) {
        value = value * 8 + static_cast<unsigned>(text.front() - '0');
        text.remove_prefix(1);
      }
      out += static_cast<char>(value);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace mta
