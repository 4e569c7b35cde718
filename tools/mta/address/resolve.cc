#include "tools/mta/address/resolve.h"

#include <utility>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/address/domain_syntax.h"
#include "tools/mta/address/quoting.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::string_view kHasMoved = "5.1.6 User has moved to ";

/// The place of the last of `operators` in an external form that is not quoted.
std::size_t find_operators(std::string_view external, std::string_view operators) {
  bool is_quoted = false;
  std::size_t place = std::string_view::npos;
  for (std::size_t i = 0; i < external.size(); ++i) {
    if (external[i] == '\\')
      ++i;
    else if (external[i] == '"')
      is_quoted = !is_quoted;
    else if (!is_quoted && operators.find(external[i]) != std::string_view::npos)
      place = i;
  }
  return place;
}

}  // namespace

Result<RouteResolver> RouteResolver::from(const AddressContext& context, const AddressRewriting& rewriting,
                                          const std::shared_ptr<LocalDomains>& domains, RouteKind kind) {
  Rules rules;
  for (const auto& [name, value] :
       {std::pair("resolve_dequoted_address", &rules.looks_inside_quotes),
        std::pair("resolve_null_domain", &rules.allows_null_domain),
        std::pair("resolve_numeric_domain", &rules.allows_numeric_domain),
        std::pair("allow_min_user", &rules.allows_minus_at_start),
        std::pair("show_user_unknown_table_name", &rules.shows_table_name),
        std::pair("relocated_prefix_enable", &rules.has_relocated_prefix),
        std::pair("smtputf8_enable", &rules.allow_utf8), std::pair("swap_bangpath", &rules.swap_bangpath),
        std::pair("allow_percent_hack", &rules.allow_percent_hack)}) {
    const Result<bool> setting = context.settings().get_bool(name);
    if (!setting) return setting.error();
    *value = *setting;
  }
  for (const auto& [name, value] : {std::pair("myhostname", &rules.hostname),
                                    std::pair("empty_address_recipient", &rules.empty_recipient)}) {
    Result<std::string> setting = context.settings().get(name);
    if (!setting) return setting.error();
    *value = std::move(*setting);
  }
  auto classes = RecipientClasses::from(context, domains);
  if (!classes) return classes.error();
  auto routes = Routes::from(context, kind);
  if (!routes) return routes.error();
  auto relocated =
      open_lookup("relocated_maps", libmaps::LookupKind::kRelocated, context, is_site_of(domains));
  if (!relocated) return relocated.error();
  return RouteResolver(std::move(rules), rewriting, domains, std::move(*classes), std::move(*routes),
                       std::move(*relocated));
}

Result<Resolution> RouteResolver::resolve(std::string_view sender, std::string_view recipient) {
  Result<Target> target = target_of(recipient);
  if (!target) return target.error();
  Resolution resolution;
  std::string domain = target->domain.value_or(rules_.hostname);
  if (domain.empty() && rules_.allows_null_domain) domain = rules_.hostname;
  const Result<bool> is_ours = domains_->has(domain);
  if (!is_ours) return is_ours.error();
  const bool is_null = !target->domain || *is_ours || domain.empty();
  if (target->user.empty() && is_null) target->user = rules_.empty_recipient;
  resolution.recipient = concat(target->user, "@", domain);
  if (!*is_ours && !is_mail_domain(domain, rules_.allow_utf8)) {
    resolution.is_malformed = true;
    return resolution;
  }
  resolution.is_malformed = target->user.starts_with('-') && !rules_.allows_minus_at_start;
  resolution.is_routed = target->user.find_first_of("@!%") != std::string::npos;
  const Result<RecipientClass> recipient_class = classes_.of(domain);
  if (!recipient_class) return recipient_class.error();
  resolution.recipient_class = *recipient_class;
  if (*recipient_class == RecipientClass::kVirtualAlias) {
    resolution.transport = "error";
    resolution.nexthop =
        concat("5.1.1 User unknown", rules_.shows_table_name ? " in virtual alias table" : "");
  } else {
    Result<Route> route =
        routes_.find(*recipient_class, quote_address(sender), quote_address(resolution.recipient), domain);
    if (!route) return route.error();
    resolution.transport = std::move(route->transport);
    resolution.nexthop = std::move(route->nexthop);
  }
  if (Result<void> done = apply_relocated(resolution); !done) return done.error();
  return resolution;
}

/// With resolve_dequoted_address the user part is read as if it had no quotes, so that "a@b"@here cannot be
/// used to get around a restriction on a@b.
Result<RouteResolver::Target> RouteResolver::target_of(std::string_view recipient) {
  std::string address = form_to_read(recipient);
  std::optional<std::string> last_domain;
  // Every round takes a domain off, or reads an operator.
  for (std::size_t round = 0; round <= recipient.size(); ++round) {
    const std::size_t at = last_at(address);
    if (at == std::string::npos && !has_route(address)) return Target{unquoted(address), std::nullopt};
    std::string rest = address;
    if (at != std::string::npos) {
      std::string domain = read_domain(std::string_view(address).substr(at + 1));
      if (domain.empty() && last_domain && rules_.allows_null_domain) domain = *last_domain;
      const Result<bool> is_ours = domain.empty() ? Result<bool>(true) : domains_->has(domain);
      if (!is_ours) return is_ours.error();
      rest.resize(at);
      if (!*is_ours || !has_route(rest)) return Target{unquoted(rest), std::move(domain)};
      last_domain = std::move(domain);
    }
    address = form_to_read(unquote_address(rewriting_.rewrite(RewriteContext::kLocal, rest)));
  }
  return Target{unquoted(address), std::nullopt};
}

std::string RouteResolver::form_to_read(std::string_view internal) const {
  return rules_.looks_inside_quotes ? std::string(internal) : quote_address(internal);
}

std::string RouteResolver::unquoted(std::string_view text) const {
  return rules_.looks_inside_quotes ? std::string(text) : unquote_address(text);
}

/// The last '@' that is not quoted.
std::size_t RouteResolver::last_at(std::string_view address) const {
  return rules_.looks_inside_quotes ? address.rfind('@') : find_operators(address, "@");
}

/// Whether a user part is an address by itself.
bool RouteResolver::has_route(std::string_view user) const {
  std::string operators = "@";
  if (rules_.swap_bangpath) operators += '!';
  if (rules_.allow_percent_hack) operators += '%';
  const std::size_t place =
      rules_.looks_inside_quotes ? user.find_first_of(operators) : find_operators(user, operators);
  return place != std::string_view::npos;
}

/// A domain without the dot at its end; a number as the literal that it may stand for.
std::string RouteResolver::read_domain(std::string_view domain) const {
  if (domain.size() > 1 && domain.ends_with('.') && !domain.ends_with("..")) domain.remove_suffix(1);
  if (rules_.allows_numeric_domain && libmaps::parse_ipv4(domain)) return concat("[", domain, "]");
  return std::string(domain);
}

Result<void> RouteResolver::apply_relocated(Resolution& resolution) {
  auto match = relocated_.find(quote_address(resolution.recipient));
  if (!match) return match.error();
  if (!*match) return {};
  resolution.transport = "error";
  resolution.nexthop = concat(rules_.has_relocated_prefix ? kHasMoved : "", (*match)->value);
  return {};
}

}  // namespace mta
