// Which tables there are, and whether the services can read them.
#include "tools/postlint/rules/tables.h"

#include <algorithm>
#include <array>
#include <set>

#include "libconf/file.h"
#include "libconf/text.h"
#include "libmaps/table_types.h"
#include "tools/postlint/table_purpose.h"
#include "tools/postlint/table_store.h"
#include "tools/postlint/tls_views.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;

void faults_of_kind(TableFaultKind kind, const SiteModel& site, Findings& findings) {
  for (const TableFault& fault : site.table_faults())
    if (fault.kind == kind) findings.add(fault.place, fault.message);
}

namespace {

/// Types whose client a distribution packages on its own: dynamicmaps.cf names them when they are installed.
constexpr std::array<std::string_view, 5> kPluginTypes = {"ldap", "mongodb", "mysql", "pgsql", "sqlite"};

/// The types in dynamicmaps.cf and what is beside it; nothing: this Postfix has no plugins.
std::optional<std::string> plugin_list(const SiteModel& site) {
  constexpr std::string_view kList = "/etc/postfix/dynamicmaps.cf";
  if (!site.files().is_whole_host() || site.files().state(kList) != FileState::kPresent) return std::nullopt;
  auto text = libconf::read_file(*site.files().path(kList));
  return text ? std::optional(concat("\n", *text)) : std::nullopt;
}

bool lists_plugin(const SiteModel& site, std::string_view list, std::string_view type) {
  if (list.find(concat("\n", type, "\t")) != std::string_view::npos ||
      list.find(concat("\n", type, " ")) != std::string_view::npos)
    return true;
  return site.files().state(concat("/etc/postfix/dynamicmaps.cf.d/", type, ".cf")) == FileState::kPresent ||
         site.files().state(concat("/etc/postfix/dynamicmaps.cf.d/", type)) == FileState::kPresent;
}

bool is_inline(const TableUse& use) { return use.name.starts_with('{'); }

bool is_table_file(const TableUse& use) { return is_file_type(use.type) && !is_inline(use); }

}  // namespace

namespace {

/// Whether what looks like a table of an unknown type may have been meant as one: dev:/dev/urandom and
/// PATH=/bin:/usr/bin are none.
bool may_have_tables(const TableUse& use) {
  return std::all_of(use.type.begin(), use.type.end(), libconf::is_name_char) &&
         use.parameter != "tls_random_source" && !use.parameter.ends_with("_command") &&
         !use.parameter.ends_with("_environment");
}

}  // namespace

void map_type(const SiteModel& site, Findings& findings) {
  const std::optional<std::string> plugins = plugin_list(site);
  for (const TableUse& use : site.table_uses()) {
    if (libmaps::find_table_type(use.type) == nullptr && may_have_tables(use))
      findings.add(use.place, concat("there is no type of tables called \"", use.type, "\""));
    else if (plugins && std::find(kPluginTypes.begin(), kPluginTypes.end(), use.type) != kPluginTypes.end() &&
             !lists_plugin(site, *plugins, use.type))
      findings.add(use.place, concat("dynamicmaps.cf has no type \"", use.type, "\": it is not installed"));
  }
}

namespace {

/// Whether a repository has tables beside main.cf: then one that is missing there is missing.
bool keeps_tables(const SiteModel& site) {
  return site.files().is_whole_host() ||
         std::any_of(site.table_uses().begin(), site.table_uses().end(), [&](const TableUse& use) {
           return is_table_file(use) && site.files().state(use.name) == FileState::kPresent;
         });
}

}  // namespace

void map_missing(const SiteModel& site, Findings& findings) {
  if (!keeps_tables(site)) return;
  for (const TableUse& use : site.table_uses()) {
    const libmaps::TableType* type = libmaps::find_table_type(use.type);
    // The caches that defaults name are made when they are first needed.
    if (!use.is_set || !is_table_file(use) || use.parameter.ends_with("_cache_map") ||
        use.parameter.ends_with("_cache_database") || use.parameter == "address_verify_map")
      continue;
    if (site.files().state(use.name) != FileState::kMissing) continue;
    if (type->has_index() && site.files().state(concat(use.name, type->suffix)) != FileState::kMissing)
      continue;
    findings.add(use.place, concat(use.name, " does not exist"));
  }
}

void map_relative(const SiteModel& site, Findings& findings) {
  for (const TableUse& use : site.table_uses())
    if (is_table_file(use) && !use.name.starts_with('/'))
      findings.add(use.place, concat("\"", use.name, "\" is looked for below the queue directory"));
}

