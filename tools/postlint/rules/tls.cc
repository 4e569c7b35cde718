// Levels, protocols and ciphers, as each service has them.
#include "tools/postlint/rules/tls.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "libconf/text.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/tls_views.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;
using mta::ClientTlsLevel;
using mta::TlsLevel;

void tls_level_value(const SiteModel& site, Findings& findings) {
  constexpr std::array<std::string_view, 3> kOfServers = {"none", "may", "encrypt"};
  for (const SmtpServer& server : site.smtp_servers()) {
    const std::string value = value_of(server.settings, "smtpd_tls_security_level");
    const bool is_of_servers = std::any_of(kOfServers.begin(), kOfServers.end(), [&](std::string_view known) {
      return libconf::equals_ignoring_case(known, value);
    });
    if (value.empty() || is_of_servers) continue;
    findings.add(site.place_of(server.settings, "smtpd_tls_security_level", value),
                 server_level(server.settings)
                     ? concat("a server has no level \"", value, "\": it takes it for encrypt")
                     : concat("a server has no level \"", value, "\": smtpd does not start"));
  }
  for (const SmtpClient& client : smtp_clients(site))
    if (!client.level)
      findings.add(site.place_of(client.settings, client.level_parameter, client.level_name),
                   concat("there is no level \"", client.level_name, "\": smtp does not start"));
}

namespace {

/// One side of TLS, and the parameters that count for its level.
struct TlsSide {
  const Settings& settings;
  std::string prefix;  ///< "smtpd_" or "smtp_".
  bool is_mandatory;

  std::string protocols() const {
    return concat(prefix, is_mandatory ? "tls_mandatory_protocols" : "tls_protocols");
  }
  std::string ciphers() const {
    return concat(prefix, is_mandatory ? "tls_mandatory_ciphers" : "tls_ciphers");
  }
};

std::vector<TlsSide> tls_sides(const SiteModel& site) {
  std::vector<TlsSide> sides;
  for (const SmtpServer& server : site.smtp_servers()) {
    const auto level = server_level(server.settings);
    if (level && *level != TlsLevel::kNone)
      sides.push_back({server.settings, "smtpd_", *level == TlsLevel::kEncrypt});
  }
  for (const SmtpClient& client : smtp_clients(site))
    if (client.level && *client.level != ClientTlsLevel::kNone)
      sides.push_back({client.settings, "smtp_", client.level >= ClientTlsLevel::kEncrypt});
  return sides;
}

}  // namespace

void tls_protocol_value(const SiteModel& site, Findings& findings) {
  for (const TlsSide& side : tls_sides(site)) {
    const std::string protocols = value_of(side.settings, side.protocols());
    if (const auto parsed = mta::parse_tls_protocols(protocols); !parsed)
      findings.add(site.place_of(side.settings, side.protocols(), protocols), parsed.error().message);
    const std::string grade = value_of(side.settings, side.ciphers());
    if (const auto list = mta::cipher_list_of_grade(grade, side.settings); !list)
      findings.add(site.place_of(side.settings, side.ciphers(), grade), list.error().message);
  }
}

namespace {

struct ProtocolVersion {
  int number;
  std::uint64_t without;
  std::string_view name;
};
/// RFC 7568 and RFC 8996 have retired these.
constexpr std::array kRetired = {
    ProtocolVersion{SSL3_VERSION, SSL_OP_NO_SSLv3, "SSLv3"},
    ProtocolVersion{TLS1_VERSION, SSL_OP_NO_TLSv1, "TLSv1"},
    ProtocolVersion{TLS1_1_VERSION, SSL_OP_NO_TLSv1_1, "TLSv1.1"},
};

std::vector<std::string_view> retired_protocols(const mta::TlsProtocols& protocols) {
  std::vector<std::string_view> spoken;
  for (const ProtocolVersion& version : kRetired)
    if (version.number >= protocols.minimum &&
        (protocols.maximum == 0 || version.number <= protocols.maximum) &&
        (protocols.without & version.without) == 0)
      spoken.push_back(version.name);
  return spoken;
}

}  // namespace

