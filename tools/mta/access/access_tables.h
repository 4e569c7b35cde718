/// The tables that restrictions ask, each opened when it is first asked, and once.
///
///     AccessTables tables(settings, rules);
///     auto found = tables.find("cidr:/etc/postfix/clients", AccessKey::kClientAddress, "192.0.2.7",
///     warnings);
///
/// A table that cannot be opened is like one that cannot answer: mail is deferred, and the next question
/// tries again.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/settings.h"
#include "libmaps/address_lookup.h"

namespace mta {

/// How a key is asked for (access(5)).
enum class AccessKey : std::uint8_t {
  kMailAddress,    ///< EMAIL ADDRESS PATTERNS; in its external form, empty for the null address.
  kHostName,       ///< HOST NAME/ADDRESS PATTERNS: a name and its parents.
  kClientAddress,  ///< The same: an address and the networks around it.
  kExact,          ///< The key alone.
};

/// Not thread-safe, as tables are not. Settings must outlive it.
class AccessTables {
 public:
  AccessTables(const libconf::Settings& settings, libmaps::AddressRules rules);
  ~AccessTables();

  /// What `table`, a type:name, has for `key`. What opening and asking warn of goes to `warnings`. Errors:
  /// complete messages, 'hash:/x lookup error for "KEY": REASON'.
  libconf::Result<std::optional<libmaps::AddressMatch>> find(std::string_view table, AccessKey kind,
                                                             std::string_view key,
                                                             libconf::DiagnosticSink& warnings);

 private:
  struct Tables;
  class Relay;

  libconf::Result<Tables*> open(std::string_view table, AccessKey kind);

  const libconf::Settings& settings_;
  libmaps::AddressRules rules_;
  std::unique_ptr<Relay> relay_;  ///< Where the tables send their warnings: to whoever asks now.
  std::map<std::string, std::unique_ptr<Tables>, std::less<>> tables_;
};

}  // namespace mta
