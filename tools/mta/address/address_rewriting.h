/// Rewriting of addresses to standard form, user@fully.qualified.domain (trivial-rewrite(8);
/// ADDRESS_REWRITING_README, "Rewrite addresses to standard form").
///
///     auto rewriting = AddressRewriting::from(settings);
///     if (!rewriting) return rewriting.error();
///     std::string address = rewriting->rewrite(RewriteContext::kLocal, "user");  // user@example.com
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/address/address_tokens.h"

namespace mta {

/// What is appended to an incomplete address. Which clients are local is for the caller to decide
/// (local_header_rewrite_clients).
enum class RewriteContext : std::uint8_t {
  kLocal,   ///< $myorigin and $mydomain, as append_at_myorigin and append_dot_mydomain say.
  kRemote,  ///< $remote_header_rewrite_domain, for both; nothing when that is empty.
};

/// Holds copies of the settings. Thread-safe once made.
class AddressRewriting {
 public:
  /// Errors: as Settings::get().
  static libconf::Result<AddressRewriting> from(const libconf::Settings& settings);

  /// `address` in standard form, both in external form. In this order: a source route `@a,@b:` is dropped;
  /// what has no domain is read as `site!user` (swap_bangpath) or `user%site` (allow_percent_hack), or gets
  /// one; a domain without a dot gets one; a dot at the end is dropped. Addresses that this cannot help, such
  /// as `user@`, come back as they are, `@` becomes `""`, and the empty one stays empty.
  std::string rewrite(RewriteContext context, std::string_view address) const;

 private:
  struct Domains {
    std::string at_origin;   ///< Appended where there is no domain; empty: nothing is.
    std::string dot_domain;  ///< Appended where the domain has no dot; empty: nothing is.
  };
  AddressRewriting() = default;
  void swap_sites(std::vector<AddressToken>& tokens) const;

  bool swap_bangpath_ = true;
  bool allow_percent_hack_ = true;
  Domains local_;
  Domains remote_;
};

}  // namespace mta
