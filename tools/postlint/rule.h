/// The rules of the auditor: one table, a row a rule.
///
///     const Rule* rule = find_rule("open-relay");
///     rule->check(site, findings);
///
/// Everything here is constant, and safe to use from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tools/postlint/finding.h"

namespace postlint {

class SiteModel;

/// What a host is for.
enum class Profile : std::uint8_t {
  kNullClient,  ///< Sends what arises on it to a relay, and receives nothing.
  kMx,          ///< Receives mail for its domains from anybody.
  kSubmission,  ///< Receives mail from users who log in.
  kRelay,       ///< Forwards for a known set of domains or networks, without mailboxes of its own.
};

/// A set of profiles.
using Profiles = std::uint8_t;
constexpr Profiles profile_bit(Profile profile) {
  return static_cast<Profiles>(1U << static_cast<unsigned>(profile));
}
inline constexpr Profiles kAllProfiles = 0x0F;

/// "null-client", "mx", "submission", "relay", and back.
std::string_view profile_name(Profile profile);
std::optional<Profile> find_profile(std::string_view name);

/// How `check` looks at a configuration: it reports each place that breaks the rule, and nothing else.
using Check = void (*)(const SiteModel& site, Findings& findings);

struct Rule {
  std::string_view id;
  std::string_view group;  ///< "syntax", "relay" and so on: the file in tools/postlint/rules/ that has it.
  Severity severity;
  Profiles profiles = kAllProfiles;
  std::string_view summary;    ///< One line: what is wrong where it reports something.
  std::string_view rationale;  ///< Why that matters.
  std::string_view reference;  ///< The manual page, RFC or advisory behind it.
  std::string_view mend;       ///< One line: what to do.
  Check check;
};

/// In the order of their groups.
std::span<const Rule> all_rules();

/// The rule of that id, or nullptr.
const Rule* find_rule(std::string_view id);

}  // namespace postlint
