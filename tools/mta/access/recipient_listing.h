/// Whether an address is one that mail can be delivered to, as tables say (postconf(5),
/// smtpd_reject_unlisted_recipient; LOCAL_RECIPIENT_README).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/settings.h"
#include "libmaps/address_lookup.h"
#include "tools/mta/access/services.h"

namespace mta {

enum class Listing : std::uint8_t {
  kListed,  ///< Or there is no table that would say otherwise.
  kUnlisted,
  kRelocated,  ///< relocated_maps has it.
};

struct ListingResult {
  Listing listing = Listing::kListed;
  std::string new_address = {};  ///< Of kRelocated.
};

/// Not thread-safe, as tables are not.
class RecipientListing {
 public:
  /// Opens the tables. `warnings` must outlive the object. Errors: as libmaps::open().
  static libconf::Result<std::unique_ptr<RecipientListing>> create(
      const libconf::Settings& settings, libmaps::AddressLookup::IsLocalSite is_local_site,
      libconf::DiagnosticSink& warnings);

  /// Errors: those of the tables, kTemporary as a rule.
  libconf::Result<ListingResult> find(const AddressInfo& address);

 private:
  RecipientListing() = default;

  std::string double_bounce_sender_;
  std::vector<std::unique_ptr<libmaps::AddressLookup>> always_known_;  ///< Canonical and virtual alias maps.
  std::unique_ptr<libmaps::AddressLookup> relocated_;
  /// By class; nothing where no table limits it.
  std::array<std::unique_ptr<libmaps::AddressLookup>, 5> by_class_;
};

}  // namespace mta
