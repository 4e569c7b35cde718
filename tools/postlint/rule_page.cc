#include "tools/postlint/rule_page.h"

#include "libconf/text.h"

namespace postlint {

using libconf::concat;

std::string rule_list() {
  std::string out;
  for (const Rule& rule : all_rules())
    out += concat(rule.id, "\t", severity_name(rule.severity), "\t", rule.summary, "\n");
  return out;
}

std::string rule_page(const Rule& rule) {
  std::string profiles;
  for (unsigned i = 0; i < 4; ++i) {
    const auto profile = static_cast<Profile>(i);
    if ((rule.profiles & profile_bit(profile)) != 0)
      profiles += concat(profiles.empty() ? "" : ", ", profile_name(profile));
  }
  constexpr std::size_t kWidth = 78;
  constexpr std::size_t kIndent = 12;
  const auto row = [](std::string_view label, std::string_view text) {
    std::string head = concat("  ", label, ":");
    head.resize(kIndent, ' ');
    return concat(libconf::fold(head.substr(0, kIndent - 1), text, kWidth, kIndent), "\n");
  };
  return concat(rule.id, ": ", rule.summary, "\n\n", row("severity", severity_name(rule.severity)),
                row("group", rule.group), row("profiles", profiles), row("why", rule.rationale),
                row("mend", rule.mend), row("see", rule.reference));
}

}  // namespace postlint
