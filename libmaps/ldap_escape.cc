#include "libmaps/ldap_escape.h"

#include <algorithm>
#include <iterator>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;

constexpr std::string_view kUriSchemes[] = {"ldap://", "ldaps://", "ldapi://", "cldap://"};

/// A backslash and two digits stand for any byte, in filters as in names.
void append_hex(char c, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += '\\';
  out += kDigits[byte >> 4];
  out += kDigits[byte & 0xf];
}

bool has_scheme(std::string_view text) {
  return std::any_of(std::begin(kUriSchemes), std::end(kUriSchemes), [text](std::string_view scheme) {
    return libconf::equals_ignoring_case(text.substr(0, scheme.size()), scheme);
  });
}

}  // namespace

void escape_ldap_filter(std::string_view text, std::string& out) {
  constexpr std::string_view kSpecial("*()\\\0", 5);
  for (const char c : text) {
    if (kSpecial.find(c) == std::string_view::npos)
      out += c;
    else
      append_hex(c, out);
  }
}

void escape_ldap_dn(std::string_view text, std::string& out) {
  constexpr std::string_view kSpecial = "\"+,;<=>\\";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_first = i == 0;
    const bool is_last = i + 1 == text.size();
    if (c == '\0') {
      append_hex(c, out);
      continue;
    }
    if (kSpecial.find(c) != std::string_view::npos || (c == '#' && is_first) ||
        (c == ' ' && (is_first || is_last)))
      out += '\\';
    out += c;
  }
}

std::vector<LdapServerUri> ldap_server_uris(std::string_view server_host, std::string_view default_port) {
  std::vector<LdapServerUri> uris;
  while (const auto server = libconf::next_word(server_host, libconf::kListSeparators)) {
    if (has_scheme(*server))
      uris.push_back({.uri = std::string(*server), .is_written = true});
    else if (server->find(':') != std::string_view::npos)
      uris.push_back({.uri = concat("ldap://", *server)});
    else
      uris.push_back({.uri = concat("ldap://", *server, ":", default_port)});
  }
  return uris;
}

}  // namespace libmaps
