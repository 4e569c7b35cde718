/// Addresses for tests of access control: resolved by the lists of domains in main.cf, with the least of
/// rewriting.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libconf/text.h"
#include "libmaps/match_list.h"
#include "libmaps/open.h"
#include "tools/mta/access/services.h"

namespace mta {

class SiteAddresses final : public AddressResolver {
 public:
  /// `own_addresses` are local domains when they stand in brackets.
  static libconf::Result<std::unique_ptr<SiteAddresses>> create(const libconf::Settings& settings,
                                                                std::vector<std::string> own_addresses) {
    auto site = std::unique_ptr<SiteAddresses>(new SiteAddresses());
    site->own_addresses_ = std::move(own_addresses);
    auto origin = settings.get("myorigin");
    if (!origin) return origin.error();
    site->origin_ = *origin;
    const std::pair<const char*, AddressClass> parameters[] = {
        {"mydestination", AddressClass::kLocal},
        {"virtual_alias_domains", AddressClass::kVirtualAlias},
        {"virtual_mailbox_domains", AddressClass::kVirtualMailbox},
        {"relay_domains", AddressClass::kRelay},
    };
    for (const auto& [parameter, address_class] : parameters) {
      auto value = settings.get(parameter);
      if (!value) return value.error();
      const auto kind =
          address_class == AddressClass::kRelay ? libmaps::MatchKind::kDomains : libmaps::MatchKind::kStrings;
      auto parents = libmaps::parent_style(settings, parameter);
      if (!parents) return parents.error();
      auto list = libmaps::MatchList::parse(
          parameter, *value, {.kind = kind, .parents = *parents}, [&](std::string_view spec) {
            return libmaps::open(spec, {.settings = settings, .warnings = site->discard_});
          });
      if (!list) return list.error();
      site->lists_.emplace_back(std::move(*list), address_class);
    }
    return site;
  }

  asio::awaitable<libconf::Result<AddressInfo>> resolve(std::string address) override {
    co_return info(address);
  }

  libconf::Result<AddressInfo> info(std::string address) {
    AddressInfo info;
    std::size_t at = address.rfind('@');
    if (at == std::string::npos) {
      const std::size_t bang = address.find('!');
      const std::size_t percent = address.rfind('%');
      if (bang != std::string::npos)
        address = libconf::concat(address.substr(bang + 1), "@", address.substr(0, bang));
      else if (percent != std::string::npos)
        address[percent] = '@';
      else
        address = libconf::concat(address, "@", origin_);
      at = address.rfind('@');
    }
    const std::string local = address.substr(0, at);
    info.domain = address.substr(at + 1);
    const bool needs_quotes = local.find_first_of(" @\"") != std::string::npos;
    info.address = needs_quotes ? libconf::concat("\"", local, "\"@", info.domain) : address;
    info.has_sender_routing = local.find_first_of("@%!") != std::string::npos;
    auto found = address_class(info.domain);
    if (!found) return found.error();
    info.address_class = *found;
    // Inside a local domain the address names another site, where the mail really goes.
    if (info.has_sender_routing && info.address_class == AddressClass::kLocal) {
      const std::size_t bang = local.find('!');
      if (bang != std::string::npos)
        return this->info(libconf::concat(local.substr(bang + 1), "@", local.substr(0, bang)));
      const std::size_t routed = local.find_last_of("@%");
      return this->info(libconf::concat(local.substr(0, routed), "@", local.substr(routed + 1)));
    }
    return info;
  }

  libconf::Result<bool> is_local(std::string_view domain) {
    if (libconf::equals_ignoring_case(domain, origin_)) return true;
    auto found = address_class(domain);
    if (!found) return found.error();
    return *found == AddressClass::kLocal;
  }

 private:
  SiteAddresses() = default;

  libconf::Result<AddressClass> address_class(std::string_view domain) {
    for (const std::string& own : own_addresses_)
      if (domain == libconf::concat("[", own, "]")) return AddressClass::kLocal;
    for (auto& [list, list_class] : lists_) {
      auto found = list.matches(domain);
      if (!found) return found.error();
      if (*found) return list_class;
    }
    return AddressClass::kDefault;
  }

  std::string origin_;
  std::vector<std::string> own_addresses_;
  libconf::DiagnosticDiscard discard_;
  std::vector<std::pair<libmaps::MatchList, AddressClass>> lists_;
};

}  // namespace mta
