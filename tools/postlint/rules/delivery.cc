// What becomes of mail that has been accepted.
#include <chrono>
#include <set>

#include "libconf/table_reference.h"
#include "libconf/text.h"
#include "libmaps/table_types.h"
#include "tools/mta/address/route.h"
#include "tools/postlint/rules/rules.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;

namespace {

/// The name of the transport that a parameter names.
std::string transport_of(const SiteModel& site, std::string_view parameter) {
  return mta::split_route(value_of(site.settings(), parameter)).transport;
}

bool delivers_to_virtual_mailboxes(const SiteModel& site) {
  return !value_of(site.settings(), "virtual_mailbox_domains").empty() &&
         transport_of(site, "virtual_transport") == "virtual";
}

}  // namespace

void mailbox_limit(const SiteModel& site, Findings& findings) {
  struct Limit {
    std::string_view parameter;
    bool counts;
  };
  const Limit limits[] = {
      {"mailbox_size_limit", transport_of(site, "local_transport") == "local" &&
                                 !value_of(site.settings(), "mydestination").empty()},
      {"virtual_mailbox_limit", delivers_to_virtual_mailboxes(site)},
  };
  const libconf::Result<std::int64_t> message = site.settings().get_int("message_size_limit");
  for (const Limit& limit : limits) {
    const libconf::Result<std::int64_t> mailbox = site.settings().get_int(limit.parameter);
    if (!limit.counts || !message || !mailbox || *mailbox == 0) continue;
    if (*message != 0 && *mailbox >= *message) continue;
    const std::string_view named =
        site.settings().explicit_setting(limit.parameter) ? limit.parameter : "message_size_limit";
    findings.add(
        site.place_of(site.settings(), named),
        concat(limit.parameter, " (", std::to_string(*mailbox), ") is smaller than message_size_limit (",
               std::to_string(*message), *message == 0 ? ", no limit)" : ")"));
  }
}

void virtual_incomplete(const SiteModel& site, Findings& findings) {
  if (!delivers_to_virtual_mailboxes(site)) return;
  for (const std::string_view parameter : {"virtual_mailbox_base", "virtual_uid_maps", "virtual_gid_maps"})
    if (value_of(site.settings(), parameter).empty())
      findings.add(site.place_of(site.settings(), "virtual_mailbox_domains"),
                   concat("virtual(8) delivers to these domains, and ", parameter, " is not set"));
}

void queue_lifetime(const SiteModel& site, Findings& findings) {
  constexpr std::chrono::hours kShortest{24};
  const Settings& settings = site.settings();
  const auto most = settings.get_duration("maximal_queue_lifetime");
  const auto bounce = settings.get_duration("bounce_queue_lifetime");
  if (!most || !bounce) return;
  if (*most < kShortest)
    findings.add(site.place_of(settings, "maximal_queue_lifetime"),
                 concat("mail is given up after ", value_of(settings, "maximal_queue_lifetime")));
  if (*bounce > *most)
    findings.add(site.place_of(settings, settings.explicit_setting("bounce_queue_lifetime")
                                             ? "bounce_queue_lifetime"
                                             : "maximal_queue_lifetime"),
                 "bounces are kept longer than the mail that they are about");
}

void alias_database(const SiteModel& site, Findings& findings) {
  const auto tables_of = [&](std::string_view parameter) {
    std::set<std::string> out;
    const std::string value = value_of(site.settings(), parameter);
    libconf::DiagnosticDiscard discard;
    libconf::for_each_table(value, parameter, discard, [&](std::string_view type, std::string_view name) {
      const libmaps::TableType* row = libmaps::find_table_type(type);
      if (row != nullptr && row->has_index()) out.insert(concat(type, ":", name));
    });
    return out;
  };
  const std::set<std::string> asked = tables_of("alias_maps");
  const std::set<std::string> built = tables_of("alias_database");
  const auto compare = [&](const std::set<std::string>& all, const std::set<std::string>& known,
                           std::string_view parameter, std::string_view what) {
    if (!site.settings().explicit_setting(parameter)) return;
    for (const std::string& table : all)
      if (!known.contains(table))
        findings.add(site.place_of(site.settings(), parameter, table), concat(table, what));
  };
  compare(built, asked, "alias_database", " is built by newaliases, and not in alias_maps");
  compare(asked, built, "alias_maps", " is not in alias_database: newaliases does not build it");
}

}  // namespace postlint::rules
