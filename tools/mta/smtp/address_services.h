/// The addresses of a message on their way into the queue, and what they mean: all of tools/mta/address at
/// work for one service (cleanup(8), trivial-rewrite(8)).
///
///     auto addresses = AddressServices::create(settings, host, warnings);
///     Result<std::string> sender = (*addresses)->rewrite_sender("ann");
///     Result<std::vector<EnvelopeRecipient>> recipients = (*addresses)->expand(recipient);
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/host.h"
#include "libconf/settings.h"
#include "tools/mta/access/services.h"
#include "tools/mta/address/address_context.h"
#include "tools/mta/address/address_rewriting.h"
#include "tools/mta/address/canonical.h"
#include "tools/mta/address/local_domains.h"
#include "tools/mta/address/mapped_addresses.h"
#include "tools/mta/address/masquerade.h"
#include "tools/mta/address/resolve.h"
#include "tools/mta/address/virtual_alias.h"
#include "tools/mta/content/cleanup_headers.h"

namespace mta {

/// Is told what a step of rewriting makes of an address, in external form, whether it changes it or not:
/// postexplain(1). Of aliases, `after` are the recipients, divided by ", ".
using RewriteTrace =
    std::function<void(std::string_view step, std::string_view before, std::string_view after)>;

/// Serves all sessions of a service; not thread-safe, as tables are not.
class AddressServices final : public AddressResolver {
 public:
  /// Tables are asked where cleanup(8) and trivial-rewrite(8) would: see Settings::of_peer(). `host` and
  /// `warnings` must outlive the object. Errors: those of the settings, and of opening tables.
  static libconf::Result<std::unique_ptr<AddressServices>> create(const libconf::Settings& settings,
                                                                  const libconf::Host& host,
                                                                  libconf::DiagnosticSink& warnings);

  /// AddressResolver, for restrictions. It does not wait for anything but tables.
  asio::awaitable<libconf::Result<AddressInfo>> resolve(std::string address) override;

  /// The envelope sender as it goes into the queue; both in internal form. `context` is that of the client.
  /// Errors: those of tables.
  libconf::Result<std::string> rewrite_sender(RewriteContext context, std::string_view sender);

  /// What notifications call a recipient that came without ORCPT (RFC 3461): "rfc822;ADDRESS", rewritten, but
  /// for aliases. `recipient` is in external form. Errors: those of tables.
  libconf::Result<std::string> original_recipient(RewriteContext context, std::string_view recipient);

  /// The recipients that mail for `recipient` goes to; its address is in external form, and becomes the
  /// internal one. Errors: as VirtualAliases::expand().
  libconf::Result<std::vector<EnvelopeRecipient>> expand(RewriteContext context, EnvelopeRecipient recipient);

  /// The address of a recipient before aliases; both in external form. Errors: those of tables.
  libconf::Result<std::string> rewrite_recipient(RewriteContext context, std::string_view recipient);

  /// What sender_bcc_maps or recipient_bcc_maps have for an address, both in external form, after canonical
  /// mapping. Nothing: there is no entry. Errors: those of tables.
  enum class Bcc { kSender, kRecipient };
  libconf::Result<std::optional<std::string>> automatic_bcc(Bcc bcc, std::string_view address);

  /// Where mail for an address would go, in internal form. Errors: those of tables.
  libconf::Result<Resolution> route(std::string_view address) { return routes_.resolve("", address); }

  /// Whether addresses are mapped at all: receive_override_options.
  bool maps_addresses() const { return maps_addresses_; }

  /// Rewrites the addresses of headers for a client of that context.
  std::unique_ptr<HeaderAddresses> for_headers(RewriteContext context);

  const std::shared_ptr<LocalDomains>& local_domains() const { return domains_; }

  /// From now on `trace` is told of each step; empty: nobody is.
  void set_trace(RewriteTrace trace) { trace_ = std::move(trace); }

 private:
  class Headers;
  /// What tables refer to.
  struct Views {
    libconf::Settings cleanup;
    libconf::Settings rewrite;
  };
  AddressServices(std::unique_ptr<const Views> views, AddressRewriting rewriting,
                  std::shared_ptr<LocalDomains> domains, CanonicalMapping canonical, Masquerade masquerade,
                  VirtualAliases aliases, RouteResolver routes, std::array<AddressMapping, 2> bcc,
                  std::size_t token_limit, bool maps_addresses)
      : views_(std::move(views)),
        rewriting_(std::move(rewriting)),
        domains_(std::move(domains)),
        canonical_(std::move(canonical)),
        masquerade_(std::move(masquerade)),
        aliases_(std::move(aliases)),
        routes_(std::move(routes)),
        bcc_(std::move(bcc)),
        token_limit_(token_limit),
        maps_addresses_(maps_addresses) {}

  /// Standard form, canonical maps, masquerading; both in external form.
  libconf::Result<std::string> rewrite(RewriteContext context, AddressRole role, std::string_view address);

  std::unique_ptr<const Views> views_;  ///< Outlives the tables.
  AddressRewriting rewriting_;
  std::shared_ptr<LocalDomains> domains_;
  CanonicalMapping canonical_;
  Masquerade masquerade_;
  VirtualAliases aliases_;
  RouteResolver routes_;
  std::array<AddressMapping, 2> bcc_;  ///< In the order of Bcc.
  std::size_t token_limit_;            ///< header_address_token_limit
  bool maps_addresses_;                ///< receive_override_options has no no_address_mappings.
  RewriteTrace trace_;
};

}  // namespace mta
