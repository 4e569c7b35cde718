// What the entries of master.cf need of the host.
#include <algorithm>
#include <array>
#include <set>

#include "libconf/compatibility_level.h"
#include "libconf/file.h"
#include "libconf/text.h"
#include "tools/postlint/rules/master.h"
#include "tools/postlint/smtp_endpoint.h"

namespace postlint::rules {

using libconf::concat;
using libconf::MasterField;

namespace {

/// All of Postfix 3.12, and names of older releases.
constexpr std::array<std::string_view, 29> kPrograms = {
    "anvil",    "bounce",   "cleanup", "discard", "dnsblog",         "error", "flush",    "lmtp",
    "local",    "master",   "nqmgr",   "oqmgr",   "pickup",          "pipe",  "postlogd", "postscreen",
    "proxymap", "qmgr",     "qmqpd",   "scache",  "showq",           "smtp",  "smtpd",    "spawn",
    "tlsmgr",   "tlsproxy", "verify",  "virtual", "trivial-rewrite",
};
constexpr std::string_view kMigrationProgram = "nbdb_reindexd";

/// Where packages have daemons when main.cf does not say it.
constexpr std::array<std::string_view, 3> kDaemonDirectories = {
    "/usr/lib/postfix/sbin", "/usr/libexec/postfix", "/usr/lib/postfix/bin"};

bool is_known_program(std::string_view program) {
  return program == kMigrationProgram ||
         std::find(kPrograms.begin(), kPrograms.end(), program) != kPrograms.end();
}

/// The directories of daemons that are there.
std::vector<std::string> daemon_directories(const SiteModel& site) {
  std::vector<std::string> directories;
  if (!site.files().is_whole_host()) return directories;
  const auto add = [&](std::string_view directory) {
    if (site.files().state(directory) == FileState::kPresent) directories.emplace_back(directory);
  };
  add(value_of(site.settings(), "daemon_directory"));
  if (!site.settings().explicit_setting("daemon_directory"))
    for (const std::string_view directory : kDaemonDirectories) add(directory);
  return directories;
}

}  // namespace

void program_missing(const SiteModel& site, Findings& findings) {
  const std::vector<std::string> directories = daemon_directories(site);
  for (const Service& service : site.services()) {
    const std::string& program = service.program();
    const Place place = site.place_of(service, MasterField::kCommand);
    if (program.starts_with('/')) {
      if (site.files().is_whole_host() && site.files().state(program) == FileState::kMissing)
        findings.add(place, concat(program, " does not exist"));
      continue;
    }
    const bool is_missing = std::all_of(directories.begin(), directories.end(), [&](const std::string& each) {
      return site.files().state(concat(each, "/", program)) == FileState::kMissing;
    });
    if (directories.empty() && !is_known_program(program))
      findings.add(place, concat("Postfix has no program \"", program, "\""));
    else if (!directories.empty() && is_missing)
      findings.add(place, concat(directories.front(), " has no program \"", program, "\""));
  }
}

void chroot_implicit(const SiteModel& site, Findings& findings) {
  constexpr Version kChangedIn{3, 0, 0};
  const Service* first = nullptr;
  std::size_t count = 0;
  for (const Service& service : site.services()) {
    if (service.service().field(MasterField::kChroot) != "-") continue;
    if (!service.settings.is_confined() && site.target() >= kChangedIn) continue;
    if (first == nullptr) first = &service;
    ++count;
  }
  if (first == nullptr) return;
  const std::string services = concat(std::to_string(count), count == 1 ? " service" : " services");
  findings.add(site.place_of(*first, MasterField::kChroot),
               site.target() < kChangedIn
                   ? concat("\"-\" confines ", services, ", and no longer does since Postfix 3.0")
                   : concat("\"-\" confines ", services, ", as compatibility_level is below 1"));
}

namespace {

/// Programs that look up hosts, or names of services, and so need files of /etc.
constexpr std::array<std::string_view, 6> kLookUpHosts = {"dnsblog", "lmtp",       "smtp",
                                                          "smtpd",   "postscreen", "tlsproxy"};
constexpr std::array<std::string_view, 4> kResolverFiles = {"/etc/hosts", "/etc/nsswitch.conf",
                                                            "/etc/resolv.conf", "/etc/services"};

const Service* first_confined_resolver(const SiteModel& site) {
  for (const Service& service : site.services())
    if (!service.is_replaced && service.settings.is_confined() &&
        std::find(kLookUpHosts.begin(), kLookUpHosts.end(), service.program()) != kLookUpHosts.end())
      return &service;
  return nullptr;
}

}  // namespace

void chroot_files(const SiteModel& site, Findings& findings) {
  const Service* service = first_confined_resolver(site);
  const std::string queue = value_of(site.settings(), "queue_directory");
  const FileMap& files = site.files();
  if (service == nullptr || !files.is_whole_host() || files.state(queue) != FileState::kPresent) return;
  const Place place = site.place_of(*service, MasterField::kChroot);
  for (const std::string_view file : kResolverFiles) {
    const std::string copy = concat(queue, file);
    if (files.state(file) != FileState::kPresent) continue;
    if (files.state(copy) == FileState::kMissing) {
      findings.add(place, concat("the chroot has no ", copy));
    } else if (files.state(copy) == FileState::kPresent) {
      const auto original_text = libconf::read_file(*files.path(file));
      const auto copy_text = libconf::read_file(*files.path(copy));
      if (original_text && copy_text && *original_text != *copy_text)
        findings.add(place, concat(copy, " and ", file, " differ"));
    }
  }
}

void chroot_program(const SiteModel& site, Findings& findings) {
  constexpr std::array<std::string_view, 5> kNeedTheHost = {"local", "pipe", "proxymap", "spawn", "virtual"};
  for (const Service& service : site.services())
    if (service.settings.is_confined() &&
        std::find(kNeedTheHost.begin(), kNeedTheHost.end(), service.program()) != kNeedTheHost.end())
      findings.add(site.place_of(service, MasterField::kChroot),
                   concat(service.program(), " needs files of the host, which the chroot does not have"));
}

namespace {

/// The names of TCP services, with aliases (services(5)).
std::set<std::string, std::less<>> service_names(std::string_view text) {
  std::set<std::string, std::less<>> names;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    line = line.substr(0, line.find('#'));
    const auto name = libconf::next_word(line, libconf::kBlanks);
    const auto port = libconf::next_word(line, libconf::kBlanks);
    if (!name || !port || !port->ends_with("/tcp")) continue;
    names.emplace(*name);
    while (const auto alias = libconf::next_word(line, libconf::kBlanks)) names.emplace(*alias);
  }
  return names;
}

}  // namespace

void service_port(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kServices = "/etc/services";
  if (!site.files().is_whole_host() || site.files().state(kServices) != FileState::kPresent) return;
  const auto text = libconf::read_file(*site.files().path(kServices));
  if (!text) return;
  const auto names = service_names(*text);
  for (const Service& service : site.services()) {
    if (service.service().type() != "inet") continue;
    const std::string port = smtp_endpoint(service).port;
    if (!libconf::is_all_digits(port) && !names.contains(port))
      findings.add(site.place_of(service), concat(kServices, " has no port \"", port, "\""));
  }
}

}  // namespace postlint::rules
