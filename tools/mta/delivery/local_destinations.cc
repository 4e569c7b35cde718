#include "tools/mta/delivery/local_destinations.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/delivery/command_answer.h"
#include "tools/mta/delivery/comsat.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Severity;

/// What a shell takes for something of its own.
constexpr std::string_view kShellFree =
    "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ \t";

/// sh(1): commands that are no programs.
constexpr std::array<std::string_view, 35> kShellCommands = {
    ".",    ":",      "alias", "bg",       "break",  "case",  "cd",    "continue", "do",
    "done", "eval",   "exec",  "exit",     "export", "fg",    "for",   "getopts",  "hash",
    "if",   "jobs",   "read",  "readonly", "return", "set",   "shift", "times",    "trap",
    "type", "ulimit", "umask", "unalias",  "unset",  "until", "wait",  "while"};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (const auto word = libconf::next_word(text, libconf::kBlanks)) words.emplace_back(*word);
  return words;
}

/// What the user has to put in order does not get better by waiting.
std::string final_code(const ActionFault& fault) {
  const bool is_busy = fault.reason.ends_with("File exists") || fault.reason.starts_with("unable to lock") ||
                       fault.reason.ends_with("is not owned by recipient");
  return fault.code == "4.2.0" && !is_busy ? "5.2.0" : fault.code;
}

/// The group of a spool directory that belongs to a group of mail programs, who may make lock files there.
Identity spool_writer(Identity user, const std::string& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) return user;
  const bool is_of_group = (status.st_mode & S_IWGRP) != 0 && (status.st_mode & S_IWOTH) == 0;
  if (is_of_group && status.st_gid != 0) user.group = status.st_gid;
  return user;
}

}  // namespace

std::vector<std::string> command_words(std::string_view command, std::string_view shell) {
  std::vector<std::string> words = words_of(shell);
  if (!words.empty()) {
    words.emplace_back(command);
    return words;
  }
  const bool is_plain = command.find_first_not_of(kShellFree) == std::string_view::npos;
  words = words_of(command);
  const bool is_program =
      !words.empty() && words.front().find('=') == std::string::npos &&
      std::find(kShellCommands.begin(), kShellCommands.end(), words.front()) == kShellCommands.end();
  if (is_plain && is_program) return words;
  return {"/bin/sh", "-c", std::string(command)};
}

std::string LocalDestinations::separator(const LocalTarget& target) const {
  return mailbox_separator(quote_address(target.sender), std::time(nullptr));
}

std::string LocalDestinations::head(const LocalTarget& target, DeliveredHeader where) const {
  // What an owner sends has no former recipient.
  const std::string original = target.has_owner ? "" : recipient_.original;
  return concat(return_path(quote_address(target.sender)), options_.has_original ? original_to(original) : "",
                options_.prepends(where) ? delivered_to(target.delivered_to) : "");
}

asio::awaitable<RecipientAnswer> LocalDestinations::write(const LocalTarget& target, Identity who,
                                                          MailboxDelivery delivery, std::string done,
                                                          std::string failure, std::uint64_t* offset) {
  const bool is_maildir = delivery.path.ends_with('/');
  delivery.copy.content_offset = start_.content_offset;
  delivery.copy.head = head(target, DeliveredHeader::kFile);
  if (!is_maildir) {
    delivery.copy.head.insert(0, separator(target));
    delivery.copy.quotes_from = true;
    delivery.copy.tail = "\n";
  }
  const ActionResult result = co_await actions_.deliver(who, std::move(delivery), message_);
  if (!result.warning.empty()) reporter_.log(Severity::kWarning, result.warning);
  if (offset != nullptr) *offset = result.offset;
  if (!result.fault) co_return delivered(is_maildir ? "delivered to maildir" : done);
  const std::string& reason = result.fault->reason;
  if (is_maildir && reason.ends_with("Permission denied")) {
    reporter_.log(Severity::kWarning, concat("maildir access problem for UID/GID=", std::to_string(who.user),
                                             "/", std::to_string(who.group), ": ", reason));
    reporter_.log(Severity::kWarning, "perhaps you need to create the maildirs in advance");
  }
  if (reason.ends_with("is not owned by recipient"))
    reporter_.log(Severity::kWarning,
                  "specify \"strict_mailbox_ownership = no\" to ignore mailbox ownership mismatch");
  if (is_maildir) failure = "maildir delivery failed: ";
  co_return undelivered(final_code(*result.fault), concat(failure, reason));
}

