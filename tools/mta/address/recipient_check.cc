#include "tools/mta/address/recipient_check.h"

#include <array>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Result;
using libmaps::LookupKind;

struct MapName {
  std::string_view parameter;
  LookupKind kind;
};

constexpr std::array kMappings = {
    MapName{"recipient_canonical_maps", LookupKind::kCanonical},
    MapName{"canonical_maps", LookupKind::kCanonical},
    MapName{"virtual_alias_maps", LookupKind::kVirtual},
};

struct ClassName {
  RecipientClass recipient_class;
  std::string_view maps;  ///< Empty: the mappings above are all that there is.
  LookupKind kind;
  std::string_view code;
  std::string_view table_name;
};

constexpr std::array kClasses = {
    // Keys are those of canonical maps: a bare user is one at any domain of the site.
    ClassName{RecipientClass::kLocal, "local_recipient_maps", LookupKind::kCanonical,
              "unknown_local_recipient_reject_code", "local recipient table"},
    ClassName{RecipientClass::kVirtualAlias,
              {},
              LookupKind::kVirtual,
              "unknown_virtual_alias_reject_code",
              "virtual alias table"},
    ClassName{RecipientClass::kVirtualMailbox, "virtual_mailbox_maps", LookupKind::kMailbox,
              "unknown_virtual_mailbox_reject_code", "virtual mailbox table"},
    ClassName{RecipientClass::kRelay, "relay_recipient_maps", LookupKind::kMailbox,
              "unknown_relay_recipient_reject_code", "relay recipient table"},
};

constexpr std::string_view kUnknownStatus = "5.1.1";

/// The reply that the text of an `error` or `retry` transport stands for; its status is of the class of
/// `code`.
RecipientReject reject_of(int code, std::string_view text) {
  const std::size_t length = status_length(text);
  RecipientReject reject{.code = code,
                         .status = std::string(length == 0 ? kUnknownStatus : text.substr(0, length))};
  reject.status[0] = std::to_string(code)[0];
  reject.text = libconf::trim_left(text.substr(length));
  return reject;
}

}  // namespace

Result<RecipientCheck> RecipientCheck::from(const AddressContext& context,
                                            const std::shared_ptr<LocalDomains>& domains) {
  RecipientCheck check;
  for (const MapName& name : kMappings) {
    auto lookup = open_lookup(name.parameter, name.kind, context, is_site_of(domains));
    if (!lookup) return lookup.error();
    check.mappings_.push_back(std::move(*lookup));
  }
  for (const ClassName& name : kClasses) {
    ClassTable table{.recipient_class = name.recipient_class, .table_name = name.table_name};
    const auto code = context.settings().get_int(name.code);
    if (!code) return code.error();
    table.code = static_cast<int>(*code);
    table.must_be_listed = name.maps.empty();
    if (!name.maps.empty()) {
      const Result<std::string> maps = context.settings().get(name.maps);
      if (!maps) return maps.error();
      auto lookup = open_lookup(name.maps, name.kind, context, is_site_of(domains));
      if (!lookup) return lookup.error();
      table.must_be_listed = !maps->empty();
      table.lookup = std::move(*lookup);
    }
    check.classes_.push_back(std::move(table));
  }
  Result<std::string> double_bounce = context.settings().get("double_bounce_sender");
  if (!double_bounce) return double_bounce.error();
  check.double_bounce_ = std::move(*double_bounce);
  const Result<bool> shows_table_name = context.settings().get_bool("show_user_unknown_table_name");
  if (!shows_table_name) return shows_table_name.error();
  check.shows_table_name_ = *shows_table_name;
  return check;
}

Result<std::optional<RecipientReject>> RecipientCheck::reject(const Resolution& resolution) {
  const std::string address = quote_address(resolution.recipient);
  const Result<bool> mapped = is_mapped(address);
  if (!mapped) return mapped.error();
  if (*mapped) return std::nullopt;
  const bool is_alias_domain = resolution.recipient_class == RecipientClass::kVirtualAlias;
  if (resolution.transport == "error" && !is_alias_domain) return reject_of(550, resolution.nexthop);
  if (resolution.transport == "retry") return reject_of(450, resolution.nexthop);
  for (ClassTable& table : classes_) {
    if (table.recipient_class != resolution.recipient_class || !table.must_be_listed) continue;
    const Result<bool> listed = is_listed(table, address);
    if (!listed) return listed.error();
    if (*listed) return std::nullopt;
    return reject_of(table.code, concat("User unknown", shows_table_name_ ? " in " : "",
                                        shows_table_name_ ? table.table_name : ""));
  }
  return std::nullopt;
}

Result<bool> RecipientCheck::is_mapped(std::string_view address) {
  for (libmaps::AddressLookup& lookup : mappings_) {
    const auto match = lookup.find(address);
    if (!match) return match.error();
    if (*match) return true;
  }
  return false;
}

Result<bool> RecipientCheck::is_listed(ClassTable& table, std::string_view address) {
  if (table.recipient_class == RecipientClass::kLocal && is_always_local(address)) return true;
  if (!table.lookup) return false;
  const auto match = table.lookup->find(address);
  if (!match) return match.error();
  return match->has_value();
}

/// Mail for these is never refused, as everybody writes to them or nobody does.
bool RecipientCheck::is_always_local(std::string_view address) const {
  const std::string_view user = address.substr(0, address.rfind('@'));
  for (const std::string_view name :
       {std::string_view("postmaster"), std::string_view("mailer-daemon"), std::string_view(double_bounce_)})
    if (equals_ignoring_case(user, name)) return true;
  return false;
}

}  // namespace mta
