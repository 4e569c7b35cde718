#include "tools/mta/smtp/proxy_reply.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/smtp/milter_inspection.h"

namespace mta {
namespace {

constexpr std::size_t kCodeLength = 3;

}  // namespace

std::size_t proxy_reply_length(std::string_view input) {
  for (std::size_t start = 0;;) {
    const std::size_t end = input.find('\n', start);
    if (end == std::string_view::npos) return 0;
    if (end < start + kCodeLength + 1 || input[start + kCodeLength] != '-') return end + 1;
    start = end + 1;
  }
}

std::string clean_proxy_reply(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::string_view shown = line.substr(0, line.find('\0'));
    while (shown.ends_with('\r')) shown.remove_suffix(1);
    if (!out.empty()) out += "\r\n";
    out += libconf::printable_utf8(shown);
  }
  return out;
}

bool is_proxy_reply(std::string_view text) {
  return text.size() >= kCodeLength && libconf::is_all_digits(text.substr(0, kCodeLength)) &&
         text[0] >= '2' && text[0] <= '5';
}

Reply reply_of_proxy(std::string_view text, ErrorClasses refusal) {
  const Rejection parts = rejection_of(text);
  return {parts.code, parts.status, parts.text, parts.code < 400 ? ErrorClasses() : refusal};
}

std::vector<std::string> offered_attributes(std::string_view ehlo_reply) {
  std::vector<std::string> offered;
  while (!ehlo_reply.empty()) {
    std::string_view line = ehlo_reply.substr(0, ehlo_reply.find('\n'));
    ehlo_reply.remove_prefix(std::min(line.size() + 1, ehlo_reply.size()));
    line.remove_prefix(std::min(kCodeLength + 1, line.size()));
    const auto keyword = libconf::next_word(line, " \t\r");
    if (!keyword || !libconf::equals_ignoring_case(*keyword, "XFORWARD")) continue;
    while (const auto name = libconf::next_word(line, " \t\r")) offered.emplace_back(*name);
  }
  return offered;
}

}  // namespace mta
