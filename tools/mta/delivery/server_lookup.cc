#include "tools/mta/delivery/server_lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <random>
#include <system_error>

#include "libconf/text.h"
#include "tools/mta/daemon/event_loop.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Result;

Result<unsigned short> port_of(const std::string& text) {
  unsigned short port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc() && end == text.data() + text.size() && port != 0) return port;
  servent entry{};
  servent* found = nullptr;
  char buffer[2048];
  if (getservbyname_r(text.c_str(), "tcp", &entry, buffer, sizeof buffer, &found) != 0 || !found)
    return configuration_error(concat("unknown service: ", text, "/tcp"));
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

DeliveryFault lookup_fault(std::string_view name, DnsType type, DnsStatus status) {
  const char* code = is_temporary(status) ? "4.4.3" : "5.4.4";
  if (status == DnsStatus::kFiltered) code = "4.7.0";
  return {.status = code, .text = lookup_error(name, type, status)};
}

DeliveryFault native_fault(std::string_view name, int code) {
  const char* status = code == EAI_NONAME ? "5.4.4" : code == EAI_AGAIN ? "4.4.3" : "5.3.0";
  std::string reason = gai_strerror(code);
  if (code == EAI_SYSTEM) {
    status = "4.3.0";
    reason = std::generic_category().message(errno);
  }
  return {.status = status, .text = concat("unable to look up host ", name, ": ", reason)};
}

}  // namespace

std::string MailServer::host() const { return concat(name, "[", address, "]"); }

std::string MailServer::relay() const {
  return port == 0 ? host() : concat(host(), ":", std::to_string(port));
}

Result<ServerDestination> parse_destination(std::string_view nexthop, const SmtpClientOptions& options) {
  ServerDestination destination;
  if (options.is_lmtp() && nexthop.starts_with("unix:")) {
    destination.written_path = nexthop.substr(5);
    destination.path = options.root.at(destination.written_path);
    destination.name = options.myhostname;
    return destination;
  }
  destination.is_host = options.is_lmtp();
  std::string_view text = nexthop;
  if (options.is_lmtp() && text.starts_with("inet:")) text.remove_prefix(5);
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos)
      return configuration_error(concat("missing \"]\" in server description: ", nexthop));
    destination.name = text.substr(1, close - 1);
    destination.is_host = true;
    port = text.substr(close + 1);
    if (!port.empty() && port[0] != ':')
      return configuration_error(concat("garbage after \"]\" in server description: ", nexthop));
    if (!port.empty()) port.remove_prefix(1);
  } else {
    const std::size_t colon = text.rfind(':');
    destination.name = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  std::string_view name = destination.name;
  if (name.starts_with("IPv6:")) destination.name = name.substr(5);
  const Result<unsigned short> number = port_of(port.empty() ? options.default_port : std::string(port));
  if (!number) return number.error();
  destination.port = *number;
  return destination;
}

bool ServerFinder::is_own(const MailServer& server) const {
  if (options_.is_lmtp() || server.port != kSmtpPort) return false;
  const auto address = libmaps::parse_ip_address(server.address);
  return address && std::find(own_addresses_.begin(), own_addresses_.end(), *address) != own_addresses_.end();
}

/// Without this system, and all that are no better than it (RFC 5321, section 5.1).
ServerLookup ServerFinder::without_own(ServerLookup found, std::string_view name) const {
  auto& servers = found.servers;
  const auto own =
      std::find_if(servers.begin(), servers.end(), [&](const auto& each) { return is_own(each); });
  if (own == servers.end()) return found;
  const int preference = own->preference;
  std::erase_if(servers, [&](const MailServer& each) { return each.preference >= preference; });
  found.is_loop = servers.empty();
  if (found.is_loop)
    found.fault =
        DeliveryFault{.status = "5.4.6", .text = concat("mail for ", name, " loops back to myself")};
  return found;
}

void ServerFinder::sort(Servers& servers) {
  if (options_.randomizes) {
    thread_local std::minstd_rand random(std::random_device{}());
    std::shuffle(servers.begin(), servers.end(), random);
  }
  const auto is_second_choice = [this](const MailServer& server) {
    const bool is_ipv6 = server.address.find(':') != std::string::npos;
    return (options_.preference == AddressPreference::kIpv4 && is_ipv6) ||
           (options_.preference == AddressPreference::kIpv6 && !is_ipv6);
  };
  std::stable_sort(servers.begin(), servers.end(), [&](const MailServer& a, const MailServer& b) {
    if (a.preference != b.preference) return a.preference < b.preference;
    return !is_second_choice(a) && is_second_choice(b);
  });
}

std::optional<DeliveryFault> ServerFinder::add_native(Servers& servers, const std::string& name,
                                                      const MailServer& like) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  if (!options_.has_ipv6) hints.ai_family = AF_INET;
  if (!options_.has_ipv4) hints.ai_family = AF_INET6;
  addrinfo* list = nullptr;
  int code = 0;
  {
    const EventLoop::Pause pause;
    code = getaddrinfo(name.c_str(), nullptr, &hints, &list);
  }
  if (code != 0) return native_fault(name, code);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(list, freeaddrinfo);
  for (const addrinfo* each = list; each; each = each->ai_next) {
    char address[NI_MAXHOST];
    if (getnameinfo(each->ai_addr, each->ai_addrlen, address, sizeof address, nullptr, 0, NI_NUMERICHOST) !=
        0)
      continue;
    servers.push_back(like);
    servers.back().address = address;
  }
  return std::nullopt;
}

