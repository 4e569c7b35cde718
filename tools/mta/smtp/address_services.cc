#include "tools/mta/smtp/address_services.h"

#include "libconf/text.h"
#include "tools/mta/address/header_address.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/smtp/receive_overrides.h"

namespace mta {
namespace {

using libconf::Result;

AddressClass class_of(RecipientClass recipient_class) {
  switch (recipient_class) {
    case RecipientClass::kLocal:
      return AddressClass::kLocal;
    case RecipientClass::kVirtualAlias:
      return AddressClass::kVirtualAlias;
    case RecipientClass::kVirtualMailbox:
      return AddressClass::kVirtualMailbox;
    case RecipientClass::kRelay:
      return AddressClass::kRelay;
    case RecipientClass::kDefault:
      break;
  }
  return AddressClass::kDefault;
}

/// The value of a header, and its name without the colon.
struct HeaderParts {
  std::string_view name;
  std::string_view value;
};

HeaderParts split_header(std::string_view header) {
  const std::size_t colon = header.find(':');
  return {.name = libconf::trim(header.substr(0, colon)),
          .value = header.substr(std::min(colon + 1, header.size()))};
}

}  // namespace

class AddressServices::Headers final : public HeaderAddresses {
 public:
  Headers(AddressServices& services, RewriteContext context) : services_(services), context_(context) {}

  Result<void> rewrite(HeaderRole role, std::string& header) override {
    const HeaderParts parts = split_header(header);
    const AddressRole address_role =
        role == HeaderRole::kSender ? AddressRole::kHeaderSender : AddressRole::kHeaderRecipient;
    Result<std::optional<std::string>> rewritten = rewrite_header_addresses(
        parts.name, parts.value, services_.token_limit_,
        [&](std::string_view address) { return services_.rewrite(context_, address_role, address); });
    if (!rewritten) return rewritten.error();
    if (*rewritten) header = libconf::concat(parts.name, ": ", **rewritten);
    return {};
  }

  void for_each(std::string_view value, const std::function<void(std::string_view)>& visit) override {
    for (const std::string& address : header_addresses(value, services_.token_limit_)) visit(address);
  }