void map_unindexed(const SiteModel& site, Findings& findings) {
  if (!site.files().is_whole_host()) return;
  for (const TableUse& use : site.table_uses()) {
    const libmaps::TableType* type = libmaps::find_table_type(use.type);
    if (!use.is_set || type == nullptr || !type->has_index() || is_inline(use)) continue;
    if (site.files().state(use.name) == FileState::kPresent &&
        site.files().state(concat(use.name, type->suffix)) == FileState::kMissing)
      findings.add(use.place, concat(use.name, type->suffix, " has not been built"));
  }
}

void map_index_unused(const SiteModel& site, Findings& findings) {
  std::set<std::string, std::less<>> indexed;
  for (const TableUse& use : site.table_uses())
    if (const auto* type = libmaps::find_table_type(use.type); type != nullptr && type->has_index())
      indexed.insert(concat(use.name, type->suffix));
  for (const TableUse& use : site.table_uses()) {
    const libmaps::TableType* type = libmaps::find_table_type(use.type);
    if (type == nullptr || !type->reads_file || is_inline(use)) continue;
    for (const std::string_view suffix : {".db", ".lmdb", ".cdb"}) {
      const std::string index = concat(use.name, suffix);
      if (!indexed.contains(index) && site.files().state(index) == FileState::kPresent)
        findings.add(use.place, concat(index, " is an index that ", use.type, ": does not read"));
    }
  }
}

namespace {

Place place_of_table(const SiteModel& site, const TableJob& job) {
  for (const TableUse& use : site.table_uses())
    if (use.type == job.type && use.name == job.name) return use.place;
  return {.file = site.main_cf().file()};
}

/// Why tables of the type have no answer for what is asked; empty: they may.
std::string_view wrong_type_reason(std::string_view type, const TableUsage& usage) {
  const bool is_pattern = type == "pcre" || type == "regexp";
  switch (usage.purpose) {
    case TablePurpose::kChecks:
      return is_pattern ? std::string_view() : "whole lines are looked up here: use regexp: or pcre:";
    case TablePurpose::kUnknown:
    case TablePurpose::kAccessHost:
    case TablePurpose::kAccessOther:
      return {};
    default:
      return type == "cidr" ? "no IP addresses are looked up here" : std::string_view();
  }
}

}  // namespace

void map_wrong_type(const SiteModel& site, Findings& findings) {
  for (const TableJob& job : table_jobs(site)) {
    for (const TableUsage& usage : job.usages) {
      const std::string_view reason = wrong_type_reason(job.type, usage);
      if (!reason.empty()) findings.add(place_of_table(site, job), concat(usage.parameter, ": ", reason));
    }
  }
}

void proxymap(const SiteModel& site, Findings& findings) {
  const auto view_of = [&](std::string_view parameter) -> const Settings& {
    const Service* service = site.find_service(value_of(site.settings(), parameter), "unix");
    return service == nullptr ? site.settings() : service->settings;
  };
  const std::string readable = value_of(view_of("proxymap_service_name"), "proxy_read_maps");
  const std::string writable = value_of(view_of("proxywrite_service_name"), "proxy_write_maps");
  for (const TableUse& use : site.table_uses()) {
    if (!use.is_proxied || !use.is_set || use.parameter == "proxy_read_maps" ||
        use.parameter == "proxy_write_maps")
      continue;
    const std::string table = concat("proxy:", use.type, ":", use.name);
    if (readable.find(table) == std::string::npos && writable.find(table) == std::string::npos)
      findings.add(use.place,
                   concat("proxymap does not open ", table, ": proxy_read_maps has no $", use.parameter));
  }
}

void sasl_no_entry(const SiteModel& site, Findings& findings) {
  for (const SmtpClient& client : smtp_clients(site)) {
    const std::string relayhost = value_of(client.settings, "relayhost");
    if (!is_yes(client.settings, "smtp_sasl_auth_enable") || relayhost.empty() ||
        is_yes(client.settings, "smtp_sender_dependent_authentication"))
      continue;
    std::string host = relayhost.substr(0, relayhost.find("]:"));
    std::erase_if(host, [](char c) { return c == '[' || c == ']'; });
    host = host.substr(0, host.find(':'));
    bool is_known = true;
    bool is_found = false;
    const std::vector<std::string> words = words_of(client.settings, "smtp_sasl_password_maps");
    for (const std::string& word : words) {
      const std::size_t colon = word.find(':');
      if (colon == std::string::npos) continue;
      auto table = site.tables().open(word.substr(0, colon), word.substr(colon + 1));
      if (!table || !*table) {
        is_known = false;
        continue;
      }
      for (const std::string& key : {relayhost, host}) {
        const auto value = (*table)->lookup(key);
        is_found = is_found || (value && value->has_value());
      }
    }
    if (is_known && !is_found && !words.empty())
      findings.add(site.place_of(client.settings, "smtp_sasl_password_maps", words.front()),
                   concat("has neither \"", relayhost, "\" nor \"", host, "\": the client does not log in"));
  }
}

}  // namespace postlint::rules
