#include "tools/mta/delivery/local_options.h"

#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "libconf/text.h"
#include "libmaps/utf8.h"
#include "tools/mta/daemon/waiting_table.h"
#include "tools/mta/delivery/command_answer.h"
#include "tools/mta/smtp/reply.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

struct Word {
  std::string_view name;
  unsigned bit;
};

constexpr std::array kSources = {
    Word{"alias", static_cast<unsigned>(AliasSource::kAlias)},
    Word{"forward", static_cast<unsigned>(AliasSource::kForward)},
    Word{"include", static_cast<unsigned>(AliasSource::kInclude)},
};

constexpr std::array kHeaders = {
    Word{"command", static_cast<unsigned>(DeliveredHeader::kCommand)},
    Word{"file", static_cast<unsigned>(DeliveredHeader::kFile)},
    Word{"forward", static_cast<unsigned>(DeliveredHeader::kForward)},
};

/// Words that are for others, such as "canonical", are passed over.
unsigned read_words(SettingsReader& reader, std::string_view parameter, std::span<const Word> words) {
  std::vector<std::string> found;
  reader.list(parameter, found);
  unsigned bits = 0;
  for (const Word& word : words)
    if (std::find(found.begin(), found.end(), word.name) != found.end()) bits |= word.bit;
  return bits;
}

Result<void> open_choice(UserChoice& choice, std::string_view maps, std::string_view otherwise, bool is_raw,
                         const libmaps::TableContext& context) {
  Result<std::vector<std::unique_ptr<libmaps::Table>>> tables = open_tables(maps, context);
  if (!tables) return tables.error();
  choice.maps = std::move(*tables);
  if (is_raw) {
    // Its $names are the shell's.
    choice.otherwise = context.settings.value_of(otherwise).value_or("");
    return {};
  }
  Result<std::string> value = context.settings.get(otherwise);
  if (!value) return value.error();
  choice.otherwise = std::move(*value);
  return {};
}

/// Of the file that a table is in. Nothing: it is in none, or root's.
std::optional<Account> owner_of(std::string_view table) {
  const std::size_t colon = table.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string path(table.substr(colon + 1));
  struct stat status {};
  if (!path.starts_with('/') || ::stat(path.c_str(), &status) != 0 || status.st_uid == 0) return std::nullopt;
  Account owner{.identity = {.user = status.st_uid, .group = status.st_gid}};
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(status.st_uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    owner = {.name = entry.pw_name,
             .identity = {.user = entry.pw_uid, .group = entry.pw_gid},
             .home = entry.pw_dir,
             .shell = entry.pw_shell};
  return owner;
}

Result<Identity> read_rights(const std::string& name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): when the agent is opened.
  const passwd* const account = ::getpwnam(name.c_str());
  if (account == nullptr)
    return configuration_error(
        concat("file main.cf: parameter default_privs: unknown user name value: ", name));
  if (account->pw_uid == 0)
    return configuration_error(
        concat("file main.cf: parameter default_privs: user ", name, " has privileged user ID"));
  return Identity{.user = account->pw_uid, .group = account->pw_gid};
}

}  // namespace

Result<std::string> UserChoice::for_user(const std::string& user) const {
  for (const std::unique_ptr<libmaps::Table>& table : maps) {
    Result<std::optional<std::string>> found = table->lookup(user);
    if (!found) return found.error();
    if (*found) return std::move(**found);
  }
  return otherwise;
}

