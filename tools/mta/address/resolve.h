/// Resolving: which transport delivers mail for a recipient, and where to (trivial-rewrite(8), transport(5)).
///
///     auto resolver = RouteResolver::from(context, rewriting, domains, RouteKind::kDelivery);
///     if (!resolver) return resolver.error();
///     Result<Resolution> found = resolver->resolve("sender@example.org", "user@example.com");
///     // found->transport "smtp", found->nexthop "example.com"
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tools/mta/address/address_context.h"
#include "tools/mta/address/address_rewriting.h"
#include "tools/mta/address/recipient_class.h"
#include "tools/mta/address/route.h"

namespace mta {

struct Resolution {
  RecipientClass recipient_class = RecipientClass::kDefault;
  std::string transport;      ///< A service of master.cf.
  std::string nexthop;        ///< Where to; for `error` and `retry` the text of the reply.
  std::string recipient;      ///< The address to deliver to, in internal form.
  bool is_routed = false;     ///< The user part names another site, as in user%site@example.com.
  bool is_malformed = false;  ///< There is no such address; then transport and nexthop may be empty.
};

/// Not thread-safe, as tables are not.
class RouteResolver {
 public:
  /// Errors: as open_tables() and Settings::get(); a transport parameter without a transport.
  static libconf::Result<RouteResolver> from(const AddressContext& context, const AddressRewriting& rewriting,
                                             const std::shared_ptr<LocalDomains>& domains, RouteKind kind);

  /// Resolves `recipient` in mail from `sender`, both in internal form; the sender may be empty. Domains of
  /// this system are taken off as long as the rest is an address again: a%b@here is a@b. Errors: those of
  /// tables; try again later.
  libconf::Result<Resolution> resolve(std::string_view sender, std::string_view recipient);

 private:
  struct Rules {
    bool looks_inside_quotes = true;  ///< resolve_dequoted_address
    bool allows_null_domain = false;
    bool allows_numeric_domain = false;
    bool allows_minus_at_start = false;  ///< allow_min_user
    bool shows_table_name = true;
    bool has_relocated_prefix = true;
    bool allow_utf8 = false;
    bool swap_bangpath = true;
    bool allow_percent_hack = true;
    std::string hostname;
    std::string empty_recipient;
  };
  /// What is left of a recipient when domains of this system have been taken off.
  struct Target {
    std::string user;                   ///< In internal form.
    std::optional<std::string> domain;  ///< Nothing: none was there, so it is this host.
  };

  RouteResolver(Rules rules, const AddressRewriting& rewriting, std::shared_ptr<LocalDomains> domains,
                RecipientClasses classes, Routes routes, libmaps::AddressLookup relocated)
      : rules_(std::move(rules)),
        rewriting_(rewriting),
        domains_(std::move(domains)),
        classes_(std::move(classes)),
        routes_(std::move(routes)),
        relocated_(std::move(relocated)) {}

  libconf::Result<Target> target_of(std::string_view recipient);
  std::string form_to_read(std::string_view internal) const;
  std::string unquoted(std::string_view text) const;
  std::size_t last_at(std::string_view address) const;
  bool has_route(std::string_view user) const;
  std::string read_domain(std::string_view domain) const;
  libconf::Result<void> apply_relocated(Resolution& resolution);

  Rules rules_;
  AddressRewriting rewriting_;
  std::shared_ptr<LocalDomains> domains_;
  RecipientClasses classes_;
  Routes routes_;
  libmaps::AddressLookup relocated_;
};

}  // namespace mta
