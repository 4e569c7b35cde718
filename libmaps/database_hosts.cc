#include "libmaps/database_hosts.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <charconv>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::Result;

Error unknown(std::string_view service) {
  return configuration_error(concat("unknown service: ", service, "/tcp"));
}

Result<int> parse_port(const std::string& service) {
  if (!libconf::is_all_digits(service)) {
    const servent* const entry = ::getservbyname(service.c_str(), "tcp");
    if (entry == nullptr) return unknown(service);
    return ntohs(static_cast<std::uint16_t>(entry->s_port));
  }
  constexpr int kHighest = 65535;
  int port = 0;
  const auto [end, failed] = std::from_chars(service.data(), service.data() + service.size(), port);
  if (failed != std::errc() || port > kHighest)
    return configuration_error(concat("bad port number: ", service));
  if (port == 0) return unknown(service);
  return port;
}

Result<DatabaseHost> parse_host(std::string_view text) {
  DatabaseHost host{.text = std::string(text)};
  host.is_local = text.starts_with("unix:");
  if (host.is_local || text.starts_with("inet:")) text.remove_prefix(5);
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  const std::size_t end = bracket == std::string_view::npos ? text.rfind(':') : bracket + 1;
  host.name = bracket == std::string_view::npos ? text.substr(0, end) : text.substr(1, bracket - 1);
  if (end >= text.size()) return host;
  if (text[end] != ':') return configuration_error(concat("bad host: ", host.text));
  const Result<int> port = parse_port(std::string(text.substr(end + 1)));
  if (!port) return port.error();
  host.port = *port;
  return host;
}

}  // namespace

Result<std::vector<DatabaseHost>> parse_database_hosts(std::string_view text, const std::string& root) {
  std::vector<DatabaseHost> hosts;
  while (const auto word = libconf::next_word(text, libconf::kListSeparators)) {
    Result<DatabaseHost> host = parse_host(*word);
    if (!host) return host.error();
    if (host->is_local) host->root = root;
    hosts.push_back(std::move(*host));
  }
  if (hosts.empty()) hosts.push_back({.text = "localhost", .name = "localhost"});
  return hosts;
}

}  // namespace libmaps
