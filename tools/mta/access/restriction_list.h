/// The lists of restrictions in main.cf: smtpd_client_restrictions and its kin, and
/// smtpd_restriction_classes.
///
///     auto classes = RestrictionClasses::create(settings, warnings);
///     auto list = classes->parse("permit_mynetworks, check_client_access cidr:/etc/postfix/clients",
///     warnings); for (const Restriction& restriction : *list) apply(restriction);
///
/// What Postfix finds out only when it comes to a restriction, such as a name that does not exist, is kept in
/// the list: it is no error to have it behind something that always decides.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/access/policy_settings.h"
#include "tools/mta/access/rbl_filter.h"
#include "tools/mta/access/restriction_type.h"

namespace mta {

/// What check_ccert_access looks up, in order (search_order).
enum class CertificateKey : std::uint8_t { kCertificateFingerprint, kPublicKeyFingerprint };

struct CertificateArgument {
  std::string table;
  std::vector<CertificateKey> search_order = {CertificateKey::kCertificateFingerprint,
                                              CertificateKey::kPublicKeyFingerprint};
};

struct Restriction;
using RestrictionList = std::vector<Restriction>;

/// What happens when the argument is missing or none.
enum class FaultOutcome : std::uint8_t {
  kServerError,  ///< "451 4.3.5 Server configuration error"
  kPassedOver,
};

struct Restriction {
  const RestrictionType* type = &kUnknownType;
  std::string text;        ///< As it was written, with its argument.
  bool warn_only = false;  ///< warn_if_reject stands before it.
  /// A table's type:name, an RblArgument, and so on, as the type needs it.
  std::variant<std::monostate, std::string, RblArgument, PolicyServiceSettings, CertificateArgument,
               std::chrono::seconds>
      argument = {};
  std::shared_ptr<const RestrictionList> restrictions = {};  ///< Of a class.
  std::vector<std::string> warnings = {};                    ///< What is to be logged when it is applied.
  FaultOutcome fault_outcome = FaultOutcome::kServerError;   ///< Counts when there are warnings.
};

/// Parses lists, and knows the classes. Settings must outlive it. Immutable once made; safe to share between
/// threads as far as settings are.
class RestrictionClasses {
 public:
  /// Reads smtpd_restriction_classes. Errors: kConfiguration, for a class without a definition or one that
  /// contains itself; those of parse().
  static libconf::Result<RestrictionClasses> create(const libconf::Settings& settings,
                                                    libconf::DiagnosticSink& warnings);

  /// Reads an expanded value. Errors: kConfiguration and kSyntax, for what keeps Postfix's server from
  /// running at all.
  libconf::Result<RestrictionList> parse(std::string_view value, libconf::DiagnosticSink& warnings) const;

  /// Reads the names of restrictions that an access table or a policy server has given; `table` is for
  /// warnings. Tables are not allowed there (access(5)).
  libconf::Result<RestrictionList> parse_result(std::string_view value, std::string_view table,
                                                libconf::DiagnosticSink& warnings) const;

 private:
  explicit RestrictionClasses(const libconf::Settings& settings) : settings_(&settings) {}
  class Parser;

  const libconf::Settings* settings_;
  std::map<std::string, std::shared_ptr<const RestrictionList>, std::less<>> classes_;
};

/// Whether one of the lists can turn mail away: Postfix refuses to serve without (postconf(5),
/// smtpd_recipient_restrictions).
bool can_reject(const RestrictionList& list);

}  // namespace mta
