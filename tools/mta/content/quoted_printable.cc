#include "tools/mta/content/quoted_printable.h"

#include "libconf/hex.h"

namespace mta {
namespace {

/// With that, one more character of three and the '=' of a soft break make 76.
constexpr std::size_t kFull = 72;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_plain(char c) { return is_blank(c) || (c > ' ' && c < 0x7F && c != '='); }

}  // namespace

bool QuotedPrintableLine::is_full() const { return line_.size() > kFull; }

void QuotedPrintableLine::add(char c) {
  if (is_plain(c)) {
    line_ += c;
  } else {
    encode(c);
  }
}

void QuotedPrintableLine::encode(char c) {
  line_ += '=';
  libconf::append_hex(line_, c);
}

void QuotedPrintableLine::end() {
  if (line_.empty() || !is_blank(line_.back())) return;
  const char last = line_.back();
  line_.pop_back();
  encode(last);
}

}  // namespace mta
