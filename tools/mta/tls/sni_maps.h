/// Which keys and certificates a server shows under which of its names (postconf(5), tls_server_sni_maps).
///
///     SniMaps maps = SniMaps::open(settings, sink);
///     Result<std::optional<std::string>> chain = maps.find("mail.example.com", sink);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/table.h"
#include "tools/mta/tls/tls_library.h"

namespace mta {

/// Whether a client may say the name: labels of letters, digits, hyphens and underscores, at most 63 bytes
/// each and 255 in all, and no address.
bool is_server_name(std::string_view name);

/// What is asked for, in this order: the name, and its parents, each with a dot before it.
std::vector<std::string> sni_lookup_keys(std::string_view name);

/// Not thread-safe, as tables are not.
class SniMaps {
 public:
  /// Opens the tables; one that cannot be opened is reported, and gives errors when it is asked. `settings`
  /// must outlive the object. Errors: as Settings::get().
  static Result<SniMaps> open(const libconf::Settings& settings, DiagnosticSink& sink);
  SniMaps(SniMaps&&) noexcept;
  SniMaps& operator=(SniMaps&&) noexcept;
  ~SniMaps();

  bool is_empty() const { return sources_.empty(); }

  /// The PEM text for a name: keys, each with its certificates behind it. Nothing: no table has it. Errors:
  /// kTemporary, where a table could not tell; the sink has the reason.
  Result<std::optional<std::string>> find(std::string_view name, DiagnosticSink& sink);

 private:
  class Warnings;
  struct Source;
  SniMaps();

  std::unique_ptr<Warnings> warnings_;  ///< Where the tables report to.
  std::vector<Source> sources_;
};

}  // namespace mta
