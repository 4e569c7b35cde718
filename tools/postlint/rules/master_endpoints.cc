// Where services find milters, policy servers, SASL and LMTP servers.
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <functional>
#include <system_error>

#include "libconf/service_root.h"
#include "libconf/text.h"
#include "tools/postlint/rules/master.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/tls_views.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;

namespace {

/// Another server that a setting names, and who connects to it.
struct NamedEndpoint {
  const Settings& settings;
  std::string parameter;
  std::string text;  ///< "unix:/run/opendkim/sock", as it is written.
  bool is_milter = false;
  std::string path = {};  ///< Of a UNIX-domain socket; empty: it is none.
};

using Visit = std::function<void(const NamedEndpoint&)>;

std::string unix_path(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  return text.starts_with(kUnix) ? std::string(text.substr(kUnix.size())) : std::string();
}

void visit_milters(const Settings& settings, std::string_view parameter, const Visit& visit) {
  const std::string value = value_of(settings, parameter);
  std::string_view rest = value;
  while (const auto word = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    std::string_view text = *word;
    if (text.starts_with('{')) {
      text.remove_prefix(1);
      text = libconf::next_word(text, ", \t\r\n}").value_or("");
    }
    visit({settings, std::string(parameter), std::string(text), true, unix_path(text)});
  }
}

void visit_sasl(const Settings& settings, const Visit& visit) {
  if (!offers_auth(settings) || !is_set(settings, "smtpd_sasl_path") ||
      !libconf::equals_ignoring_case(value_of(settings, "smtpd_sasl_type"), "dovecot"))
    return;
  const std::string text = value_of(settings, "smtpd_sasl_path");
  const bool is_inet = text.starts_with("inet:");
  const std::string path = text.starts_with("unix:") ? unix_path(text) : text;
  visit({settings, "smtpd_sasl_path", text, false, is_inet ? std::string() : path});
}

/// "lmtp:unix:private/dovecot-lmtp"
void visit_deliveries(const Settings& settings, const Visit& visit) {
  constexpr std::array<std::string_view, 6> kDestinations = {"mailbox_transport", "virtual_transport",
                                                             "local_transport",   "default_transport",
                                                             "relay_transport",   "content_filter"};
  for (const std::string_view parameter : kDestinations) {
    const std::string value = value_of(settings, parameter);
    const std::size_t colon = value.find(":unix:");
    if (colon != std::string::npos)
      visit({settings, std::string(parameter), value.substr(colon + 1), false,
             unix_path(std::string_view(value).substr(colon + 1))});
  }
}

/// All endpoints, each with the settings of the service that connects there.
void for_each_endpoint(const SiteModel& site, const Visit& visit) {
  for (const SmtpServer& server : site.smtp_servers()) {
    visit_milters(server.settings, "smtpd_milters", visit);
    visit_sasl(server.settings, visit);
  }
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    if (const auto* policy = std::get_if<mta::PolicyServiceSettings>(&at.restriction.argument))
      visit({at.server.settings, std::string(at.list.parameter), policy->endpoint, false,
             policy->is_unix ? unix_path(policy->endpoint) : std::string()});
  });
  if (site.master_cf() == nullptr) visit_milters(site.settings(), "non_smtpd_milters", visit);
  for (const Service& service : site.services()) {
    if (service.is_replaced) continue;
    if (service.program() == "cleanup") visit_milters(service.settings, "non_smtpd_milters", visit);
    if (service.program() == "lmtp") visit_deliveries(service.settings, visit);
  }
}

/// Whether Postfix has run on this host: its sockets are there. On an image nothing is that others make when
/// they start.
bool has_run(const SiteModel& site) {
  const auto directory = site.files().path(concat(value_of(site.settings(), "queue_directory"), "/private"));
  std::error_code failed;
  if (!directory || !site.files().is_whole_host()) return false;
  for (const auto& entry : std::filesystem::directory_iterator(*directory, failed)) {
    std::error_code unknown;
    if (entry.is_socket(unknown)) return true;
  }
  return false;
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

}  // namespace

void endpoint(const SiteModel& site, Findings& findings) {
  const bool is_live = has_run(site);
  for_each_endpoint(site, [&](const NamedEndpoint& named) {
    if (named.path.empty()) return;
    const auto root = libconf::ServiceRoot::of(named.settings);
    if (!root) return;
    const Place place = site.place_of(named.settings, named.parameter, named.text);
    if (root->is_confined && is_below(named.path, root->queue_directory))
      return findings.add(place, concat("the service is confined to ", root->queue_directory,
                                        ", and looks for ", root->queue_directory, named.path));
    if (!site.files().is_whole_host()) return;
    const libconf::RootedPath at = root->at(named.path);
    const std::string path = at.root.empty() ? at.path : concat(at.root, "/", at.path);
    if (site.files().state(path) != FileState::kMissing) return;
    if (root->is_confined && named.path.starts_with('/') &&
        site.files().state(named.path) == FileState::kPresent)
      findings.add(place, concat(named.path, " is outside of the chroot ", root->queue_directory));
    else if (is_live)
      findings.add(place, concat("there is no socket ", path));
  });
}

void endpoint_form(const SiteModel& site, Findings& findings) {
  for_each_endpoint(site, [&](const NamedEndpoint& named) {
    if (!named.is_milter) return;
    const Place place = site.place_of(named.settings, named.parameter, named.text);
    constexpr std::string_view kInet = "inet:";
    if (!named.path.empty()) return;
    if (!named.text.starts_with(kInet))
      return findings.add(place, concat("\"", named.text, "\" starts with neither unix: nor inet:"));
    const std::string_view address = std::string_view(named.text).substr(kInet.size());
    const std::size_t colon = address.rfind(':');
    if (address.find('@') != std::string_view::npos)
      findings.add(place, concat("\"", named.text, "\" is how Sendmail writes it: inet:HOST:PORT"));
    else if (colon == std::string_view::npos || colon + 1 == address.size() || address.back() == ']')
      findings.add(place, concat("\"", named.text, "\" has no port: inet:HOST:PORT"));
  });
}

}  // namespace postlint::rules
