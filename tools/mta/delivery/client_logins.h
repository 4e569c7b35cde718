/// Which name and password the SMTP or LMTP client logs in with, and by which mechanisms (postconf(5),
/// smtp_sasl_*; SASL_README).
///
///     Result<std::unique_ptr<ClientLogins>> logins = ClientLogins::open("smtp_", tables);
///     Result<std::optional<CyrusCredentials>> found = (*logins)->find(sender, "mx.example.com",
///     "example.com");
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libmaps/address_lookup.h"
#include "libmaps/match_list.h"
#include "libmaps/table_context.h"
#include "tools/mta/sasl/cyrus_callbacks.h"
#include "tools/mta/sasl/security_options.h"
#include "tools/mta/smtp/table_list.h"

namespace mta {

/// How a connection is protected.
enum class LoginChannel : std::uint8_t {
  kPlain,
  kTls,
  kVerifiedTls,  ///< With a server that is who it has to be.
};

/// Not thread-safe, as tables are not.
class ClientLogins {
 public:
  /// `protocol`: "smtp_" or "lmtp_". What `context` refers to must outlive the object. Null:
  /// smtp_sasl_auth_enable = no. Errors: kConfiguration, for what no login is possible with; as
  /// Settings::get().
  static libconf::Result<std::unique_ptr<ClientLogins>> open(std::string_view protocol,
                                                             const libmaps::TableContext& context);

  /// For a server: by `sender`, where main.cf says so, by the name of the `host`, or by `nexthop` as the
  /// transport has it. Nothing: no table has any. Errors: a table could not tell.
  libconf::Result<std::optional<CyrusCredentials>> find(std::string_view sender, std::string_view host,
                                                        std::string_view nexthop);

  /// Those of the mechanisms, separated by blanks, that smtp_sasl_mechanism_filter leaves. Errors: a table
  /// could not tell.
  libconf::Result<std::string> filter(std::string_view mechanisms);

  const SecurityOptions& options(LoginChannel channel) const {
    return options_[static_cast<std::size_t>(channel)];
  }
  /// smtp_sasl_password_maps, for messages.
  std::string parameter() const { return protocol_ + "sasl_password_maps"; }
  /// smtp_sasl_auth_soft_bounce
  bool defers_refusals() const { return defers_refusals_; }
  /// smtp_send_dummy_mail_auth
  bool sends_dummy() const { return sends_dummy_; }
  /// smtp_sender_dependent_authentication
  bool depends_on_sender() const { return depends_on_sender_; }

 private:
  explicit ClientLogins(std::string_view protocol) : protocol_(protocol) {}
  libconf::Result<std::optional<CyrusCredentials>> look_up(std::string_view key);

  std::string protocol_;
  TableList passwords_;
  std::optional<libmaps::MatchList> filter_;  ///< Nothing: there is none.
  libmaps::AddressRules address_rules_;
  SecurityOptions options_[3];
  std::string delimiter_;
  bool defers_refusals_ = true;
  bool sends_dummy_ = false;
  bool depends_on_sender_ = false;
};

}  // namespace mta
