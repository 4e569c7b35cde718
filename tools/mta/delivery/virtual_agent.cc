#include "tools/mta/delivery/virtual_agent.h"

#include <charconv>
#include <ctime>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::string_view kProgram = "virtual";
constexpr std::string_view kOwnershipAdvice =
    "specify \"strict_mailbox_ownership = no\" to ignore mailbox ownership mismatch";

std::optional<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

constexpr auto kKind = libmaps::LookupKind::kMailbox;

}  // namespace

Result<MailboxMaps> MailboxMaps::open(std::string_view parameter, const libmaps::TableContext& context) {
  MailboxMaps maps;
  // Neither a service nor a sender is to be believed in where is written with whose rights.
  libmaps::TableContext trusted = context;
  trusted.options.bypass_proxy = true;
  trusted.options.forbid_substitution = true;
  Result<std::vector<std::unique_ptr<libmaps::Table>>> tables = open_tables(parameter, trusted);
  if (!tables) return tables.error();
  maps.tables_ = std::move(*tables);
  Result<libmaps::AddressRules> rules = libmaps::address_rules(kKind, context.settings);
  if (!rules) return rules.error();
  maps.rules_ = std::move(*rules);
  return maps;
}

Result<std::optional<std::string>> MailboxMaps::find(std::string_view address) {
  for (const libmaps::LookupKey& key : libmaps::lookup_keys(kKind, address, rules_)) {
    const bool is_whole = key.form == libmaps::KeyForm::kAddress;
    const std::string text = key.form == libmaps::KeyForm::kAtDomain ? key.text : quote_address(key.text);
    for (const std::unique_ptr<libmaps::Table>& table : tables_) {
      if (!is_whole && libmaps::is_pattern_table(table->name())) continue;
      Result<std::optional<std::string>> found = table->lookup(text);
      if (!found || *found) return found;
    }
  }
  return std::optional<std::string>();
}

Result<std::unique_ptr<VirtualAgent>> VirtualAgent::open(const libmaps::TableContext& context,
                                                         UserActions* actions, MailLog& log,
                                                         std::string relay) {
  Result<MailboxMaps> mailboxes = MailboxMaps::open("virtual_mailbox_maps", context);
  if (!mailboxes) return mailboxes.error();
  Result<MailboxMaps> users = MailboxMaps::open("virtual_uid_maps", context);
  if (!users) return users.error();
  Result<MailboxMaps> groups = MailboxMaps::open("virtual_gid_maps", context);
  if (!groups) return groups.error();
  std::unique_ptr<VirtualAgent> agent(new VirtualAgent(std::move(*mailboxes), std::move(*users),
                                                       std::move(*groups), actions, log, std::move(relay)));
  auto filter = DeliveryStatusFilter::open("virtual_delivery_status_filter", context);
  if (!filter) return filter.error();
  agent->filter_ = std::move(*filter);
  SettingsReader reader(context.settings);
  agent->options_.read(reader, "virtual_mailbox_lock", "virtual_mailbox_limit");
  reader.text("virtual_mailbox_base", agent->base_);
  reader.count("virtual_minimum_uid", agent->minimum_user_);
  reader.flag("enable_original_recipient", agent->has_original_);
  if (reader.error()) return *reader.error();
  return agent;
}

void VirtualAgent::warn(std::string_view text) {
  log_.write({.program = kProgram}, libconf::Severity::kWarning, text);
}

std::optional<std::uint32_t> VirtualAgent::find_id(const std::string& address, MailboxMaps& table,
                                                   std::string_view parameter, std::string_view what,
                                                   std::uint32_t minimum) {
  const auto found = table.find(address);
  if (!found) return std::nullopt;
  if (!*found) {
    warn(concat("recipient ", address, ": not found in ", parameter));
    return std::nullopt;
  }
  const std::optional<std::uint32_t> id = parse_id(**found);
  if (!id || *id < minimum) {
    warn(concat("recipient ", address, ": bad ", what, " ", **found, " in ", parameter));
    return std::nullopt;
  }
  return id;
}