 private:
  AddressServices& services_;
  RewriteContext context_;
};

Result<std::unique_ptr<AddressServices>> AddressServices::create(const libconf::Settings& settings,
                                                                 const libconf::Host& host,
                                                                 libconf::DiagnosticSink& warnings) {
  const libconf::Settings cleanup = settings.of_peer("cleanup_service_name");
  auto views = std::make_unique<const Views>(
      Views{.cleanup = cleanup, .rewrite = cleanup.of_peer("rewrite_service_name")});
  const Result<bool> utf8 = cleanup.get_bool("smtputf8_enable");
  if (!utf8) return utf8.error();
  const AddressContext context{
      .tables = {.settings = views->cleanup, .warnings = warnings, .options = {.utf8 = *utf8}}, .host = host};
  const AddressContext rewrite_context{
      .tables = {.settings = views->rewrite, .warnings = warnings, .options = {.utf8 = *utf8}}, .host = host};
  Result<AddressRewriting> rewriting = AddressRewriting::from(views->rewrite);
  if (!rewriting) return rewriting.error();
  Result<std::shared_ptr<LocalDomains>> domains = LocalDomains::from(rewrite_context);
  if (!domains) return domains.error();
  Result<CanonicalMapping> canonical = CanonicalMapping::from(context, *rewriting, *domains);
  if (!canonical) return canonical.error();
  Result<Masquerade> masquerade = Masquerade::from(context);
  if (!masquerade) return masquerade.error();
  Result<VirtualAliases> aliases = VirtualAliases::from(context, *rewriting, *domains);
  if (!aliases) return aliases.error();
  Result<RouteResolver> routes =
      RouteResolver::from(rewrite_context, *rewriting, *domains, RouteKind::kDelivery);
  if (!routes) return routes.error();
  std::vector<AddressMapping> bcc;
  for (const std::string_view parameter : {"sender_bcc_maps", "recipient_bcc_maps"}) {
    Result<AddressMapping> mapping = AddressMapping::from(parameter, libmaps::LookupKind::kCanonical, "bcc",
                                                          context, *rewriting, *domains);
    if (!mapping) return mapping.error();
    bcc.push_back(std::move(*mapping));
  }
  const Result<ReceiveOverrides> overrides = ReceiveOverrides::read(settings);
  if (!overrides) return overrides.error();
  const Result<std::int64_t> token_limit = cleanup.get_int("header_address_token_limit");
  if (!token_limit) return token_limit.error();
  return std::unique_ptr<AddressServices>(
      new AddressServices(std::move(views), std::move(*rewriting), std::move(*domains), std::move(*canonical),
                          std::move(*masquerade), std::move(*aliases), std::move(*routes),
                          std::array{std::move(bcc[0]), std::move(bcc[1])},
                          static_cast<std::size_t>(*token_limit), !overrides->no_address_mappings));
}

asio::awaitable<Result<AddressInfo>> AddressServices::resolve(std::string address) {
  const std::string standard = rewriting_.rewrite(RewriteContext::kLocal, quote_address(address));
  const Result<Resolution> resolution = routes_.resolve("", unquote_address(standard));
  if (!resolution) co_return resolution.error();
  // Tables of restrictions are asked for where the mail really goes: a@b, for a%b at a domain of this site.
  const std::string& target = resolution->recipient;
  std::string external = target.empty() ? standard : quote_address(target);
  const std::size_t at = target.rfind('@');
  std::string domain = at == std::string::npos ? "" : target.substr(at + 1);
  // What the user part names is elsewhere, whatever else it looks like.
  const bool is_elsewhere = resolution->is_routed && resolution->recipient_class == RecipientClass::kLocal;
  co_return AddressInfo{
      .address = std::move(external),
      .domain = std::move(domain),
      .address_class = is_elsewhere ? AddressClass::kDefault : class_of(resolution->recipient_class),
      .has_sender_routing = resolution->is_routed};
}

Result<std::string> AddressServices::rewrite(RewriteContext context, AddressRole role,
                                             std::string_view address) {
  // Only headers differ by the client (local_header_rewrite_clients); the envelope is always completed.
  const bool is_header = role == AddressRole::kHeaderSender || role == AddressRole::kHeaderRecipient;
  std::string standard = rewriting_.rewrite(is_header ? context : RewriteContext::kLocal, address);
  if (trace_) trace_("standard form", address, standard);
  if (!maps_addresses_) return standard;
  Result<std::string> mapped = canonical_.map(role, standard);
  if (!mapped) return mapped;
  if (trace_) trace_("canonical maps", standard, *mapped);
  Result<std::string> hidden = masquerade_.hide(role, *mapped);
  if (trace_ && hidden) trace_("masquerading", *mapped, *hidden);
  return hidden;
}

Result<std::string> AddressServices::rewrite_sender(RewriteContext context, std::string_view sender) {
  if (sender.empty()) return std::string();
  Result<std::string> rewritten = rewrite(context, AddressRole::kEnvelopeSender, quote_address(sender));
  if (!rewritten) return rewritten;
  return unquote_address(*rewritten);
}

Result<std::string> AddressServices::rewrite_recipient(RewriteContext context, std::string_view recipient) {
  return rewrite(context, AddressRole::kEnvelopeRecipient, recipient);
}

Result<std::optional<std::string>> AddressServices::automatic_bcc(Bcc bcc, std::string_view address) {
  if (!maps_addresses_ || address.empty()) return std::nullopt;
  Result<std::optional<std::vector<std::string>>> found = bcc_[static_cast<std::size_t>(bcc)].find(address);
  if (!found) return found.error();
  if (!*found || (*found)->empty()) return std::nullopt;
  return std::move((*found)->front());
}

Result<std::string> AddressServices::original_recipient(RewriteContext context, std::string_view recipient) {
  const Result<std::string> rewritten = rewrite(context, AddressRole::kEnvelopeRecipient, recipient);
  if (!rewritten) return rewritten;
  return libconf::concat("rfc822;", unquote_address(*rewritten));
}

Result<std::vector<EnvelopeRecipient>> AddressServices::expand(RewriteContext context,
                                                               EnvelopeRecipient recipient) {
  Result<std::string> rewritten = rewrite_recipient(context, recipient.address);
  if (!rewritten) return rewritten.error();
  recipient.address = std::move(*rewritten);
  if (!maps_addresses_) {
    recipient.address = unquote_address(recipient.address);
    return std::vector{std::move(recipient)};
  }
  Result<std::vector<EnvelopeRecipient>> expanded = aliases_.expand(recipient);
  if (!expanded) return expanded;
  if (trace_) {
    std::string after;
    for (const EnvelopeRecipient& each : *expanded)
      after += libconf::concat(after.empty() ? "" : ", ", each.address);
    trace_("virtual aliases", recipient.address, after);
  }
  for (EnvelopeRecipient& each : *expanded) each.address = unquote_address(each.address);
  return expanded;
}

std::unique_ptr<HeaderAddresses> AddressServices::for_headers(RewriteContext context) {
  return std::make_unique<Headers>(*this, context);
}

}  // namespace mta
