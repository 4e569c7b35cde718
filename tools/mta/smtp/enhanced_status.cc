#include "tools/mta/smtp/enhanced_status.h"

#include "libconf/text.h"

namespace mta {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::size_t status_length(std::string_view text) {
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return 0;
  std::size_t at = 1;
  for (int part = 0; part < 2; ++part) {
    if (at >= text.size() || text[at] != '.') return 0;
    const std::size_t start = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at == start || at - start > 3) return 0;
  }
  const bool ends = at == text.size() || libconf::kBlanks.find(text[at]) != std::string_view::npos;
  return ends ? at : 0;
}

}  // namespace mta
