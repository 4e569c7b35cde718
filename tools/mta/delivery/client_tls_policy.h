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
  kDane,         ///< And to who has one of the certificates or keys that DNS tells.
  kFingerprint,  ///< And to who has one of these certificates or keys.
  kVerify,       ///< Or a certificate of an authority for the host's name.
  kSecure,       ///< The same, for the domain's.
};

/// A certificate or key of a server, or of an authority, as DNS tells it (RFC 6698, section 2.1).
struct TlsaRecord {
  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching = 0;
  std::string data = {};
  friend bool operator==(const TlsaRecord&, const TlsaRecord&) = default;
};

/// Which versions and ciphers.
struct ClientTlsRules {
  std::string protocols = {};         ///< For parse_tls_protocols().
  std::string cipher_grade = {};      ///< For cipher_list_of_grade().
  std::string excluded_ciphers = {};  ///< For parse_cipher_exclusions().
};

/// For one server.
struct ClientTlsPolicy : ClientTlsRules {
  ClientTlsLevel level = ClientTlsLevel::kNone;
  std::vector<std::string> matches =
      {};                        ///< Names, ".name" for those below it; or fingerprints, without colons.
  std::string server_name = {};  ///< To be told the server (SNI); empty: none is.

  bool is_dane = false;       ///< What DNS tells is to be found out; the level is that of a server without.
  bool is_dane_only = false;  ///< And without, no mail may go there.
  bool has_secure_name = false;          ///< Of kDane: DNSSEC says that this server has the mail.
  std::vector<TlsaRecord> records = {};  ///< Of kDane.
  ClientTlsRules rules_if_required = {};

  /// TLS is required after all, at that level.
  void require(ClientTlsLevel required);

  bool is_required() const { return level >= ClientTlsLevel::kEncrypt; }
  bool checks_server() const { return level >= ClientTlsLevel::kDane; }
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

  /// Tells the sink why there is no policy. Gives `error`.
  Error refuse(std::string_view nexthop, std::string_view host, Error error);

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
  ClientTlsRules rules(const Attributes& attributes, bool is_mandatory) const;
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
