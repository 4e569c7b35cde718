// Where mail goes: transports, content filters, the relayhost.
#include <algorithm>
#include <array>

#include "libconf/table_reference.h"
#include "libconf/text.h"
#include "tools/mta/address/route.h"
#include "tools/postlint/rules/rules.h"
#include "tools/postlint/smtp_endpoint.h"
#include "tools/postlint/table_store.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;

namespace {

/// Parameters whose value is `transport` or `transport:nexthop`.
constexpr std::array<std::string_view, 8> kTransportParameters = {
    "content_filter",    "default_transport", "fallback_transport", "local_transport",
    "mailbox_transport", "relay_transport",   "virtual_transport",  "address_verify_default_transport",
};

/// Parameters whose tables have such values.
constexpr std::array<std::string_view, 4> kTransportTables = {
    "fallback_transport_maps",
    "mailbox_transport_maps",
    "sender_dependent_default_transport_maps",
    "transport_maps",
};

bool has_transport(const SiteModel& site, std::string_view name) {
  return std::any_of(site.services().begin(), site.services().end(), [&](const Service& service) {
    return service.service().service() == name && service.service().type() != "inet";
  });
}

void check_transport(const SiteModel& site, std::string_view value, const Place& place, Findings& findings) {
  const std::string transport = mta::split_route(value).transport;
  if (!transport.empty() && !has_transport(site, transport))
    findings.add(place, concat("master.cf has no service ", transport));
}

}  // namespace

void transport_undefined(const SiteModel& site, Findings& findings) {
  if (site.master_cf() == nullptr) return;
  for_each_setting(site, [&](const Settings& settings, std::string_view name) {
    if (std::find(kTransportParameters.begin(), kTransportParameters.end(), name) ==
        kTransportParameters.end())
      return;
    const std::string value = value_of(settings, name);
    check_transport(site, value, site.place_of(settings, name, value), findings);
  });
  for (const TableUse& use : site.table_uses()) {
    if (std::find(kTransportTables.begin(), kTransportTables.end(), use.parameter) == kTransportTables.end())
      continue;
    for (const TableEntry& entry : site.tables().entries(use.type, use.name))
      check_transport(site, entry.value,
                      {.file = site.files().path(use.name).value_or(use.name), .line = entry.line}, findings);
  }
}

namespace {

/// The service that `transport` of a content filter is; nullptr: none.
const Service* filter_service(const SiteModel& site, const std::string& filter) {
  return site.find_service(mta::split_route(filter).transport, "unix");
}

}  // namespace

void filter_loop(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "content_filter";
  const std::string filter = value_of(site.settings(), kName);
  if (filter.empty()) return;
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.service == nullptr || !server.is_local_only || server.role != SmtpRole::kOther) continue;
    if (value_of(server.settings, kName) == filter)
      findings.add(site.place_of(*server.service),
                   concat("what the filter returns here is filtered again: content_filter = ", filter));
  }
  const Service* service = filter_service(site, filter);
  const Service* pickup = site.find_service("pickup", "unix");
  if (service != nullptr && service->program() == "pipe" && pickup != nullptr &&
      value_of(pickup->settings, kName) == filter)
    findings.add(site.place_of(site.settings(), kName),
                 concat("what ", filter,
                        " returns by sendmail is filtered again: content_filter counts for pickup, too"));
}

namespace {

struct NextHop {
  std::string host;
  std::string port;
  bool has_brackets = false;
};

NextHop next_hop(std::string_view text) {
  NextHop hop;
  if (text.starts_with('[')) {
    hop.has_brackets = true;
    const std::size_t close = std::min(text.find(']'), text.size());
    hop.host = text.substr(1, close - 1);
    text.remove_prefix(std::min(close + 1, text.size()));
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    hop.host = text.substr(0, colon);
    text.remove_prefix(colon);
  }
  if (text.starts_with(':')) hop.port = text.substr(1);
  return hop;
}

bool is_this_host(const SiteModel& site, const NextHop& hop) {
  const bool is_smtp = hop.port.empty() || hop.port == "25" || hop.port == "smtp";
  if (!is_smtp) return false;
  if (hop.host.starts_with("127.") || hop.host == "localhost" || hop.host == "::1") return true;
  if (libconf::equals_ignoring_case(hop.host, value_of(site.settings(), "myhostname"))) return true;
  for (const std::string_view parameter : {"inet_interfaces", "proxy_interfaces", "mydestination"}) {
    const std::vector<std::string> words = words_of(site.settings(), parameter);
    if (std::any_of(words.begin(), words.end(),
                    [&](const std::string& word) { return libconf::equals_ignoring_case(word, hop.host); }))
      return true;
  }
  return false;
}

}  // namespace

void relayhost_loop(const SiteModel& site, Findings& findings) {
  const std::string relayhost = value_of(site.settings(), "relayhost");
  if (relayhost.empty() || !is_this_host(site, next_hop(relayhost))) return;
  findings.add(site.place_of(site.settings(), "relayhost", relayhost),
               concat(relayhost, " is this host itself"));
}

void relayhost_mx(const SiteModel& site, Findings& findings) {
  const std::string relayhost = value_of(site.settings(), "relayhost");
  const NextHop hop = next_hop(relayhost);
  // A name with three labels or more is a host's, most often; its domain has the MX records.
  const bool looks_like_host = std::count(hop.host.begin(), hop.host.end(), '.') >= 2;
  if (relayhost.empty() || hop.has_brackets || !looks_like_host) return;
  findings.add(site.place_of(site.settings(), "relayhost", relayhost),
               concat("mail goes to the MX hosts of ", hop.host, ", not to that host"));
}

}  // namespace postlint::rules