void tls_legacy(const SiteModel& site, Findings& findings) {
  for (const TlsSide& side : tls_sides(site)) {
    const std::string parameter = side.protocols();
    const std::string value = value_of(side.settings, parameter);
    const auto protocols = mta::parse_tls_protocols(value);
    if (!protocols) continue;  // tls-protocol-value
    const std::vector<std::string_view> retired = retired_protocols(*protocols);
    // With opportunistic TLS the default is better than a session in the clear with an old peer.
    if (retired.empty() || (!side.is_mandatory && !is_set(side.settings, parameter))) continue;
    std::string names;
    for (const std::string_view name : retired) names += concat(names.empty() ? "" : ", ", name);
    findings.add(site.place_of(side.settings, parameter, value), concat(parameter, " allows ", names));
  }
}

namespace {

constexpr std::array<std::string_view, 3> kWeakGrades = {"export", "low", "null"};
constexpr std::array<std::string_view, 10> kWeakCiphers = {"RC4", "3DES", "DES", "eNULL", "NULL",
                                                           "EXP", "MD5",  "RC2", "LOW",   "EXPORT"};

/// The first weak element that a list of OpenSSL's takes up: neither "!RC4" nor "-RC4" nor "+RC4" does.
std::string_view weak_element(std::string_view list) {
  while (const auto word = libconf::next_word(list, ":, \t\r\n")) {
    std::string_view parts = *word;
    if (std::string_view("!-+@").find(parts.front()) != std::string_view::npos) continue;
    while (const auto part = libconf::next_word(parts, "+-"))
      if (std::find(kWeakCiphers.begin(), kWeakCiphers.end(), *part) != kWeakCiphers.end()) return *word;
  }
  return {};
}

}  // namespace

void tls_weak_cipher(const SiteModel& site, Findings& findings) {
  for (const TlsSide& side : tls_sides(site)) {
    const std::string grade = value_of(side.settings, side.ciphers());
    const bool is_weak = std::any_of(kWeakGrades.begin(), kWeakGrades.end(), [&](std::string_view weak) {
      return libconf::equals_ignoring_case(weak, grade);
    });
    if (is_weak) {
      findings.add(site.place_of(side.settings, side.ciphers(), grade),
                   concat("the cipher grade \"", grade, "\" is no protection"));
      continue;
    }
    const auto list = mta::cipher_list_of_grade(grade, side.settings);
    if (!list) continue;
    const std::string parameter = concat("tls_", grade, "_cipherlist");
    const std::string_view element = weak_element(*list);
    if (!element.empty() && is_set(side.settings, parameter))
      findings.add(site.place_of(side.settings, parameter, element),
                   concat(parameter, " takes up ", element));
  }
}

void tls_overtight_mx(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.role != SmtpRole::kMx || server.is_local_only || is_wrapper(server.settings)) continue;
    if (server_level(server.settings) != TlsLevel::kEncrypt) continue;
    const std::string_view parameter = server_level_parameter(server.settings);
    findings.add(site.place_of(server.settings, parameter, value_of(server.settings, parameter)),
                 "port 25 refuses all mail from servers that have no TLS");
  }
}

void smtp_tls_off(const SiteModel& site, Findings& findings) {
  const std::string relayhost = value_of(site.settings(), "relayhost");
  const bool is_local = relayhost.find("127.0.0.1") != std::string::npos ||
                        relayhost.find("localhost") != std::string::npos ||
                        relayhost.find("[::1]") != std::string::npos;
  for (const SmtpClient& client : smtp_clients(site)) {
    if (is_local || client.level != ClientTlsLevel::kNone) continue;
    if (!words_of(client.settings, "smtp_tls_policy_maps").empty()) continue;
    findings.add(site.place_of(client.settings, client.level_parameter),
                 "mail is sent in the clear, also to servers that offer TLS");
  }
}

void tls_no_trust(const SiteModel& site, Findings& findings) {
  for (const SmtpClient& client : smtp_clients(site)) {
    if (!client.level || *client.level < ClientTlsLevel::kVerify) continue;
    const auto is_empty = [&](std::string_view name) { return value_of(client.settings, name).empty(); };
    if (is_empty("smtp_tls_CAfile") && is_empty("smtp_tls_CApath") &&
        is_empty("smtp_tls_trust_anchor_file") && !is_yes(client.settings, "tls_append_default_CA"))
      findings.add(site.place_of(client.settings, client.level_parameter, client.level_name),
                   concat("level ", client.level_name, " without an authority to trust defers all mail"));
  }
}

namespace {

std::string port_of(std::string_view nexthop) {
  const std::size_t colon = nexthop.rfind(':');
  const std::size_t bracket = nexthop.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) return {};
  return std::string(nexthop.substr(colon + 1));
}

}  // namespace

