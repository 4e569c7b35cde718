#include "libmaps/tcp_protocol.h"

#include "libconf/hex.h"
#include "libconf/text.h"

namespace libmaps {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The value of a hexadecimal digit, or -1.
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string tcp_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c > ' ' && c < '\x7f' && c != '%') {
      out += c;
      continue;
    }
    out += '%';
    libconf::append_hex(out, c);
  }
  return out;
}

std::optional<std::string> tcp_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(16 * high + low);
    i += 2;
  }
  return out;
}

TcpReply parse_tcp_reply(std::string_view line) {
  using Status = TcpReply::Status;
  if (line.size() < 4 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]) ||
      !libconf::is_space(line[3]))
    return {};
  std::optional<std::string> text = tcp_decode(line.substr(4));
  if (!text) return {};
  const std::string_view code = line.substr(0, 3);
  if (code == "200") return {Status::kFound, std::move(*text)};
  if (code == "500") return {Status::kNotFound, {}};
  if (code == "400") return {Status::kTemporary, {}};
  return {Status::kBadStatus, {}};
}

}  // namespace libmaps
