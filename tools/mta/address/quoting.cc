#include "tools/mta/address/quoting.h"

#include <cstddef>

namespace mta {
namespace {

constexpr std::string_view kNotInAtoms = "()<>@,;:\\\"[] ";

/// The length of `@a,@b:` at the start of an address; 0: there is none.
std::size_t route_length(std::string_view address) {
  if (!address.starts_with('@')) return 0;
  const std::size_t colon = address.find(':');
  return colon == std::string_view::npos ? 0 : colon + 1;
}

bool is_dot_atom(std::string_view local) {
  if (local.empty() || local.front() == '.' || local.back() == '.') return false;
  char before = 0;
  for (const char c : local) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7F || kNotInAtoms.find(c) != std::string_view::npos) return false;
    if (c == '.' && before == '.') return false;
    before = c;
  }
  return true;
}

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '\r') out += '\\';
    out += c;
  }
  out += '"';
}

/// Where the local part ends: at the last '@' outside quotes.
std::size_t local_length(std::string_view external) {
  bool is_quoted = false;
  std::size_t length = external.size();
  for (std::size_t i = 0; i < external.size(); ++i) {
    if (external[i] == '\\')
      ++i;
    else if (external[i] == '"')
      is_quoted = !is_quoted;
    else if (external[i] == '@' && !is_quoted)
      length = i;
  }
  return length;
}

}  // namespace

std::string quote_address(std::string_view internal) {
  if (internal.empty()) return {};
  const std::size_t route = route_length(internal);
  std::string out(internal.substr(0, route));
  internal.remove_prefix(route);
  const std::string_view local = internal.substr(0, internal.rfind('@'));
  if (is_dot_atom(local))
    out += local;
  else
    append_quoted(local, out);
  return out += internal.substr(local.size());
}

std::string unquote_address(std::string_view external) {
  const std::size_t route = route_length(external);
  std::string out(external.substr(0, route));
  external.remove_prefix(route);
  const std::size_t length = local_length(external);
  for (std::size_t i = 0; i < length; ++i) {
    if (external[i] == '"') continue;
    if (external[i] == '\\' && ++i == length) break;
    out += external[i];
  }
  return out += external.substr(length);
}

}  // namespace mta
