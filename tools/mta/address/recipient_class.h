/// The address class of a domain (ADDRESS_CLASS_README): who is responsible for it, and so which transport
/// and which table of recipients counts.
///
///     auto classes = RecipientClasses::from(context, domains);
///     if (!classes) return classes.error();
///     Result<RecipientClass> found = classes->of("example.com");
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tools/mta/address/address_context.h"
#include "tools/mta/address/local_domains.h"

namespace mta {

enum class RecipientClass : std::uint8_t {
  kLocal,           ///< mydestination, inet_interfaces, proxy_interfaces
  kVirtualAlias,    ///< virtual_alias_domains
  kVirtualMailbox,  ///< virtual_mailbox_domains
  kRelay,           ///< relay_domains
  kDefault,         ///< Anywhere else.
};

/// Not thread-safe, as tables are not.
class RecipientClasses {
 public:
  /// Errors: as open_list().
  static libconf::Result<RecipientClasses> from(const AddressContext& context,
                                                std::shared_ptr<LocalDomains> domains);

  /// The first class that has `domain`. A domain that is in several gets a warning. Errors: those of tables,
  /// never taken for "not in this class".
  libconf::Result<RecipientClass> of(std::string_view domain);

 private:
  struct List {
    RecipientClass recipient_class;
    std::string_view parameter;  ///< A string literal.
    libmaps::MatchList domains;
  };
  RecipientClasses(std::shared_ptr<LocalDomains> local, libconf::DiagnosticSink& warnings)
      : local_(std::move(local)), warnings_(warnings) {}
  void warn_of_others(std::size_t index, std::string_view domain);

  std::shared_ptr<LocalDomains> local_;
  libconf::DiagnosticSink& warnings_;
  std::vector<List> lists_;
};

}  // namespace mta
