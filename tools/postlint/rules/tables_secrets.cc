// Who may read and write files.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "libconf/text.h"
#include "libmaps/table_types.h"
#include "tools/postlint/rules/tables.h"
#include "tools/postlint/table_store.h"
#include "tools/postlint/tls_views.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;

namespace {

constexpr std::array<std::string_view, 2> kPasswordTables = {"smtp_sasl_password_maps",
                                                             "lmtp_sasl_password_maps"};
/// Their files have the password of a database or directory.
constexpr std::array<std::string_view, 5> kClientTypes = {"ldap", "memcache", "mongodb", "mysql", "pgsql"};
constexpr std::array<std::string_view, 10> kKeyFiles = {
    "smtpd_tls_key_file", "smtpd_tls_eckey_file", "smtpd_tls_dkey_file", "smtpd_tls_chain_files",
    "smtp_tls_key_file",  "smtp_tls_eckey_file",  "smtp_tls_dkey_file",  "smtp_tls_chain_files",
    "lmtp_tls_key_file",  "lmtp_tls_chain_files",
};

template <std::size_t kCount>
bool is_one_of(std::string_view word, const std::array<std::string_view, kCount>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// The status of a file of the host; nothing: it is not here. A repository does not keep modes.
std::optional<struct stat> status_of(const SiteModel& site, std::string_view name) {
  const auto path = site.files().path(name);
  struct stat status {};
  if (!site.files().is_whole_host() || !path || ::stat(path->c_str(), &status) != 0) return std::nullopt;
  return status;
}

std::string octal(mode_t mode) {
  std::string digits = "0000";
  for (std::size_t i = digits.size(); i-- > 0; mode >>= 3) digits[i] = static_cast<char>('0' + (mode & 7));
  return digits;
}

void check_secret(const SiteModel& site, const Place& place, const std::string& name, Findings& findings) {
  const auto status = status_of(site, name);
  if (!status || !S_ISREG(status->st_mode) || (status->st_mode & (S_IROTH | S_IWOTH)) == 0) return;
  findings.add(place, concat("every user of the host may read ", name, " (mode ",
                             octal(status->st_mode & 07777), ")"));
}

}  // namespace

void secret_perms(const SiteModel& site, Findings& findings) {
  for (const TableUse& use : site.table_uses()) {
    const libmaps::TableType* type = libmaps::find_table_type(use.type);
    const bool has_passwords = is_one_of(use.parameter, kPasswordTables) && is_file_type(use.type);
    const bool is_client = is_one_of(use.type, kClientTypes) && use.name.starts_with('/');
    if (has_passwords || is_client) check_secret(site, use.place, use.name, findings);
    if (has_passwords && type->has_index())
      check_secret(site, use.place, concat(use.name, type->suffix), findings);
    if (use.parameter == "tls_server_sni_maps" && type != nullptr && type->has_index())
      check_secret(site, use.place, concat(use.name, type->suffix), findings);
  }
  const auto check_keys = [&](const Settings& settings) {
    for (const std::string_view parameter : kKeyFiles)
      for (const std::string& file : words_of(settings, parameter))
        check_secret(site, site.place_of(settings, parameter, file), file, findings);
  };
  check_keys(site.settings());
  for (const Service& service : site.services()) check_keys(service.settings);
}

void secret_in_main(const SiteModel& site, Findings& findings) {
  const auto is_secret = [](std::string_view name) {
    return name.ends_with("_password") || name.ends_with("_bind_pw");
  };
  for (const std::string_view name : site.settings().explicit_names())
    if (is_secret(name) && !value_of(site.settings(), name).empty())
      findings.add(site.place_of(site.settings(), name),
                   concat(name, ": every user of the host may read main.cf"));
  for (const TableUse& use : site.table_uses())
    if (is_one_of(use.parameter, kPasswordTables) && (use.type == "inline" || use.type == "static"))
      findings.add(use.place, "every user of the host may read the passwords in main.cf");
}

void owner_perms(const SiteModel& site, Findings& findings) {
  const auto main_status = status_of(site, site.settings().get("config_directory").value_or("") + "/main.cf");
  std::set<std::string, std::less<>> seen;
  const auto check = [&](const Place& place, const std::string& name) {
    if (!seen.insert(name).second) return;
    const auto status = status_of(site, name);
    if (!status || !S_ISREG(status->st_mode)) return;
    if ((status->st_mode & S_IWOTH) != 0)
      findings.add(place, concat("every user of the host may change ", name, " (mode ",
                                 octal(status->st_mode & 07777), ")"));
    else if ((status->st_mode & S_IWGRP) != 0 && status->st_gid != 0)
      findings.add(place,
                   concat("a group may change ", name, " (mode ", octal(status->st_mode & 07777), ")"));
    else if (main_status && status->st_uid != 0 && status->st_uid != main_status->st_uid)
      findings.add(place, concat(name, " belongs to user number ", std::to_string(status->st_uid)));
  };
  for (const std::string& file :
       {site.main_cf().file(), site.master_cf() == nullptr ? std::string() : site.master_cf()->file()}) {
    if (file.empty()) continue;
    const std::size_t slash = file.rfind('/');
    check({.file = file}, slash == std::string::npos ? file : file.substr(slash + 1));
  }
  for (const TableUse& use : site.table_uses()) {
    const libmaps::TableType* type = libmaps::find_table_type(use.type);
    if (!is_file_type(use.type) || use.name.starts_with('{')) continue;
    check(use.place, use.name);
    if (type->has_index()) check(use.place, concat(use.name, type->suffix));
  }
}

}  // namespace postlint::rules
