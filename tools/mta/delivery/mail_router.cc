#include "tools/mta/delivery/mail_router.h"

#include <utility>

#include "libconf/text.h"
#include "tools/mta/address/address_context.h"
#include "tools/mta/address/local_domains.h"
#include "tools/mta/address/route.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::string_view kBounces = "error";
constexpr std::string_view kDefers = "retry";

MailRoute deferred(std::string_view why) {
  return {.transport = std::string(kDefers), .nexthop = std::string(why)};
}

class ConfiguredRouter final : public MailRouter {
 public:
  ConfiguredRouter(const libconf::Settings& settings, MailLog& log)
      : warnings_(log, {.program = "trivial-rewrite"}),
        settings_(settings.of_peer("rewrite_service_name")) {}

  Result<void> open(const libconf::Host& host) {
    const libconf::Settings& settings = settings_;
    const AddressContext context{.tables = {.settings = settings, .warnings = warnings_}, .host = host};
    Result<AddressRewriting> rewriting = AddressRewriting::from(settings);
    if (!rewriting) return rewriting.error();
    Result<std::shared_ptr<LocalDomains>> domains = LocalDomains::from(context);
    if (!domains) return domains.error();
    Result<RouteResolver> resolver = RouteResolver::from(context, *rewriting, *domains, RouteKind::kDelivery);
    if (!resolver) return resolver.error();
    resolver_.emplace(std::move(*resolver));
    const Result<std::vector<std::string>> deferred = settings.get_list("defer_transports");
    if (!deferred) return deferred.error();
    defer_transports_.insert(deferred->begin(), deferred->end());
    for (const auto& [name, value] : {std::pair("default_filter_nexthop", &filter_nexthop_),
                                      std::pair("double_bounce_sender", &double_bounce_)}) {
      Result<std::string> setting = settings.get(name);
      if (!setting) return setting.error();
      *value = std::move(*setting);
    }
    return {};
  }

  MailRoute route(const RoutedMail& mail, QueueRecipient& recipient) override {
    if (!mail.redirect.empty()) recipient.address = mail.redirect;
    MailRoute route = mail.filter.empty() ? resolved(mail, recipient) : filtered(mail, recipient);
    if (!mail.is_urgent && defer_transports_.contains(route.transport))
      return deferred("4.3.2 deferred transport");
    return route;
  }

 private:
  MailRoute filtered(const RoutedMail& mail, const QueueRecipient& recipient) const {
    Route filter = split_route(mail.filter);
    if (filter.nexthop.empty()) filter.nexthop = filter_nexthop_;
    if (filter.nexthop.empty()) filter.nexthop = recipient.address.substr(recipient.address.rfind('@') + 1);
    return {.transport = std::move(filter.transport), .nexthop = std::move(filter.nexthop)};
  }

  MailRoute resolved(const RoutedMail& mail, QueueRecipient& recipient) {
    Result<Resolution> resolution = resolver_->resolve(mail.sender, recipient.address);
    if (!resolution) {
      warnings_.warn("resolve", resolution.error().message);
      return deferred("4.3.0 address resolver failure");
    }
    if (resolution->is_malformed)
      return {.transport = std::string(kBounces), .nexthop = "5.1.3 bad address syntax"};
    if (!resolution->recipient.empty()) recipient.address = std::move(resolution->recipient);
    const std::string_view user = std::string_view(recipient.address).substr(0, recipient.address.rfind('@'));
    const bool is_discarded = resolution->recipient_class == RecipientClass::kLocal &&
                              libconf::equals_ignoring_case(user, double_bounce_);
    return {.transport = std::move(resolution->transport),
            .nexthop = std::move(resolution->nexthop),
            .is_discarded = is_discarded};
  }

  LogSink warnings_;
  libconf::Settings settings_;
  std::optional<RouteResolver> resolver_;
  std::set<std::string, std::less<>> defer_transports_;
  std::string filter_nexthop_;
  std::string double_bounce_;
};

}  // namespace

Result<std::unique_ptr<MailRouter>> MailRouter::create(const libconf::Settings& settings,
                                                       const libconf::Host& host, MailLog& log) {
  auto router = std::make_unique<ConfiguredRouter>(settings, log);
  if (Result<void> opened = router->open(host); !opened) return opened.error();
  return std::unique_ptr<MailRouter>(std::move(router));
}

}  // namespace mta