asio::awaitable<RecipientAnswer> LocalDestinations::to_mailbox(const LocalTarget& target) {
  const Account& account = *target.account;
  const bool is_at_home = !options_.home_mailbox.empty();
  const std::string& directory = is_at_home ? account.home : options_.spool_directory;
  std::string path = concat(directory, directory.ends_with('/') ? "" : "/",
                            is_at_home ? options_.home_mailbox : account.name);
  // In a directory of maildirs each is a directory itself.
  if (!is_at_home && directory.ends_with('/')) path += '/';
  std::string failure = concat("cannot update mailbox ", path, " for user ", account.name, ". ");
  if (account.identity.user == 0) {
    failure += "mail is not delivered with the rights of root: alias it to a user";
    co_return undelivered("4.2.0", std::move(failure));
  }
  const Identity who = is_at_home ? account.identity : spool_writer(account.identity, directory);
  const bool is_file = !path.ends_with('/');
  std::uint64_t offset = 0;
  RecipientAnswer answer = co_await write(target, who, options_.mailbox.delivery(std::move(path)),
                                          "delivered to mailbox", std::move(failure), &offset);
  if (is_file && options_.tells_comsat && answer.outcome == DeliveryOutcome::kSent)
    tell_comsat(account.name, offset);
  co_return answer;
}

asio::awaitable<RecipientAnswer> LocalDestinations::to_file(const LocalTarget& target, std::string path) {
  std::string done = concat("delivered to file: ", path);
  std::string failure = concat("cannot append message to file ", path, ": ");
  MailboxDelivery delivery = options_.mailbox.delivery(std::move(path));
  delivery.may_be_special = true;
  delivery.must_be_owned = false;
  delivery.needs_dot_lock = false;
  co_return co_await write(target, target.actor(options_), std::move(delivery), std::move(done),
                           std::move(failure));
}

std::vector<std::string> LocalDestinations::environment(const LocalTarget& target) const {
  const RecipientNames names = target.names(options_);
  const DeliveryOrigin& origin = request_.origin;
  const std::string original = target.has_owner ? "" : recipient_.original;
  const struct {
    std::string_view name;
    std::string_view value;
    bool is_always_there;
  } variables[] = {
      {"HOME", names.home, false},
      {"SHELL", names.shell, false},
      {"LOGNAME", names.user, true},
      {"USER", names.user, true},
      {"LOCAL", names.local, true},
      {"SENDER", target.sender, true},
      {"EXTENSION", names.extension, false},
      {"DOMAIN", names.domain, false},
      {"RECIPIENT", names.recipient, true},
      {"ORIGINAL_RECIPIENT", original, false},
      {"CLIENT_ADDRESS", origin.client_address, false},
      {"CLIENT_HELO", origin.helo_name, false},
      {"CLIENT_HOSTNAME", origin.client_name, false},
      {"CLIENT_PROTOCOL", origin.protocol, false},
      {"SASL_METHOD", origin.sasl_method, false},
      {"SASL_SENDER", origin.sasl_sender, false},
      {"SASL_USERNAME", origin.sasl_user_name, false},
  };
  std::vector<std::string> result = options_.environment;
  for (const auto& [name, value, is_always_there] : variables)
    if (is_always_there || !value.empty())
      result.push_back(concat(name, "=", filtered(value, options_.command_filter)));
  return result;
}

asio::awaitable<RecipientAnswer> LocalDestinations::run_command(const LocalTarget& target,
                                                                std::string command) {
  CommandRun run{.program = "local", .arguments = command_words(command, options_.shell)};
  run.environment = environment(target);
  const auto directory = target.names(options_).expand(options_.command_directory, options_.directory_filter,
                                                       *options_.settings);
  if (!directory) co_return misconfigured();
  run.directory = *directory;
  run.copy.content_offset = start_.content_offset;
  run.copy.head = separator(target) + head(target, DeliveredHeader::kCommand);
  run.time_limit = options_.time_limit;
  run.file_limit = options_.mailbox.size_limit;
  const CommandResult ended = co_await actions_.run(target.actor(options_), std::move(run), message_);
  RecipientAnswer answer = command_answer(ended, command, reporter_);
  if (answer.outcome == DeliveryOutcome::kSent)
    answer.status.text = concat("delivered to command: ", command);
  co_return answer;
}

}  // namespace mta