/// Whoever asks for validation, and gets none, is told once if there is none at all.
asio::awaitable<void> ServerFinder::note_validation(bool is_validated) {
  knows_validation_ |= !options_.uses_dnssec || options_.dnssec_probe.empty() || is_validated;
  if (std::exchange(knows_validation_, true)) co_return;
  const std::size_t colon = std::min(options_.dnssec_probe.find(':'), options_.dnssec_probe.size());
  const std::optional<DnsType> type = find_dns_type(std::string_view(options_.dnssec_probe).substr(0, colon));
  if (!type) co_return;
  std::string name = options_.dnssec_probe.substr(std::min(colon + 1, options_.dnssec_probe.size()));
  const DnsAnswer probed = co_await resolver_.resolve(std::move(name), *type);
  if (probed.is_validated) co_return;
  const bool is_silent = is_temporary(probed.status);
  warnings_.warn("dnssec", "DNSSEC validation may be unavailable");
  warnings_.warn("dnssec", concat("reason: dnssec_probe '", options_.dnssec_probe, "' received ",
                                  is_silent ? concat("no response: ", describe(probed.status))
                                            : std::string("a response that is not DNSSEC validated")));
}

/// The addresses of a host, each a server `like` that. A fault: there are none.
asio::awaitable<std::optional<DeliveryFault>> ServerFinder::add_host(Servers& servers, std::string name,
                                                                     MailServer like) {
  if (const auto address = libmaps::parse_ip_address(name)) {
    like.address = libmaps::to_string(*address);
    servers.push_back(std::move(like));
    co_return std::nullopt;
  }
  std::optional<DeliveryFault> fault;
  if (options_.asks_dns) {
    const std::size_t before = servers.size();
    for (const DnsType type : {DnsType::kA, DnsType::kAaaa}) {
      const bool is_wanted = type == DnsType::kA ? options_.has_ipv4 : options_.has_ipv6;
      if (!is_wanted) continue;
      const DnsAnswer answer = co_await resolver_.resolve(name, type);
      if (!knows_validation_) co_await note_validation(answer.is_validated);
      like.is_secure = options_.uses_dnssec && answer.is_validated;
      like.canonical_name = like.is_secure ? answer.name : "";
      for (const DnsRecord& record : answer.records) {
        servers.push_back(like);
        servers.back().address = record.data;
      }
      if (answer.status == DnsStatus::kFound) continue;
      // What may be there later is not taken for what is not there.
      DeliveryFault missing = lookup_fault(name, type, answer.status);
      if (!fault || !fault->is_temporary() || missing.is_temporary()) fault = std::move(missing);
    }
    if (servers.size() > before) co_return std::nullopt;
    if (fault && fault->is_temporary()) co_return fault;
  }
  if (options_.asks_native) co_return add_native(servers, name, like);
  co_return fault;
}

asio::awaitable<ServerLookup> ServerFinder::find_host(std::string name, unsigned short port,
                                                      bool has_secure_name) {
  ServerLookup found;
  MailServer like{.name = name, .port = port, .has_secure_name = has_secure_name};
  found.fault = co_await add_host(found.servers, name, std::move(like));
  sort(found.servers);
  co_return without_own(std::move(found), name);
}

asio::awaitable<ServerLookup> ServerFinder::find_domain(std::string name, unsigned short port) {
  const DnsAnswer answer = co_await resolver_.resolve(name, DnsType::kMx);
  if (!knows_validation_) co_await note_validation(answer.is_validated);
  ServerLookup found;
  if (is_temporary(answer.status) && !options_.ignores_mx_error) {
    found.fault = lookup_fault(name, DnsType::kMx, answer.status);
    co_return found;
  }
  if (answer.status != DnsStatus::kFound)
    co_return co_await find_host(std::move(name), port, options_.uses_dnssec && answer.is_validated);
  if (answer.records.size() == 1 && answer.records[0].data.empty()) {
    found.fault =
        DeliveryFault{.status = "5.1.0", .text = concat("Domain ", name, " does not accept mail (nullMX)")};
    co_return found;
  }
  std::optional<DeliveryFault> fault;
  for (const DnsRecord& record : answer.records) {
    if (libmaps::parse_ip_address(record.data))
      warnings_.report({.severity = libconf::Severity::kWarning,
                        .message = concat("numeric domain name in resource data of MX record for ", name,
                                          ": ", record.data)});
    MailServer like{.name = record.data,
                    .port = port,
                    .preference = record.preference,
                    .has_secure_name = options_.uses_dnssec && answer.is_validated};
    std::optional<DeliveryFault> missing = co_await add_host(found.servers, record.data, std::move(like));
    if (missing && (!fault || !fault->is_temporary() || missing->is_temporary())) fault = std::move(missing);
  }
  if (found.servers.empty()) {
    warnings_.report({.severity = libconf::Severity::kWarning,
                      .message = concat("no MX host for ", name, " has a valid address record")});
    found.fault = std::move(fault);
    if (options_.defers_without_mx && !found.fault->is_temporary()) found.fault->status[0] = '4';
    co_return found;
  }
  sort(found.servers);
  co_return without_own(std::move(found), name);
}

asio::awaitable<ServerLookup> ServerFinder::find(ServerDestination destination) {
  if (!destination.path.empty()) {
    ServerLookup found;
    found.servers.push_back(
        {.name = destination.name, .address = destination.written_path, .path = destination.path});
    co_return found;
  }
  const bool is_address = libmaps::parse_ip_address(destination.name).has_value();
  const bool has_exchangers = !destination.is_host && !is_address && options_.uses_dns;
  ServerLookup found;
  if (has_exchangers) {
    found = co_await find_domain(std::move(destination.name), destination.port);
  } else {
    // The nexthop is the host.
    found = co_await find_host(std::move(destination.name), destination.port, true);
  }
  if (options_.address_limit > 0 && found.servers.size() > options_.address_limit)
    found.servers.resize(options_.address_limit);
  co_return found;
}

}  // namespace mta
