#include "tools/mta/address/canonical.h"

#include <array>
#include <utility>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

struct StepName {
  std::string_view maps;
  std::string_view classes;
  bool is_for_senders;
  bool is_for_recipients;
};

/// In the order in which they are applied.
constexpr std::array kSteps = {
    StepName{"sender_canonical_maps", "sender_canonical_classes", true, false},
    StepName{"recipient_canonical_maps", "recipient_canonical_classes", false, true},
    StepName{"canonical_maps", "canonical_classes", true, true},
};

/// More than anybody means to.
constexpr int kMostRounds = 10;

}  // namespace

Result<CanonicalMapping> CanonicalMapping::from(const AddressContext& context,
                                                const AddressRewriting& rewriting,
                                                const std::shared_ptr<LocalDomains>& domains) {
  CanonicalMapping canonical(context.tables.warnings);
  for (const StepName& step : kSteps) {
    const Result<std::string> maps = context.settings().get(step.maps);
    if (!maps) return maps.error();
    if (maps->empty()) continue;
    const Result<AddressRoles> roles = address_roles(step.classes, context.settings());
    if (!roles) return roles.error();
    auto mapping = AddressMapping::from(step.maps, libmaps::LookupKind::kCanonical, "canonical", context,
                                        rewriting, domains);
    if (!mapping) return mapping.error();
    canonical.steps_.push_back({*roles, std::move(*mapping)});
  }
  return canonical;
}

Result<std::string> CanonicalMapping::map(AddressRole role, std::string address) {
  for (Step& step : steps_) {
    if (!step.roles.has(role)) continue;
    Result<std::string> mapped = map_all(step.mapping, std::move(address));
    if (!mapped) return mapped;
    address = std::move(*mapped);
  }
  return address;
}

Result<std::string> CanonicalMapping::map_all(AddressMapping& mapping, std::string address) {
  for (int round = 0; round < kMostRounds; ++round) {
    auto found = mapping.find(address);
    if (!found) return found.error();
    if (!*found || (*found)->empty()) return address;
    if ((*found)->size() > 1)
      warnings_.warn("multi-valued", concat("multi-valued ", mapping.parameter(), " entry for ", address));
    std::string& first = (*found)->front();
    if (first == address) return address;
    address = std::move(first);
  }
  warnings_.warn("map-nesting", concat("unreasonable ", mapping.parameter(), " map nesting for ", address));
  return address;
}

}  // namespace mta
