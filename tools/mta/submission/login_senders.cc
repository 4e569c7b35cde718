#include "tools/mta/submission/login_senders.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Result;

/// What separates the patterns of a list.
constexpr std::string_view kSeparators = ", \t\r\n";

/// The address without its extension.
std::string without_extension(std::string_view address, std::string_view delimiters) {
  const std::size_t at = std::min(address.rfind('@'), address.size());
  const std::string_view local = address.substr(0, at);
  // A delimiter in front is part of a name.
  const std::size_t end = std::min(local.find_first_of(delimiters, 1), local.size());
  return concat(local.substr(0, end), address.substr(at));
}

}  // namespace

Result<LoginSenders> LoginSenders::open(const libmaps::TableContext& context) {
  LoginSenders senders(context.warnings);
  Result<std::vector<std::unique_ptr<libmaps::Table>>> tables =
      open_tables("local_login_sender_maps", context);
  if (!tables) return tables.error();
  senders.tables_ = std::move(*tables);
  const struct {
    const char* parameter;
    std::string& value;
  } texts[] = {{"empty_address_local_login_sender_maps_lookup_key", senders.null_sender_},
               {"recipient_delimiter", senders.delimiters_}};
  for (const auto& [parameter, value] : texts) {
    Result<std::string> text = context.settings.get(parameter);
    if (!text) return text.error();
    value = std::move(*text);
  }
  return senders;
}

bool LoginSenders::matches(std::string_view pattern, std::string_view sender) const {
  if (pattern == "*") return true;
  if (sender.empty()) return pattern == null_sender_;
  if (pattern.starts_with('@')) {
    const std::size_t at = sender.rfind('@');
    return at != std::string_view::npos && equals_ignoring_case(sender.substr(at), pattern);
  }
  return equals_ignoring_case(without_extension(sender, delimiters_), pattern);
}

Result<bool> LoginSenders::allow(std::string_view login, std::string_view sender) {
  for (const std::unique_ptr<libmaps::Table>& table : tables_) {
    const Result<std::optional<std::string>> patterns = table->lookup(login);
    if (!patterns) {
      warnings_->report({.severity = libconf::Severity::kWarning,
                         .message = concat(table->name(), " lookup error for \"", login, "\"")});
      return libconf::Error{
          .kind = libconf::ErrorKind::kTemporary,
          .message = concat("local_login_sender_maps table lookup error for '", table->name(), "'")};
    }
    if (!*patterns) continue;
    // The first table that knows the user decides.
    std::string_view rest = **patterns;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of(kSeparators), rest.size());
      if (end > 0 && matches(rest.substr(0, end), sender)) return true;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
  }
  return false;
}

}  // namespace mta
