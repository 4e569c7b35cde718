/// What main.cf and smtp_tls_policy_maps ask of TLS with one server (postconf(5), TLS_README).
///
///     Result<std::unique_ptr<ClientTlsPolicies>> policies = ClientTlsPolicies::open("smtp_", tables);
///     Result<ClientTlsPolicy> policy = (*policies)->find("[mx.example.com]:25", "mx.example.com",
///     "mx.example.com"); if (policy && policy->level == ClientTlsLevel::kNone) speak_in_the_clear();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/table_context.h"
#include "tools/mta/smtp/table_list.h"
#include "tools/mta/tls/tls_library.h"

namespace mta {

/// smtp_tls_security_level, in the order of what they ask.
enum class ClientTlsLevel : std::uint8_t {
  kNone,
  kMay,          ///< Where the server offers it.
  kEncrypt,      ///< Mail is sent with TLS only.
  kFingerprint,  ///< And to who has one of these certificates or keys.
  kVerify,       ///< Or a certificate of an authority for the host's name.
  kSecure,       ///< The same, for the domain's.
};

/// For one server.
struct ClientTlsPolicy {
  ClientTlsLevel level = ClientTlsLevel::kNone;
  std::string protocols = {};         ///< For parse_tls_protocols().
  std::string cipher_grade = {};      ///< For cipher_list_of_grade().
  std::string excluded_ciphers = {};  ///< For parse_cipher_exclusions().
  std::vector<std::string> matches =
      {};                        ///< Names, ".name" for those below it; or fingerprints, without colons.
  std::string server_name = {};  ///< To be told the server (SNI); empty: none is.

  bool is_required() const { return level >= ClientTlsLevel::kEncrypt; }
  bool checks_server() const { return level >= ClientTlsLevel::kFingerprint; }
};

/// Not thread-safe, as tables are not.
class ClientTlsPolicies {
 public:
  /// `protocol`: "smtp_" or "lmtp_". What `context` refers to must outlive the object. Errors:
  /// kConfiguration, for an unknown level; as Settings::get().
  static Result<std::unique_ptr<ClientTlsPolicies>> open(std::string_view protocol,
                                                         const libmaps::TableContext& context);

  /// Whether any server could be spoken to with TLS.
  bool may_use_tls() const { return settings_.level != Level{} || !maps_.is_empty() || !sites_.is_empty(); }

  /// The policy for a server. `nexthop`: as the transport has it, without "inet:" and "unix:"; `domain`: its
  /// name alone; `host`: the server's. Errors: what the recipient's sender gets to know, "client TLS
  /// configuration problem", or kTemporary; the context's sink has the reason.
  Result<ClientTlsPolicy> find(std::string_view nexthop, std::string_view domain, std::string_view host);

 private:
  /// With what the policy of a level has to be found out for.
  struct Level {
    ClientTlsLevel level = ClientTlsLevel::kNone;
    bool is_dane = false;       ///< By records that are DNSSEC-validated.
    bool is_dane_only = false;  ///< And by nothing else.
    friend bool operator==(const Level&, const Level&) = default;
  };
  struct Attributes;
  struct Parameters {
    Level level;
    std::string protocols, mandatory_protocols;
    std::string ciphers, mandatory_ciphers;
    std::string excluded, mandatory_excluded;
    std::string fingerprints, verify_match, secure_match;
    std::string server_name;
    bool has_dnssec = false;  ///< smtp_dns_support_level
  };

  ClientTlsPolicies(std::string_view protocol, libconf::DiagnosticSink& warnings)
      : protocol_(protocol), warnings_(warnings) {}
  static Result<Level> parse_level(std::string_view name);
  Result<std::string> look_up(std::string_view nexthop);
  Result<std::optional<Level>> look_up_site(std::string_view what, std::string_view name);
  Result<Level> site_level(std::string_view nexthop, std::string_view host);
  Result<void> read_entry(std::string_view entry, std::string_view nexthop, Attributes& attributes);
  Result<void> read_attribute(std::string_view attribute, std::string_view nexthop, Attributes& attributes);
  Result<void> add_matches(const Attributes& attributes, std::string_view domain, std::string_view host,
                           ClientTlsPolicy& policy);
  Result<void> resolve_dane(std::string_view domain, Level& level);
  Error problem(std::string_view nexthop, std::string_view text);
  Error complaint(std::string_view text);

  std::string protocol_;
  libconf::DiagnosticSink& warnings_;
  Parameters settings_;
  TableList maps_;
  TableList sites_;  ///< smtp_tls_per_site, where there are no maps_.
};

}  // namespace mta
