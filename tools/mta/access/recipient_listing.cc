#include "tools/mta/access/recipient_listing.h"

#include <utility>

#include "libconf/text.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::Result;
using libmaps::AddressLookup;
using libmaps::LookupKind;

constexpr std::array<std::string_view, 4> kAlwaysKnown = {"canonical_maps", "recipient_canonical_maps",
                                                          "sender_canonical_maps", "virtual_alias_maps"};

/// By AddressClass. Virtual aliases are among what is always known; mail for other sites goes anywhere.
constexpr std::array<std::string_view, 5> kClassTables = {"local_recipient_maps", "", "virtual_mailbox_maps",
                                                          "relay_recipient_maps", ""};

}  // namespace

Result<std::unique_ptr<RecipientListing>> RecipientListing::create(const libconf::Settings& settings,
                                                                   AddressLookup::IsLocalSite is_local_site,
                                                                   libconf::DiagnosticSink& warnings) {
  auto rules = libmaps::address_rules(LookupKind::kVirtual, settings);
  if (!rules) return rules.error();
  // Nothing: the parameter names no table.
  const auto open = [&](std::string_view parameter) -> Result<std::unique_ptr<AddressLookup>> {
    auto tables = open_tables(parameter, {.settings = settings, .warnings = warnings});
    if (!tables) return tables.error();
    if (tables->empty()) return std::unique_ptr<AddressLookup>();
    return std::make_unique<AddressLookup>(LookupKind::kVirtual, std::move(*tables), *rules, is_local_site);
  };
  std::unique_ptr<RecipientListing> listing(new RecipientListing());
  listing->double_bounce_sender_ = rules->double_bounce_sender;
  for (const std::string_view parameter : kAlwaysKnown) {
    auto lookup = open(parameter);
    if (!lookup) return lookup.error();
    if (*lookup) listing->always_known_.push_back(std::move(*lookup));
  }
  auto relocated = open("relocated_maps");
  if (!relocated) return relocated.error();
  listing->relocated_ = std::move(*relocated);
  for (std::size_t i = 0; i < kClassTables.size(); ++i) {
    if (kClassTables[i].empty()) continue;
    auto lookup = open(kClassTables[i]);
    if (!lookup) return lookup.error();
    listing->by_class_[i] = std::move(*lookup);
  }
  return listing;
}

Result<ListingResult> RecipientListing::find(const AddressInfo& address) {
  for (const auto& lookup : always_known_) {
    auto found = lookup->find(address.address);
    if (!found) return found.error();
    if (*found) return ListingResult{};
  }
  if (relocated_) {
    auto found = relocated_->find(address.address);
    if (!found) return found.error();
    if (*found) return ListingResult{Listing::kRelocated, std::move((*found)->value)};
  }
  if (address.address_class == AddressClass::kVirtualAlias) return ListingResult{Listing::kUnlisted};
  const auto& lookup = by_class_[static_cast<std::size_t>(address.address_class)];
  if (!lookup) return ListingResult{};
  // Those that every site has.
  const std::string_view local = std::string_view(address.address).substr(0, address.address.rfind('@'));
  if (address.address_class == AddressClass::kLocal)
    for (const std::string_view name : {std::string_view("mailer-daemon"), std::string_view("postmaster"),
                                        std::string_view(double_bounce_sender_)})
      if (libconf::equals_ignoring_case(local, name)) return ListingResult{};
  auto found = lookup->find(address.address);
  if (!found) return found.error();
  return ListingResult{*found ? Listing::kListed : Listing::kUnlisted};
}

}  // namespace mta
