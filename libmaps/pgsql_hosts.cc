#include "libmaps/pgsql_hosts.h"

#include <algorithm>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;

void remove_prefix(std::string_view& text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
}

PgsqlHost parse_host(std::string_view text, const std::string& root) {
  if (is_pgsql_uri(text)) return {.text = redact_pgsql_uri(text), .uri = std::string(text)};
  PgsqlHost host{.text = std::string(text)};
  remove_prefix(text, "unix:");
  remove_prefix(text, "inet:");
  const std::size_t colon = text.starts_with('/') ? std::string_view::npos : text.rfind(':');
  std::string_view name = text.substr(0, colon);
  if (colon != std::string_view::npos) host.port = text.substr(colon + 1);
  // A bracketed address has colons of its own.
  if (text.starts_with('[') && text.ends_with(']')) {
    name = text;
    host.port.clear();
  }
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  host.name = name;
  host.is_local = name.empty() || name.starts_with('/');
  if (host.is_local) host.root = root;
  return host;
}

/// Where a password may be in `connection`: all but what certainly is something else.
std::string secret_part(std::string_view connection) {
  std::string_view user_info;
  if (is_pgsql_uri(connection)) {
    const std::size_t colon = connection.find(':', connection.find("://") + 3);
    const std::size_t at = connection.rfind('@');
    if (colon < at && at != std::string_view::npos) user_info = connection.substr(colon, at - colon);
  }
  const std::size_t named = connection.find("password");
  return concat(user_info, named == std::string_view::npos ? "" : connection.substr(named));
}

}  // namespace

bool is_pgsql_uri(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

std::vector<PgsqlHost> parse_pgsql_hosts(std::string_view text, const std::string& root) {
  std::vector<PgsqlHost> hosts;
  while (const auto word = libconf::next_word(text, libconf::kListSeparators))
    hosts.push_back(parse_host(*word, root));
  if (hosts.empty()) hosts.push_back({.text = "localhost", .name = "localhost"});
  return hosts;
}

std::string redact_pgsql_uri(std::string_view uri) {
  const std::size_t start = uri.find("://") + 3;
  const std::string_view scheme = uri.substr(0, start);
  const std::string_view rest = uri.substr(start);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::size_t last_at = rest.rfind('@');
  const std::string_view first = rest.substr(0, std::min(rest.find_first_of(":@/?#"), rest.size()));
  if (last_at == std::string_view::npos) {
    // Brackets have the colons of an address.
    if (rest.starts_with('['))
      return concat(scheme, rest.substr(0, std::min(rest.find(']') + 1, rest.size())));
    return concat(scheme, first);
  }
  // An '@' further on can be a part of a password with a '/' or '?' in it, which would be shown as the host.
  if (last_at > end) return concat(scheme, first);
  const std::string_view host = rest.substr(last_at + 1, end - last_at - 1);
  const std::size_t host_end = host.starts_with('[') ? std::min(host.find(']') + 1, host.size())
                                                     : std::min(host.find(':'), host.size());
  return concat(scheme, first, "@", host.substr(0, host_end));
}

std::string hide_password(std::string_view message, std::string_view connection) {
  const std::string secret = secret_part(connection);
  std::string out;
  while (!secret.empty()) {
    const std::size_t open = message.find('"');
    const std::size_t close = open == std::string_view::npos ? open : message.find('"', open + 1);
    if (close == std::string_view::npos) break;
    const std::string_view quoted = message.substr(open + 1, close - open - 1);
    out += message.substr(0, open + 1);
    out += secret.find(quoted) == std::string::npos || quoted == "=" ? quoted : "...";
    out += '"';
    message.remove_prefix(close + 1);
  }
  return out.append(message);
}

}  // namespace libmaps
