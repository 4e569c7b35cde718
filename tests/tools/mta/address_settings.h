/// Settings, tables and a host for tests of addresses.
#pragma once

#include <initializer_list>
#include <memory>
#include <utility>

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "tools/mta/address/address_context.h"
#include "tools/mta/address/address_rewriting.h"
#include "tools/mta/address/local_domains.h"

namespace mta {

/// A host with the addresses 127.0.0.1 and 192.0.2.1.
inline libconf::Host test_host() {
  using Bytes = std::vector<std::uint8_t>;
  return {"h.example.com",
          [] {
            return libconf::Result<std::vector<libconf::InterfaceAddress>>(
                std::vector<libconf::InterfaceAddress>{{{127, 0, 0, 1}, 8}, {{192, 0, 2, 1}, 24}});
          },
          [](const std::string& name) {
            return name == "192.0.2.9" ? std::vector<Bytes>{{192, 0, 2, 9}} : std::vector<Bytes>{};
          }};
}

/// What the objects under test are made from, with some parameters set.
class AddressSettings {
 public:
  using Parameters = std::initializer_list<std::pair<const char*, const char*>>;

  explicit AddressSettings(Parameters parameters) {
    for (const auto& [name, value] :
         {std::pair("myhostname", "h.example.com"), std::pair("mydomain", "example.com"),
          std::pair("append_dot_mydomain", "no"), std::pair("myorigin", "o.example"),
          std::pair("mydestination", "h.example.com, l.x"), std::pair("local_recipient_maps", ""),
          std::pair("smtputf8_enable", "no"), std::pair("recipient_delimiter", "+")})
      settings_.override_value(name, value);
    for (const auto& [name, value] : parameters) settings_.override_value(name, value);
  }

  AddressContext context() {
    return {.tables = {.settings = settings_, .warnings = warnings_}, .host = host_};
  }
  AddressRewriting rewriting() const { return *AddressRewriting::from(settings_); }
  std::shared_ptr<LocalDomains> domains() { return *LocalDomains::from(context()); }
  const libconf::Settings& settings() const { return settings_; }
  const libconf::DiagnosticList& warnings() const { return warnings_; }

 private:
  libconf::Host host_ = test_host();
  libconf::Settings settings_{nullptr, host_};
  libconf::DiagnosticList warnings_;
};

}  // namespace mta