std::optional<VirtualAgent::Mailbox> VirtualAgent::find(const std::string& address, bool needs_owner,
                                                        RecipientAnswer& answer) {
  const auto path = mailboxes_.find(address);
  if (path && !*path) {
    answer = unknown_user(address);
    return std::nullopt;
  }
  answer = misconfigured();
  if (!path) return std::nullopt;
  Mailbox mailbox{.path = base_.empty() ? **path : concat(base_, "/", **path)};
  if (!needs_owner) return mailbox;
  const auto user = find_id(address, users_, "virtual_uid_maps", "uid", minimum_user_);
  if (!user) return std::nullopt;
  const auto group = find_id(address, groups_, "virtual_gid_maps", "gid", 1);
  if (!group) return std::nullopt;
  mailbox.owner = {.user = *user, .group = *group};
  return mailbox;
}

asio::awaitable<RecipientAnswer> VirtualAgent::deliver_one(const DeliveryRequest& request, std::size_t index,
                                                           const MessageStart& start, int message) {
  const QueueRecipient& recipient = request.recipients[index];
  RecipientAnswer answer;
  const std::optional<Mailbox> mailbox = find(recipient.address, true, answer);
  if (!mailbox) co_return answer;
  const bool is_maildir = mailbox->path.ends_with('/');
  const std::string sender = quote_address(request.sender);
  MailboxDelivery delivery = options_.delivery(mailbox->path);
  delivery.copy.content_offset = start.content_offset;
  delivery.copy.head =
      concat(return_path(sender), has_original_ ? original_to(recipient.original) : std::string(),
             delivered_to(recipient.address));
  if (!is_maildir) {
    delivery.copy.head.insert(0, mailbox_separator(sender, std::time(nullptr)));
    delivery.copy.quotes_from = true;
    delivery.copy.tail = "\n";
  }
  const ActionResult done = co_await actions_->deliver(mailbox->owner, std::move(delivery), message);
  if (!done.fault) co_return delivered(is_maildir ? "delivered to maildir" : "delivered to mailbox");
  const std::string& reason = done.fault->reason;
  if (is_maildir && reason.ends_with("Permission denied")) {
    warn(concat("maildir access problem for UID/GID=", std::to_string(mailbox->owner.user), "/",
                std::to_string(mailbox->owner.group), ": ", reason));
    warn("perhaps you need to create the maildirs in advance");
  }
  if (reason.ends_with("is not owned by recipient")) warn(kOwnershipAdvice);
  if (is_maildir) co_return undelivered(done.fault->code, concat("maildir delivery failed: ", reason));
  co_return undelivered(done.fault->code, concat("delivery failed to mailbox ", mailbox->path, ": ", reason));
}

asio::awaitable<DeliveryReport> VirtualAgent::deliver(const DeliveryRequest& request, int message) {
  RecipientReporter reporter(request, log_, {.program = kProgram}, relay_, filter_);
  const bool is_probe = request.purpose == DeliveryPurpose::kProbe;
  MessageStart start;
  if (!is_probe && actions_ == nullptr) {
    reporter.settle_all(no_transport());
    co_return reporter.take();
  }
  if (!is_probe) {
    Result<MessageStart> read = read_message_start(message, request.queue_id);
    if (!read) {
      warn(read.error().message);
      reporter.settle_all(unreadable_message());
      co_return reporter.take();
    }
    start = std::move(*read);
  }
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    RecipientAnswer answer;
    if (is_probe) {
      const auto mailbox = find(request.recipients[i].address, false, answer);
      if (mailbox) answer = delivered(probed_mailbox(mailbox->path));
    } else {
      answer = co_await deliver_one(request, i, start, message);
    }
    reporter.settle(i, std::move(answer));
  }
  co_return reporter.take();
}

}  // namespace mta
