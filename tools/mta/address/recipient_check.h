/// Whether a recipient exists, as far as the tables of recipients say (postconf(5),
/// smtpd_reject_unlisted_recipient; LOCAL_RECIPIENT_README; ADDRESS_CLASS_README).
///
///     auto check = RecipientCheck::from(context, domains);
///     if (!check) return check.error();
///     Result<std::optional<RecipientReject>> reject = check->reject(resolution);
///     // "550 5.1.1 <user@example.com>: Recipient address rejected: User unknown in local recipient table"
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/address/address_context.h"
#include "tools/mta/address/resolve.h"

namespace mta {

/// Why there is no such recipient, in the parts of smtpd's reply.
struct RecipientReject {
  int code = 550;
  std::string status = {};  ///< Enhanced status code, of the class of `code` (RFC 3463).
  std::string text = {};    ///< "User unknown in local recipient table"
  friend bool operator==(const RecipientReject&, const RecipientReject&) = default;
};

/// Not thread-safe, as tables are not.
class RecipientCheck {
 public:
  /// Errors: as open_tables() and Settings::get().
  static libconf::Result<RecipientCheck> from(const AddressContext& context,
                                              const std::shared_ptr<LocalDomains>& domains);

  /// The reject for a recipient that was resolved to `resolution`. Nothing: there is such a recipient, or
  /// nobody says that there is not. A recipient that canonical or virtual alias maps change is one; a class
  /// whose table is not set has all recipients. A malformed address is for the caller to refuse. Errors:
  /// those of tables; never taken for either.
  libconf::Result<std::optional<RecipientReject>> reject(const Resolution& resolution);

 private:
  /// What says which recipients a class has.
  struct ClassTable {
    RecipientClass recipient_class;
    std::string_view table_name;  ///< "local recipient table"; a string literal.
    int code = 550;
    bool must_be_listed = false;
    std::optional<libmaps::AddressLookup> lookup = {};
  };
  RecipientCheck() = default;
  libconf::Result<bool> is_mapped(std::string_view address);
  libconf::Result<bool> is_listed(ClassTable& table, std::string_view address);
  bool is_always_local(std::string_view address) const;

  std::vector<libmaps::AddressLookup> mappings_;
  std::vector<ClassTable> classes_;
  std::string double_bounce_;
  bool shows_table_name_ = true;
};

}  // namespace mta