Result<std::optional<Account>> LocalOptions::find_account(const std::string& user) const {
  const Result<std::optional<std::string>> entry = accounts->lookup(user);
  if (!entry) return entry.error();
  if (!*entry) return std::optional<Account>();
  std::vector<std::string_view> fields;
  std::string_view rest = **entry;
  for (;;) {
    const std::size_t colon = rest.find(':');
    fields.push_back(rest.substr(0, colon));
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  constexpr std::size_t kFields = 7;  // passwd(5)
  Account account;
  const auto number = [](std::string_view text, std::uint32_t& value) {
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
  };
  if (fields.size() != kFields || !number(fields[2], account.identity.user) ||
      !number(fields[3], account.identity.group))
    return Error{.kind = ErrorKind::kTemporary, .message = concat("malformed entry of user ", user)};
  account.name = fields[0];
  account.home = fields[5];
  account.shell = fields[6];
  return std::optional<Account>(std::move(account));
}

Result<std::optional<LocalOptions::Alias>> LocalOptions::find_alias(const std::string& local) {
  const auto found = aliases->find(local);
  if (!found) return found.error();
  if (!*found) return std::optional<Alias>();
  return std::optional<Alias>(Alias{.value = (*found)->value,
                                    .is_bare = !(*found)->key.extension.empty(),
                                    .owner = owner_of((*found)->table)});
}

Result<std::unique_ptr<LocalOptions>> LocalOptions::open(const libmaps::TableContext& context) {
  auto options = std::make_unique<LocalOptions>();
  options->settings = &context.settings;
  Result<std::unique_ptr<libmaps::Table>> accounts = open_table("unix:passwd.byname", context);
  if (!accounts) return accounts.error();
  options->accounts = std::move(*accounts);
  // Neither a service nor a sender is to be believed in what is run with whose rights.
  libmaps::TableContext trusted = context;
  trusted.options.bypass_proxy = true;
  trusted.options.forbid_substitution = true;
  Result<std::vector<std::unique_ptr<libmaps::Table>>> aliases = open_tables("alias_maps", trusted);
  if (!aliases) return aliases.error();
  Result<libmaps::AddressRules> rules =
      libmaps::address_rules(libmaps::LookupKind::kAliases, context.settings);
  if (!rules) return rules.error();
  options->rules = *rules;
  options->aliases.emplace(libmaps::LookupKind::kAliases, std::move(*aliases), std::move(*rules));
  const struct {
    UserChoice& choice;
    std::string_view maps;
    std::string_view otherwise;
    bool is_raw;
  } choices[] = {
      {options->mailbox_transport, "mailbox_transport_maps", "mailbox_transport", false},
      {options->fallback_transport, "fallback_transport_maps", "fallback_transport", false},
      {options->mailbox_command, "mailbox_command_maps", "mailbox_command", true},
  };
  for (const auto& each : choices) {
    if (Result<void> opened = open_choice(each.choice, each.maps, each.otherwise, each.is_raw, context);
        !opened)
      return opened.error();
  }

  SettingsReader reader(context.settings);
  options->mailbox.read(reader, "mailbox_delivery_lock", "mailbox_size_limit");
  reader.text("home_mailbox", options->home_mailbox);
  reader.text("mail_spool_directory", options->spool_directory);
  reader.raw("luser_relay", options->luser_relay);
  reader.raw("forward_path", options->forward_path);
  reader.text("forward_expansion_filter", options->forward_filter);
  reader.text("command_expansion_filter", options->command_filter);
  reader.raw("command_execution_directory", options->command_directory);
  reader.text("execution_directory_expansion_filter", options->directory_filter);
  reader.text("local_command_shell", options->shell);
  reader.seconds("command_time_limit", options->time_limit);
  reader.count("duplicate_filter_limit", options->duplicate_limit);
  reader.flag("biff", options->tells_comsat);
  reader.flag("enable_original_recipient", options->has_original);
  reader.flag("frozen_delivered_to", options->is_frozen);
  reader.flag("owner_request_special", options->has_owners);
  reader.flag("expand_owner_alias", options->expands_owner);
  reader.flag("reset_owner_alias", options->resets_owner);
  options->commands = read_words(reader, "allow_mail_to_commands", kSources);
  options->files = read_words(reader, "allow_mail_to_files", kSources);
  options->extensions = read_words(reader, "propagate_unmatched_extensions", kSources);
  options->delivered_headers = read_words(reader, "prepend_delivered_header", kHeaders);
  std::string rights;
  reader.text("default_privs", rights);
  if (reader.error()) return *reader.error();
  for (std::string* filter : {&options->forward_filter, &options->command_filter, &options->directory_filter})
    *filter = unescape(*filter);
  const Result<Identity> identity = read_rights(rights);
  if (!identity) return identity.error();
  options->default_rights = *identity;
  Result<std::vector<std::string>> environment = exported_environment(context.settings);
  if (!environment) return environment.error();
  options->environment = std::move(*environment);
  return options;
}

}  // namespace mta