void wrappermode(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.service == nullptr || server.service->service().type() != "inet") continue;
    const bool wraps = is_wrapper(server.settings);
    if (server.role == SmtpRole::kSubmissions && !wraps)
      findings.add(site.place_of(*server.service),
                   "clients of port 465 start with TLS, which this server does not expect");
    if ((server.role == SmtpRole::kMx || server.role == SmtpRole::kSubmission) && wraps)
      findings.add(site.place_of(server.settings, "smtpd_tls_wrappermode"),
                   concat("clients of ", server.service->service().service(),
                          " start without TLS, and wait for a greeting that never comes"));
  }
  const std::string relayhost = value_of(site.settings(), "relayhost");
  const std::string port = port_of(relayhost);
  for (const SmtpClient& client : smtp_clients(site)) {
    const bool wraps = is_yes(client.settings, "smtp_tls_wrappermode");
    if ((port == "465" || port == "smtps" || port == "submissions") && !wraps &&
        (site.master_cf() == nullptr || value_of(client.settings, "service_name") == "smtp"))
      findings.add(site.place_of(site.settings(), "relayhost", relayhost),
                   "the relay host waits for TLS from the start: smtp_tls_wrappermode is not set");
    if (wraps && client.level && *client.level < ClientTlsLevel::kEncrypt)
      findings.add(site.place_of(client.settings, "smtp_tls_wrappermode"),
                   concat("needs the level encrypt, and it is ", client.level_name));
  }
}

void dane_no_dnssec(const SiteModel& site, Findings& findings) {
  for (const SmtpClient& client : smtp_clients(site)) {
    if (!client.is_dane) continue;
    const std::string support = value_of(client.settings, "smtp_dns_support_level");
    if (!libconf::equals_ignoring_case(support, "dnssec"))
      findings.add(site.place_of(client.settings, client.level_parameter, client.level_name),
                   concat("level ", client.level_name, " looks for nothing: smtp_dns_support_level is not ",
                          "dnssec"));
    else if (!has_word(client.settings, "smtp_host_lookup", "dns"))
      findings.add(site.place_of(client.settings, "smtp_host_lookup"),
                   "TLSA records are in the DNS, which smtp_host_lookup does not name");
  }
}

namespace {

bool is_weak_digest(std::string_view name) {
  return libconf::equals_ignoring_case(name, "md5") || libconf::equals_ignoring_case(name, "sha1");
}

/// Whether something compares fingerprints of clients.
bool compares_clients(const SiteModel& site, const SmtpServer& server) {
  if (!words_of(server.settings, "relay_clientcerts").empty()) return true;
  bool found = false;
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    found = found || (&at.server == &server &&
                      at.restriction.type->kind == mta::RestrictionKind::kCheckCertificateAccess);
  });
  return found;
}

void check_digest(const SiteModel& site, const Settings& settings, std::string_view parameter, bool is_used,
                  Findings& findings) {
  const std::string digest = value_of(settings, parameter);
  if (is_weak_digest(digest) && (is_used || is_set(settings, parameter)))
    findings.add(site.place_of(settings, parameter, digest),
                 concat("fingerprints are compared by ", digest, ", of which others can be forged"));
}

}  // namespace

void fp_digest(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers())
    check_digest(site, server.settings, "smtpd_tls_fingerprint_digest", compares_clients(site, server),
                 findings);
  for (const SmtpClient& client : smtp_clients(site))
    check_digest(site, client.settings, "smtp_tls_fingerprint_digest",
                 client.level == ClientTlsLevel::kFingerprint, findings);
}

void tls_loglevel(const SiteModel& site, Findings& findings) {
  constexpr int kHighest = 2;
  const auto check = [&](const Settings& settings, std::string_view parameter) {
    libconf::DiagnosticDiscard discard;
    const std::string value = value_of(settings, parameter);
    if (mta::parse_tls_log_level(value, discard) > kHighest)
      findings.add(site.place_of(settings, parameter, value),
                   concat("level ", value, " logs the bytes of every handshake"));
  };
  for (const SmtpServer& server : site.smtp_servers()) check(server.settings, "smtpd_tls_loglevel");
  for (const SmtpClient& client : smtp_clients(site)) check(client.settings, "smtp_tls_loglevel");
}

}  // namespace postlint::rules
