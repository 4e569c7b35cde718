// Which networks are trusted.
#include <algorithm>
#include <array>
#include <charconv>

#include "libconf/text.h"
#include "libmaps/cidr_rules.h"
#include "libmaps/network_pattern.h"
#include "libmaps/source_reader.h"
#include "tools/postlint/rules/rules.h"

namespace postlint::rules {

using libconf::concat;

namespace {

/// Networks that are not routed on the Internet: RFC 1918, 6598, 3927, 1122, 4193, 4291.
constexpr std::array<std::string_view, 9> kPrivateNetworks = {
    "10.0.0.0/8",  "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
    "127.0.0.0/8", "fc00::/7",      "fe80::/10",      "::1/128",
};

/// Public networks up to these sizes may well be one organisation's own.
constexpr int kWidestIpv4 = 16;
constexpr int kWidestIpv6 = 32;

template <class Address>
bool is_within(const libmaps::IpNetwork<Address>& inner, const libmaps::IpNetwork<Address>& outer) {
  return inner.length >= outer.length && outer.contains(inner.address);
}

template <class Address>
bool is_private(const libmaps::IpNetwork<Address>& network) {
  for (const std::string_view text : kPrivateNetworks) {
    const auto known = libmaps::parse_network_pattern(text);
    const auto* same_family = known ? std::get_if<libmaps::IpNetwork<Address>>(&*known) : nullptr;
    if (same_family != nullptr && is_within(network, *same_family)) return true;
  }
  return false;
}

std::string too_wide(const libmaps::NetworkPattern& pattern) {
  return std::visit(
      []<class Address>(const libmaps::IpNetwork<Address>& network) -> std::string {
        constexpr int kWidest = Address::kBits == 32 ? kWidestIpv4 : kWidestIpv6;
        if (network.length == 0) return "every client is trusted";
        if (network.length < kWidest && !is_private(network))
          return concat("a public network of /", std::to_string(network.length), " is trusted");
        return {};
      },
      pattern);
}

}  // namespace

void mynetworks_wide(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    for (const std::string& word : words_of(server.settings, "mynetworks")) {
      const auto pattern = libmaps::parse_network_pattern(word);
      const std::string problem = pattern ? too_wide(*pattern) : std::string();
      if (!problem.empty())
        findings.add(site.place_of(server.settings, "mynetworks", word), concat(word, ": ", problem));
    }
  }
}

void mynetworks_style(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    const libconf::Settings& settings = server.settings;
    const std::string style = value_of(settings, "mynetworks_style");
    if (server.is_local_only || settings.explicit_setting("mynetworks") ||
        (style != "subnet" && style != "class"))
      continue;
    findings.add(site.place_of(settings, "mynetworks_style"),
                 concat("mynetworks is not set, and mynetworks_style = ", style,
                        ": all neighbours of the host are trusted"));
  }
}

void v6_nat_gap(const SiteModel& site, Findings& findings) {
  // Where Docker puts the bridges of its networks: the gateway of each is the first address.
  constexpr int kFirstBridge = 17;
  constexpr int kLastBridge = 31;
  const auto trusts_gateway = [](const libmaps::NetworkPattern& pattern) {
    const auto* network = std::get_if<libmaps::IpNetwork<libmaps::Ipv4Address>>(&pattern);
    if (network == nullptr || network->length == 0 || network->length == libmaps::Ipv4Address::kBits)
      return false;
    for (int i = kFirstBridge; i <= kLastBridge; ++i)
      if (network->contains(*libmaps::parse_ipv4(concat("172.", std::to_string(i), ".0.1")))) return true;
    return false;
  };
  for (const SmtpServer& server : site.smtp_servers()) {
    const libconf::Settings& settings = server.settings;
    const std::vector<std::string> protocols = words_of(settings, "inet_protocols");
    const bool has_ipv6 = std::any_of(protocols.begin(), protocols.end(), [](const std::string& each) {
      return each == "all" || each == "ipv6";
    });
    if (server.is_local_only || !has_ipv6) continue;
    for (const std::string& word : words_of(settings, "mynetworks")) {
      const auto pattern = libmaps::parse_network_pattern(word);
      if (pattern && trusts_gateway(*pattern))
        findings.add(
            site.place_of(settings, "mynetworks", word),
            concat(word,
                   " has the gateway of a container network: clients that come over IPv6 to a container "
                   "without IPv6 have its address"));
    }
  }
}

namespace {

/// Parameters that hold networks.
constexpr std::array<std::string_view, 8> kNetworkLists = {
    "debug_peer_list",
    "mynetworks",
    "permit_mx_backup_networks",
    "qmqpd_authorized_clients",
    "smtpd_authorized_verp_clients",
    "smtpd_authorized_xclient_hosts",
    "smtpd_authorized_xforward_hosts",
    "smtpd_client_event_limit_exceptions",
};

constexpr std::string_view kHostBits = "non-null host address bits";

/// The number in "cidr map FILE, line 12: ..."; 0: there is none.
int line_told_in(std::string_view message) {
  constexpr std::string_view kLine = ", line ";
  const std::size_t at = message.find(kLine);
  int number = 0;
  if (at != std::string_view::npos)
    std::from_chars(message.data() + at + kLine.size(), message.data() + message.size(), number);
  return number;
}

}  // namespace

void cidr_host_bits(const SiteModel& site, Findings& findings) {
  for_each_setting(site, [&](const libconf::Settings& settings, std::string_view name) {
    if (std::find(kNetworkLists.begin(), kNetworkLists.end(), name) == kNetworkLists.end()) return;
    for (const std::string& word : words_of(settings, name)) {
      const std::string_view address = std::string_view(word).substr(word.starts_with('!') ? 1 : 0);
      const auto pattern = libmaps::parse_network_pattern(address);
      if (!pattern && pattern.error().message.find(kHostBits) != std::string::npos)
        findings.add(site.place_of(settings, name, word), pattern.error().message);
    }
  });
  for (const TableUse& use : site.table_uses()) {
    const std::optional<std::string> file = site.files().path(use.name);
    if (use.type != "cidr" || use.name.starts_with('{') || !file) continue;
    auto reader = libmaps::SourceReader::open_file(*file);
    if (!reader) continue;
    libconf::DiagnosticList list;
    const auto rules = libmaps::read_cidr_rules(*reader, list);
    for (const libconf::Diagnostic& each : list.items())
      if (const std::size_t at = each.message.find(kHostBits); at != std::string::npos)
        findings.add({.file = *file, .line = line_told_in(each.message)}, each.message.substr(at));
  }
}

void xclient_wide(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.is_local_only) continue;
    for (const std::string_view name :
         {"smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts"}) {
      for (const std::string& word : words_of(server.settings, name)) {
        const auto pattern = libmaps::parse_network_pattern(word);
        const std::string problem = pattern ? too_wide(*pattern) : std::string();
        if (!problem.empty())
          findings.add(site.place_of(server.settings, name, word),
                       concat(word, ": ", problem, " to say who the client is"));
      }
    }
  }
}

}  // namespace postlint::rules
