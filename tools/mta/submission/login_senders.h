/// Which senders a user of this host may put on the envelope (postconf(5), local_login_sender_maps).
///
///     auto senders = LoginSenders::open({.tables = program.tables(), .host = libconf::system_host()});
///     Result<bool> allowed = senders->allow("ann", "ann+x@example.com");
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace mta {

/// Not thread-safe, as tables are not.
class LoginSenders {
 public:
  /// Errors: those of the settings, and of opening tables.
  static libconf::Result<LoginSenders> open(const libmaps::TableContext& context);

  /// Whether `login`, a name or "uid:NUMBER", may send as `sender`, an address in internal form. Errors, of
  /// which the context's sink hears the reason: the
  /// tables could not tell, with the words that the user gets: "local_login_sender_maps table lookup error
  /// for 'TABLE'".
  libconf::Result<bool> allow(std::string_view login, std::string_view sender);

 private:
  explicit LoginSenders(libconf::DiagnosticSink& warnings) : warnings_(&warnings) {}
  bool matches(std::string_view pattern, std::string_view sender) const;

  libconf::DiagnosticSink* warnings_;
  std::vector<std::unique_ptr<libmaps::Table>> tables_;
  std::string null_sender_;  ///< empty_address_local_login_sender_maps_lookup_key
  std::string delimiters_;   ///< recipient_delimiter
};

}  // namespace mta
