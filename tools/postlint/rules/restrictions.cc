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
  std::vector<std::string> parameters = {std::string(list.parameter)};
  if (depth > 0) parameters = words_of(server.settings, "smtpd_restriction_classes");
  const std::string_view text = restriction.text;
  // The blanks between a name and its argument may be others in the file.
  for (const std::string_view word : {text, text.substr(0, text.find(' '))}) {
    for (const std::string& parameter : parameters) {
      Place place = site.place_of(server.settings, parameter, word);
      if (place.end_column - place.column == static_cast<int>(word.size())) return place;
    }
  }
  return site.place_of(server.settings, list.parameter);
}

void for_each_restriction(const SiteModel& site, const std::function<void(const RestrictionPlace&)>& visit) {
  for (const SmtpServer& server : site.smtp_servers())
    for (const NamedRestrictions& named : server.lists) visit_list(site, server, named, named.list, 0, visit);
}

}  // namespace postlint::rules
