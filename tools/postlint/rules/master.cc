// What the entries of master.cf say.
#include "tools/postlint/rules/master.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "tools/mta/delivery/client_tls_policy.h"
#include "tools/postlint/smtp_endpoint.h"
#include "tools/postlint/tls_views.h"

namespace postlint::rules {

using libconf::concat;
using libconf::MasterField;
using libconf::Settings;

namespace {

template <std::size_t kCount>
bool is_one_of(std::string_view word, const std::array<std::string_view, kCount>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Those whose arguments are a command's, not their own.
constexpr std::array<std::string_view, 2> kCommandRunners = {"pipe", "spawn"};

/// A word of a service's logical line, at or behind `from`.
Place place_of_argument(const SiteModel& site, const Service& service, std::string_view word,
                        std::size_t& from) {
  const libconf::Lines& lines = site.master_cf()->document().lines();
  const libconf::LogicalLine& line = lines.logical()[service.entry->logical_line];
  const std::size_t at = line.text.find(word, from);
  if (at == std::string_view::npos) return site.place_of(service);
  from = at + word.size();
  return SiteModel::place_in(site.master_cf()->file(), lines, line, at, word.size());
}

}  // namespace

void field_count(const SiteModel& site, Findings& findings) {
  const libconf::MasterCfDocument* document = site.master_document();
  if (document == nullptr) return;
  libconf::DiagnosticDiscard discard;
  for (const libconf::LogicalLine& line : document->lines().logical()) {
    if (line.is_orphan) continue;
    const auto service = document->read(line, libconf::MasterCfDocument::Newlines::kDrop, discard);
    if (service) continue;
    const std::string& message = service.error().message;
    const std::string_view text = line.text.substr(0, line.text.find_last_not_of(" \t\r") + 1);
    findings.add(SiteModel::place_in(document->file(), document->lines(), line, 0, text.size()),
                 message.substr(0, message.find(" in \"")));
  }
}

void opt_spaces(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kTakeValues = "cimnstwu";
  for (const Service& service : site.services()) {
    const std::vector<std::string>& arguments = service.service().arguments();
    std::size_t from = service.service().offset(MasterField::kCommand);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::string& argument = arguments[i];
      if (argument == "-o") {
        if (++i == arguments.size() || arguments[i].find('=') != std::string::npos) continue;
        findings.add(place_of_argument(site, service, arguments[i], from),
                     concat("\"-o ", arguments[i], "\" has no '='; blanks around it separate arguments"));
        break;
      }
      if (argument.size() > 1 && argument.front() == '-') {
        if (argument.size() == 2 && kTakeValues.find(argument[1]) != std::string_view::npos) ++i;
        continue;
      }
      if (is_one_of(service.program(), kCommandRunners)) break;
      const bool is_behind_option = i > 1 && arguments[i - 2] == "-o";
      const Place place = place_of_argument(site, service, concat(" ", argument), from);
      Place word = place;
      if (word.end_column > word.column + 1 && !argument.empty()) ++word.column;
      findings.add(word, concat("\"", argument, "\" is an argument of its own, which ", service.program(),
                                " does not take", is_behind_option ? ": put braces around the option" : ""));
      break;
    }
  }
}

void o_shadow(const SiteModel& site, Findings& findings) {
  for (const Service& service : site.services()) {
    if (service.is_replaced) continue;
    // Ports for users and for filters have rules of their own, as the master.cf that Postfix comes with
    // shows.
    const SmtpEndpoint server = smtp_endpoint(service);
    const bool is_special =
        service.program() == "smtpd" && (server.role != SmtpRole::kMx || server.is_local_only);
    for (const libconf::MasterOption& option : service.service().options()) {
      if (is_special && option.name.starts_with("smtpd_")) continue;
      const auto main = site.settings().explicit_setting(option.name);
      // An option that refers to its main.cf value does not hide it.
      if (!main || option.value.find(concat("$", option.name)) != std::string_view::npos) continue;
      if (value_of(site.settings(), option.name) == value_of(service.settings, option.name)) continue;
      findings.add(site.place_of(service.settings, option.name),
                   concat(option.name, " of main.cf, line ", std::to_string(main->origin.line),
                          ", does not count for ", service.service().key()));
    }
  }
}

void debug_flag(const SiteModel& site, Findings& findings) {
  for (const Service& service : site.services()) {
    std::size_t from = service.service().offset(MasterField::kCommand);
    for (const std::string& argument : service.service().arguments()) {
      if (argument.empty() || argument.front() != '-') break;
      if (argument != "-D" &&
          (argument.size() < 2 || argument.find_first_not_of('v', 1) != std::string::npos))
        continue;
      findings.add(
          place_of_argument(site, service, argument, from),
          argument == "-D" ? "runs under a debugger" : concat(service.program(), " logs all that it does"));
      break;
    }
  }
}

void service_limit(const SiteModel& site, Findings& findings) {
  struct NeededLimit {
    std::string_view program;
    std::string_view limit;
  };
  constexpr std::array kNeeded = {
      NeededLimit{"anvil", "1"},  NeededLimit{"bounce", "0"},     NeededLimit{"cleanup", "0"},
      NeededLimit{"flush", "0"},  NeededLimit{"dnsblog", "0"},    NeededLimit{"nqmgr", "1"},
      NeededLimit{"oqmgr", "1"},  NeededLimit{"pickup", "1"},     NeededLimit{"postlogd", "1"},
      NeededLimit{"qmgr", "1"},   NeededLimit{"postscreen", "1"}, NeededLimit{"scache", "1"},
      NeededLimit{"tlsmgr", "1"}, NeededLimit{"tlsproxy", "0"},   NeededLimit{"verify", "1"},
  };
  for (const Service& service : site.services()) {
    const std::string& limit = service.service().field(MasterField::kProcessLimit);
    for (const NeededLimit& needed : kNeeded)
      if (needed.program == service.program() && needed.limit != limit)
        findings.add(site.place_of(service, MasterField::kProcessLimit),
                     concat(needed.program, " needs a process limit of ", needed.limit));
  }
}

void service_wakeup(const SiteModel& site, Findings& findings) {
  constexpr std::array<std::string_view, 4> kWoken = {"nqmgr", "oqmgr", "pickup", "qmgr"};
  for (const Service& service : site.services()) {
    const std::string& wakeup = service.service().field(MasterField::kWakeup);
    if ((wakeup == "-" || wakeup == "0") && is_one_of(service.program(), kWoken))
      findings.add(site.place_of(service, MasterField::kWakeup),
                   concat(service.program(), " is never woken up: mail waits for other mail"));
  }
}

void service_private(const SiteModel& site, Findings& findings) {
  constexpr std::array<std::string_view, 7> kPublic = {"cleanup", "flush", "pickup", "postlogd",
                                                       "qmgr",    "showq", "oqmgr"};
  for (const Service& service : site.services()) {
    if (service.service().field(MasterField::kPrivate) == "n") continue;
    const Place place = site.place_of(service, MasterField::kPrivate);
    if (service.service().type() == "inet")
      findings.add(place, "an Internet socket cannot be private");
    else if (is_one_of(service.program(), kPublic))
      findings.add(place, concat("commands of users do not reach ", service.program(), " below private/"));
  }
}

void service_privilege(const SiteModel& site, Findings& findings) {
  constexpr std::array<std::string_view, 4> kPrivileged = {"local", "pipe", "spawn", "virtual"};
  for (const Service& service : site.services())
    if (service.service().field(MasterField::kUnprivileged) != "n" &&
        is_one_of(service.program(), kPrivileged))
      findings.add(site.place_of(service, MasterField::kUnprivileged),
                   concat(service.program(), " needs root's rights to become another user"));
}

namespace {

/// The value of `name=value` among the arguments ahead of argv=; nothing: there is none.
std::optional<std::string> attribute(const Service& service, std::string_view name) {
  for (const std::string& argument : service.service().arguments()) {
    if (argument.starts_with(concat(name, "="))) return argument.substr(name.size() + 1);
    if (argument.starts_with("argv=")) break;
  }
  return std::nullopt;
}

}  // namespace

void pipe_attributes(const SiteModel& site, Findings& findings) {
  for (const Service& service : site.services()) {
    if (!is_one_of(service.program(), kCommandRunners)) continue;
    const Place place = site.place_of(service, MasterField::kCommand);
    if (!attribute(service, "argv").has_value())
      findings.add(place, concat(service.program(), " has no argv=: it does not know what to run"));
    const std::optional<std::string> user = attribute(service, "user");
    const std::string name = user ? user->substr(0, user->find(':')) : std::string();
    if (!user)
      findings.add(place, concat(service.program(), " has no user=: it runs nothing"));
    else if (name == "root" || name == value_of(site.settings(), "mail_owner"))
      findings.add(place, concat(service.program(), " refuses to run a command as ", name));
  }
}

void listen_twice(const SiteModel& site, Findings& findings) {
  static const std::map<std::string, std::string, std::less<>> kNumbers = {
      {"smtp", "25"}, {"submission", "587"}, {"submissions", "465"}, {"smtps", "465"}, {"qmqp", "628"}};
  std::map<std::pair<std::string, std::string>, const Service*> seen;
  for (const Service& service : site.services()) {
    if (service.is_replaced || service.service().type() != "inet") continue;
    const SmtpEndpoint endpoint = smtp_endpoint(service);
    const auto number = kNumbers.find(endpoint.port);
    const std::string port = number == kNumbers.end() ? endpoint.port : number->second;
    const auto [first, is_new] = seen.emplace(std::pair(endpoint.host, port), &service);
    if (!is_new)
      findings.add(site.place_of(service),
                   concat(first->second->service().service(), " in line ",
                          std::to_string(first->second->entry->line), " listens there already"));
  }
}

void exposed_null_client(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers())
    if (server.service != nullptr && server.service->service().type() == "inet" && !server.is_local_only)
      findings.add(site.place_of(*server.service), "other hosts reach this server");
}

