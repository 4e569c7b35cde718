#include "tools/postlint/rules/restrictions.h"

namespace postlint::rules {
namespace {

/// Classes do not contain themselves; this bounds what they contain otherwise.
constexpr int kMaxDepth = 10;

void visit_list(const SiteModel& site, const SmtpServer& server, const NamedRestrictions& named,
                const mta::RestrictionList& list, int depth,
                const std::function<void(const RestrictionPlace&)>& visit) {
  for (const mta::Restriction& restriction : list) {
    visit({site, server, named, restriction, depth});
    if (restriction.restrictions && depth < kMaxDepth)
      visit_list(site, server, named, *restriction.restrictions, depth + 1, visit);
  }
}

}  // namespace

Place RestrictionPlace::place() const {
  const std::string_view text = restriction.text;
  // The blanks between a name and its argument may be others in the file.
  const std::string_view name = text.substr(0, text.find(' '));
  const Place whole = site.place_of(server.settings, list.parameter, text);
  const Place found = whole.end_column - whole.column == static_cast<int>(text.size())
                          ? whole
                          : site.place_of(server.settings, list.parameter, name);
  if (depth == 0) return found;
  for (const std::string& each : words_of(server.settings, "smtpd_restriction_classes")) {
    const Place in_class = site.place_of(server.settings, each, name);
    if (in_class.end_column - in_class.column == static_cast<int>(name.size())) return in_class;
  }
  return found;
}

void for_each_restriction(const SiteModel& site, const std::function<void(const RestrictionPlace&)>& visit) {
  for (const SmtpServer& server : site.smtp_servers())
    for (const NamedRestrictions& named : server.lists) visit_list(site, server, named, named.list, 0, visit);
}

}  // namespace postlint::rules
