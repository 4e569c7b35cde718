#include "tools/mta/delivery/client_logins.h"

#include <algorithm>

#include "libconf/text.h"
#include "libmaps/utf8.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Result;

}  // namespace

Result<std::unique_ptr<ClientLogins>> ClientLogins::open(std::string_view protocol,
                                                         const libmaps::TableContext& context) {
  const auto name = [&](std::string_view suffix) { return concat(protocol, suffix); };
  const Result<bool> is_enabled = context.settings.get_bool(name("sasl_auth_enable"));
  if (!is_enabled) return is_enabled.error();
  if (!*is_enabled) return std::unique_ptr<ClientLogins>();
  std::unique_ptr<ClientLogins> logins(new ClientLogins(protocol));

  const Result<std::string> type = context.settings.get(name("sasl_type"));
  if (!type) return type.error();
  if (*type != "cyrus") return configuration_error(concat("unsupported SASL client implementation: ", *type));
  const struct {
    std::string_view suffix;
    bool& value;
  } flags[] = {{"sasl_auth_soft_bounce", logins->defers_refusals_},
               {"send_dummy_mail_auth", logins->sends_dummy_},
               {"sender_dependent_authentication", logins->depends_on_sender_}};
  for (const auto& [suffix, value] : flags) {
    const Result<bool> flag = context.settings.get_bool(name(suffix));
    if (!flag) return flag.error();
    value = *flag;
  }
  const struct {
    std::string_view suffix;
    LoginChannel channel;
  } options[] = {{"sasl_security_options", LoginChannel::kPlain},
                 {"sasl_tls_security_options", LoginChannel::kTls},
                 {"sasl_tls_verified_security_options", LoginChannel::kVerifiedTls}};
  for (const auto& [suffix, channel] : options) {
    const Result<SecurityOptions> read = read_security_options(context.settings, name(suffix));
    if (!read) return read.error();
    logins->options_[static_cast<std::size_t>(channel)] = *read;
  }
  Result<std::string> delimiter = context.settings.get(name("sasl_password_result_delimiter"));
  if (!delimiter) return delimiter.error();
  logins->delimiter_ = std::move(*delimiter);
  Result<libmaps::AddressRules> rules = address_rules(libmaps::LookupKind::kGeneric, context.settings);
  if (!rules) return rules.error();
  logins->address_rules_ = std::move(*rules);

  Result<TableList> passwords = TableList::open(logins->parameter(), context);
  if (!passwords) return passwords.error();
  if (passwords->is_empty())
    return configuration_error(
        concat("specify a password table via the `", logins->parameter(), "' configuration parameter"));
  logins->passwords_ = std::move(*passwords);
  const Result<std::string> filter = context.settings.get(name("sasl_mechanism_filter"));
  if (!filter) return filter.error();
  if (filter->empty()) return logins;
  Result<libmaps::MatchList> list =
      open_list(name("sasl_mechanism_filter"), {.kind = libmaps::MatchKind::kStrings}, context);
  if (!list) return list.error();
  logins->filter_ = std::move(*list);
  return logins;
}

Result<std::optional<CyrusCredentials>> ClientLogins::look_up(std::string_view key) {
  const Result<std::optional<std::string>> entry = passwords_.lookup(libmaps::fold_ascii(key));
  if (!entry) return entry.error();
  if (!*entry) return std::nullopt;
  const std::string& text = **entry;
  const std::size_t end = std::min(text.find(delimiter_), text.size());
  CyrusCredentials credentials{.name = text.substr(0, end)};
  if (end < text.size()) credentials.password = text.substr(end + delimiter_.size());
  return credentials;
}

Result<std::optional<CyrusCredentials>> ClientLogins::find(std::string_view sender, std::string_view host,
                                                           std::string_view nexthop) {
  std::vector<std::string> keys;
  const std::string address = quote_address(sender);
  if (depends_on_sender_ && !address.empty()) {
    const libmaps::AddressParts parts = split_address(address, address_rules_);
    keys.push_back(address);
    if (!parts.extension.empty()) keys.push_back(concat(parts.user, "@", parts.domain));
    if (!parts.domain.empty()) keys.push_back(concat("@", parts.domain));
  }
  keys.emplace_back(host);
  keys.emplace_back(nexthop);
  for (const std::string& key : keys) {
    Result<std::optional<CyrusCredentials>> found = look_up(key);
    if (!found || *found) return found;
  }
  return std::nullopt;
}

Result<std::string> ClientLogins::filter(std::string_view mechanisms) {
  std::string left;
  while (const auto word = libconf::next_word(mechanisms, " ")) {
    if (filter_) {
      const Result<bool> is_left = filter_->matches(*word);
      if (!is_left) return is_left.error();
      if (!*is_left) continue;
    }
    if (!left.empty()) left += ' ';
    left += *word;
  }
  return left;
}

}  // namespace mta