namespace {

bool has_program(const SiteModel& site, std::string_view program) {
  const auto services = site.services();
  return std::any_of(services.begin(), services.end(), [&](const Service& service) {
    return !service.is_replaced && service.program() == program;
  });
}

bool uses_tls(const SiteModel& site) {
  for (const SmtpServer& server : site.smtp_servers())
    if (server_level(server.settings) != mta::TlsLevel::kNone) return true;
  for (const SmtpClient& client : smtp_clients(site))
    if (client.level != mta::ClientTlsLevel::kNone) return true;
  return false;
}

bool always(const SiteModel&) { return true; }
bool uses_proxy(const SiteModel& site) {
  return std::any_of(site.table_uses().begin(), site.table_uses().end(),
                     [](const TableUse& use) { return use.is_proxied; });
}
bool serves_smtp(const SiteModel& site) { return has_program(site, "smtpd"); }
bool has_postscreen(const SiteModel& site) { return has_program(site, "postscreen"); }
bool has_log_file(const SiteModel& site) { return !value_of(site.settings(), "maillog_file").empty(); }
bool screens_by_dns(const SiteModel& site) {
  return has_postscreen(site) && !value_of(site.settings(), "postscreen_dnsbl_sites").empty();
}
bool screens_with_tls(const SiteModel& site) { return has_postscreen(site) && uses_tls(site); }

/// A service that others ask for by name.
struct StandardService {
  std::string_view name;
  std::string_view parameter;  ///< That may rename it; empty: none.
  bool (*is_needed)(const SiteModel& site);
  std::string_view without;  ///< What happens then.
};
constexpr std::array kStandardServices = {
    StandardService{"pickup", "pickup_service_name", always, "mail of local programs stays in maildrop"},
    StandardService{"cleanup", "cleanup_service_name", always, "no mail gets into the queue"},
    StandardService{"qmgr", "queue_service_name", always, "no mail leaves the queue"},
    StandardService{"rewrite", "rewrite_service_name", always, "no address can be resolved"},
    StandardService{"bounce", "bounce_service_name", always, "mail that fails stays in the queue"},
    StandardService{"defer", "defer_service_name", always, "mail that is deferred has no record"},
    StandardService{"trace", "trace_service_name", always, "nobody gets a report of success"},
    StandardService{"error", "error_service_name", always, "mail that cannot be delivered is not returned"},
    StandardService{"retry", {}, always, "mail for hosts that do not answer is not deferred"},
    StandardService{"showq", "showq_service_name", always, "mailq shows nothing"},
    StandardService{"flush", "flush_service_name", always, "sendmail -qR and ETRN do nothing"},
    StandardService{"proxymap", "proxymap_service_name", uses_proxy, "proxy: tables cannot be asked"},
    StandardService{"anvil", {}, serves_smtp, "no client is counted or limited"},
    StandardService{"tlsmgr", "tlsmgr_service_name", uses_tls, "TLS has no seed and no session cache"},
    StandardService{"postlog", "postlog_service_name", has_log_file, "nothing is logged"},
    StandardService{"smtpd", "smtpd_service_name", has_postscreen, "postscreen hands clients to nobody"},
    StandardService{"dnsblog", "dnsblog_service_name", screens_by_dns, "DNS lists are not asked"},
    StandardService{"tlsproxy", "tlsproxy_service_name", screens_with_tls, "postscreen has no STARTTLS"},
};

}  // namespace

void std_service_missing(const SiteModel& site, Findings& findings) {
  if (site.master_cf() == nullptr) return;
  for (const StandardService& standard : kStandardServices) {
    const std::string renamed =
        standard.parameter.empty() ? std::string() : value_of(site.settings(), standard.parameter);
    const std::string_view name = renamed.empty() ? standard.name : std::string_view(renamed);
    const auto services = site.services();
    const bool is_there = std::any_of(services.begin(), services.end(), [&](const Service& service) {
      return service.service().service() == name && service.service().type() != "inet";
    });
    if (!is_there && standard.is_needed(site))
      findings.add({.file = site.master_cf()->file()},
                   concat("no service \"", name, "\": ", standard.without));
  }
}

}  // namespace postlint::rules
