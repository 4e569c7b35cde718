/// Walks over the restriction lists of all SMTP servers.
///
///     for_each_restriction(site, [&](const RestrictionPlace& at) { use(at.restriction, at.place()); });
#pragma once

#include <functional>

#include "tools/postlint/site_model.h"

namespace postlint::rules {

/// One restriction of a list. References live during the visit.
struct RestrictionPlace {
  const SiteModel& site;
  const SmtpServer& server;
  const NamedRestrictions& list;
  const mta::Restriction& restriction;
  int depth = 0;  ///< More than 0: in a restriction class.

  /// Where it is written; in a class, where that is.
  Place place() const;
};

/// Visits every restriction of every list of every server, and those of classes where they are named.
void for_each_restriction(const SiteModel& site, const std::function<void(const RestrictionPlace&)>& visit);

}  // namespace postlint::rules
