/// What main.cf says of local(8), with its tables.
///
///     auto options = LocalOptions::open({.settings = settings, .warnings = sink});
///     auto account = (*options)->find_account("ann");
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/address_lookup.h"
#include "libmaps/table_context.h"
#include "tools/mta/daemon/identity.h"
#include "tools/mta/delivery/mailbox_options.h"

namespace mta {

/// An entry of the password database.
struct Account {
  std::string name;
  Identity identity = {};
  std::string home;
  std::string shell;
};

/// Tables by the name of the user, and what counts where they have nothing: mailbox_command_maps and
/// mailbox_command.
struct UserChoice {
  std::vector<std::unique_ptr<libmaps::Table>> maps;
  std::string otherwise;

  /// Empty: nothing. Errors: of tables.
  libconf::Result<std::string> for_user(const std::string& user) const;
};

/// Where a destination stands (allow_mail_to_commands, propagate_unmatched_extensions); bits.
enum class AliasSource : unsigned { kAlias = 1, kForward = 2, kInclude = 4 };

/// Where Delivered-To: is put (prepend_delivered_header); bits.
enum class DeliveredHeader : unsigned { kCommand = 1, kFile = 2, kForward = 4 };

/// Not thread-safe, as tables are not.
struct LocalOptions {
  /// The context's settings and sink must outlive the object. Errors: those of the settings.
  static libconf::Result<std::unique_ptr<LocalOptions>> open(const libmaps::TableContext& context);

  /// Nothing: there is no such user. Errors: the database could not be asked.
  libconf::Result<std::optional<Account>> find_account(const std::string& user) const;

  /// What was found under a name, and whose table it is: its commands and files are that user's. Nothing: it
  /// is root's, or nobody's. A user without an account has no name.
  struct Alias {
    std::string value;
    bool is_bare = false;  ///< It stands under the name without its extension.
    std::optional<Account> owner = {};
  };
  /// `local` is a local part. Errors: of tables.
  libconf::Result<std::optional<Alias>> find_alias(const std::string& local);

  bool allows(unsigned allowed, AliasSource source) const {
    return (allowed & static_cast<unsigned>(source)) != 0;
  }
  bool prepends(DeliveredHeader where) const {
    return (delivered_headers & static_cast<unsigned>(where)) != 0;
  }

  const libconf::Settings* settings = nullptr;
  std::unique_ptr<libmaps::Table> accounts;
  std::optional<libmaps::AddressLookup> aliases;
  libmaps::AddressRules rules;
  UserChoice mailbox_transport;
  UserChoice fallback_transport;
  UserChoice mailbox_command;
  MailboxOptions mailbox;
  std::string home_mailbox;
  std::string spool_directory;
  std::string luser_relay;
  std::string forward_path;
  std::string forward_filter;
  std::string command_filter;
  std::string command_directory;
  std::string directory_filter;
  std::string shell;  ///< local_command_shell
  std::vector<std::string> environment;
  bool tells_comsat = true;  ///< biff
  std::uint32_t time_limit = 1000;
  std::size_t duplicate_limit = 1000;
  unsigned commands = 0;           ///< allow_mail_to_commands, an OR of AliasSource.
  unsigned files = 0;              ///< allow_mail_to_files, likewise.
  unsigned extensions = 0;         ///< propagate_unmatched_extensions, likewise.
  unsigned delivered_headers = 0;  ///< An OR of DeliveredHeader.
  Identity default_rights = {};    ///< default_privs
  bool has_original = true;        ///< enable_original_recipient
  bool is_frozen = true;           ///< frozen_delivered_to
  bool has_owners = true;          ///< owner_request_special
  bool expands_owner = false;      ///< expand_owner_alias
  bool resets_owner = false;       ///< reset_owner_alias
};

}  // namespace mta
