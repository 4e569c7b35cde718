#include "tools/mta/delivery/server_features.h"

#include <array>
#include <charconv>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::equals_ignoring_case;

struct KnownKeyword {
  std::string_view name;
  EhloKeyword keyword;
};
constexpr KnownKeyword kKnown[] = {
    {"PIPELINING", EhloKeyword::kPipelining}, {"SIZE", EhloKeyword::kSize},
    {"8BITMIME", EhloKeyword::k8BitMime},     {"DSN", EhloKeyword::kDsn},
    {"SMTPUTF8", EhloKeyword::kSmtputf8},     {"XFORWARD", EhloKeyword::kXforward},
    {"STARTTLS", EhloKeyword::kStarttls},     {"AUTH", EhloKeyword::kAuth},
};

/// Between a keyword and what is said of it.
constexpr std::string_view kSeparators = " \t=";

/// In the order of ForwardedAttribute.
constexpr std::array<std::string_view, 7> kForwarded{"NAME",  "ADDR",  "PORT",  "HELO",
                                                     "PROTO", "IDENT", "SOURCE"};

}  // namespace

std::string_view forwarded_attribute_name(ForwardedAttribute attribute) {
  return kForwarded[static_cast<std::size_t>(attribute)];
}

ServerFeatures::ServerFeatures(const ServerReply& reply, const DiscardedKeywords& discarded) {
  for (std::size_t i = 1; i < reply.lines.size(); ++i) {
    std::string_view line = reply.lines[i];
    const std::string_view word = libconf::next_word(line, kSeparators).value_or("");
    for (const auto& [name, keyword] : kKnown)
      if (equals_ignoring_case(word, name) && !discarded.has(keyword)) take(keyword, line);
  }
  // RFC 6531, section 3.1: the one goes with the other.
  forgets_8bitmime_ = has(EhloKeyword::kSmtputf8) && !has(EhloKeyword::k8BitMime);
  if (forgets_8bitmime_) bits_ |= static_cast<unsigned>(EhloKeyword::k8BitMime);
}

void ServerFeatures::take(EhloKeyword keyword, std::string_view arguments) {
  bits_ |= static_cast<unsigned>(keyword);
  if (keyword == EhloKeyword::kSize) {
    // Postfix knows no limit behind a sign.
    arguments = libconf::next_word(arguments, libconf::kBlanks).value_or("");
    if (arguments.starts_with('=')) arguments = {};
    const auto [end, error] =
        std::from_chars(arguments.data(), arguments.data() + arguments.size(), size_limit_);
    const bool is_number = error == std::errc() && end == arguments.data() + arguments.size();
    if (!is_number) size_limit_ = 0;
    if (!is_number) bad_size_limit_ = arguments;
  }
  if (keyword == EhloKeyword::kAuth) {
    // Old servers say "AUTH=LOGIN", some of them both.
    while (const auto word = libconf::next_word(arguments, kSeparators)) {
      if (!mechanisms_.empty()) mechanisms_ += ' ';
      mechanisms_ += *word;
    }
  }
  if (keyword != EhloKeyword::kXforward) return;
  while (const auto word = libconf::next_word(arguments, libconf::kBlanks))
    for (std::size_t i = 0; i < kForwarded.size(); ++i)
      if (equals_ignoring_case(*word, kForwarded[i])) forwarded_ |= 1U << i;
}

}  // namespace mta
