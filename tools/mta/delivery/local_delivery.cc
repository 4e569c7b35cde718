#include "tools/mta/delivery/local_delivery.h"

#include <algorithm>

#include "libconf/text.h"
#include "libmaps/utf8.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/address/route.h"
#include "tools/mta/delivery/internal_mail.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

/// So deep go aliases in aliases, :include: files among them; what is deeper has no end.
constexpr int kMostLevels = 100;

RecipientAnswer configuration_error() { return undelivered("5.3.5", "mail system configuration error"); }

/// Adds an extension to the local part.
std::string with_extension(std::string address, std::string_view extension) {
  const std::size_t at = address.rfind('@');
  return address.insert(at == std::string::npos ? address.size() : at, extension);
}

}  // namespace

LocalDelivery::LocalDelivery(const LocalParts& parts, const DeliveryRequest& request, std::size_t index,
                             const MessageStart& start, int message, RecipientReporter& reporter)
    : parts_(parts),
      request_(request),
      index_(index),
      recipient_(request.recipients[index]),
      start_(start),
      message_(message),
      reporter_(reporter),
      destinations_(parts.options, parts.actions, request, recipient_, start, message, reporter) {}

void LocalDelivery::settle(const LocalTarget& target, RecipientAnswer answer) {
  QueueRecipient shown = recipient_;
  shown.address = target.address;
  answer.status.keeps_notify = is_expanded_;
  reporter_.settle_as(index_, shown, std::move(answer));
}

void LocalDelivery::note_expansion(bool has_owner) {
  if (!is_expanded_ && (recipient_.notify & kNotifySuccess) != 0)
    reporter_.settle_expanded(index_, has_owner ? DsnAction::kByOutcome : DsnAction::kExpanded);
  is_expanded_ = true;
}

bool LocalDelivery::is_new(std::string_view kind, std::string_view text) {
  if (parts_.options.duplicate_limit != 0 && seen_.size() >= parts_.options.duplicate_limit)
    return !seen_.contains(concat(kind, text));
  return seen_.insert(concat(kind, text)).second;
}

asio::awaitable<void> LocalDelivery::run() {
  LocalTarget target{
      .address = recipient_.address, .sender = request_.sender, .delivered_to = recipient_.address};
  co_await deliver(std::move(target));
  co_await send_forwards();
  if (!reporter_.has_settled(index_)) reporter_.settle_silently(index_);
}

asio::awaitable<void> LocalDelivery::deliver(LocalTarget target) {
  if (!parts_.options.is_frozen) target.delivered_to = target.address;
  const RecipientNames names = target.names(parts_.options);
  if (start_.was_delivered_to(target.address)) {
    settle(target, undelivered("5.4.6", concat("mail forwarding loop for ", target.address)));
    co_return;
  }
  const bool is_loop =
      std::find(target.aliases.begin(), target.aliases.end(), names.local) != target.aliases.end();
  if ((is_loop && target.alias != names.local) || target.depth > kMostLevels) {
    warn(concat("alias database loop for ", names.local));
    settle(target, undelivered("5.4.6", concat("alias database loop for ", names.local)));
    co_return;
  }
  const bool is_first = target.depth == 0;
  if (!is_first && !is_new("@", libmaps::fold_ascii(target.address))) co_return;
  const bool is_followed = co_await follow_alias(target, names);
  if (is_followed) co_return;
  if (target.is_queued) {
    forward_to(target, target.address);
  } else {
    co_await deliver_to_user(std::move(target), names);
  }
}

bool LocalDelivery::apply_owner(LocalTarget& target, const std::string& alias) {
  if (!parts_.options.has_owners) return false;
  const std::string name = concat("owner-", alias);
  const auto owner = parts_.options.find_alias(name);
  if (!owner || !*owner) {
    if (parts_.options.resets_owner) target.is_queued = target.has_owner = false;
    return false;
  }
  const std::string sender =
      parts_.options.expands_owner ? quote_address(libconf::trim((*owner)->value)) : name;
  target.sender = unquote_address(parts_.rewriting.rewrite(RewriteContext::kLocal, sender));
  target.has_owner = target.is_queued = true;
  return true;
}

asio::awaitable<bool> LocalDelivery::follow_alias(LocalTarget& target, const RecipientNames& names) {
  const auto alias = parts_.options.find_alias(names.local);
  if (!alias) {
    settle(target, undelivered("4.3.0", "alias database unavailable"));
    co_return true;
  }
  if (!*alias) co_return false;
  const std::string& name = (*alias)->is_bare ? names.user : names.local;
  // What is found in its own expansion is the user.
  if (target.alias == name) co_return false;
  LocalTarget inside = target;
  inside.source = AliasSource::kAlias;
  inside.rights.reset();
  inside.account.reset();
  if ((*alias)->owner) {
    inside.rights = (*alias)->owner->identity;
    if (!(*alias)->owner->name.empty()) inside.account = (*alias)->owner;
  }
  inside.forwarded_by.clear();
  inside.alias = name;
  if (target.depth > 0) inside.aliases.push_back(name);
  const bool has_own_owner = apply_owner(inside, name);
  note_expansion(has_own_owner);
  const bool propagates =
      (*alias)->is_bare && parts_.options.allows(parts_.options.extensions, AliasSource::kAlias);
  std::string extension = propagates ? names.delimiter + names.extension : std::string();
  std::vector<AliasItem> items = parse_alias_items((*alias)->value);
  co_await deliver_items(std::move(inside), std::move(items), std::move(extension));
  co_return true;
}

asio::awaitable<void> LocalDelivery::deliver_items(LocalTarget target, std::vector<AliasItem> items,
                                                   std::string extension) {
  ++target.depth;
  for (const AliasItem& item : items) co_await deliver_item(target, item, extension);
}

asio::awaitable<void> LocalDelivery::deliver_item(const LocalTarget& target, const AliasItem& item,
                                                  const std::string& extension) {
  const LocalOptions& options = parts_.options;
  switch (item.kind) {
    case AliasItemKind::kAddress:
      co_await deliver_address(target, item.text, extension);
      co_return;
    case AliasItemKind::kInclude:
      co_await deliver_include(target, item.text, extension);
      co_return;
    case AliasItemKind::kCommand: {
      if (!is_new("|", item.text)) co_return;
      RecipientAnswer answer = undelivered("5.7.1", "mail to command is restricted");
      if (options.allows(options.commands, target.source))
        answer = co_await destinations_.run_command(target, item.text);
      settle(target, std::move(answer));
      co_return;
    }
    case AliasItemKind::kHome:
    case AliasItemKind::kFile: {
      const bool is_at_home = item.kind == AliasItemKind::kHome;
      if (is_at_home && (!target.account || item.text.starts_with('~'))) {
        const bool has_no_home = !target.account && !item.text.starts_with('~');
        warn(has_no_home ? concat("unknown home directory for: ~/", item.text)
                         : concat("bad home directory syntax for: ", item.text));
        settle(target, configuration_error());
        co_return;
      }
      std::string path = is_at_home ? concat(target.account->home, "/", item.text) : item.text;
      if (!is_new("/", path)) co_return;
      RecipientAnswer answer = undelivered("5.7.1", "mail to file is restricted");
      if (options.allows(options.files, target.source))
        answer = co_await destinations_.to_file(target, std::move(path));
      settle(target, std::move(answer));
      co_return;
    }
  }
}

asio::awaitable<void> LocalDelivery::deliver_include(LocalTarget target, std::string path,
                                                     std::string extension) {
  if (!path.starts_with('/')) {
    warn(concat(":include:", path, " uses a relative path"));
    settle(target, configuration_error());
    co_return;
  }
  if (!is_new(":", path)) co_return;
  const FileText file = co_await parts_.actions.read(target.actor(parts_.options), path);
  switch (file.state) {
    case FileText::State::kText:
      break;
    case FileText::State::kAbsent:
      warn(concat("unable to lookup :include: file ", path, ": ", file.reason));
      settle(target, configuration_error());
      co_return;
    case FileText::State::kRefused:
      warn(concat(":include: file ", path, " ", file.reason));
      settle(target, configuration_error());
      co_return;
    case FileText::State::kUnavailable:
      warn(concat("cannot open include file ", path, ": ", file.reason));
      settle(target, misconfigured());
      co_return;
  }
  if (target.depth > kMostLevels) co_return;
  target.source = AliasSource::kInclude;
  target.is_queued = true;
  if (!target.account && file.owner.user != 0) target.rights = file.owner;
  std::vector<AliasItem> items = parse_alias_file(file.text);
  co_await deliver_items(std::move(target), std::move(items), std::move(extension));
}

asio::awaitable<void> LocalDelivery::deliver_address(LocalTarget target, std::string address,
                                                     std::string extension) {
  std::string internal = unquote_address(parts_.rewriting.rewrite(RewriteContext::kLocal, address));
  const bool is_empty = internal.empty();
  if (!is_empty) internal = with_extension(std::move(internal), extension);
  const Result<Resolution> route = parts_.routes.resolve("", internal);
  if (!route) {
    settle(target, undelivered("4.3.0", "address resolver failure"));
    co_return;
  }
  if (route->is_malformed) {
    settle(target, undelivered("5.1.3", concat("bad recipient address syntax: ", address)));
    co_return;
  }
  const bool is_local = route->transport == request_.transport;
  LocalTarget child = target;
  child.address = route->recipient;
  child.rights.reset();
  // A user whose .forward file names the user has mail in the mailbox, too.
  const bool is_self =
      is_local && !target.forwarded_by.empty() && child.names(parts_.options).user == target.forwarded_by;
  if (is_self) {
    if (is_new("=", libmaps::fold_ascii(child.address))) co_await deliver_to_account(child);
    co_return;
  }
  child.account.reset();
  if (is_local) {
    co_await deliver(std::move(child));
    co_return;
  }
  if (is_new("@", libmaps::fold_ascii(child.address))) forward_to(target, child.address);
}

void LocalDelivery::forward_to(const LocalTarget& target, std::string address) {
  auto forward = std::find_if(forwards_.begin(), forwards_.end(), [&](const Forward& each) {
    return each.mail.sender == target.sender && each.delivered_to == target.delivered_to;
  });
  if (forward == forwards_.end()) {
    ForwardedMail mail{.sender = target.sender, .content_offset = start_.content_offset};
    if (parts_.options.prepends(DeliveredHeader::kForward)) {
      mail.head.push_back(delivered_to(target.delivered_to));
      mail.head.back().pop_back();
    }
    forward =
        forwards_.insert(forward, Forward{.delivered_to = target.delivered_to, .mail = std::move(mail)});
  }
  QueueRecipient recipient{.address = std::move(address), .notify = recipient_.notify};
  if (is_expanded_) recipient.notify = forward_notify(recipient_.notify);
  if (!target.has_owner) {
    recipient.original = recipient_.original;
    recipient.dsn_original = recipient_.dsn_original;
  }
  forward->mail.recipients.push_back(std::move(recipient));
}

asio::awaitable<void> LocalDelivery::send_forwards() {
  // All of it comes again.
  if (reporter_.has_deferred(index_)) co_return;
  for (Forward& forward : forwards_) {
    const Result<std::string> id =
        co_await parts_.forwarder.forward(request_, std::move(forward.mail), message_);
    RecipientAnswer answer = undelivered("4.3.0", "unable to forward message");
    if (!id) warn(id.error().message);
    if (id) {
      answer = delivered(concat("forwarded as ", *id));
      answer.status.action = DsnAction::kRelayed;
    }
    // The new message has it.
    answer.status.keeps_notify = true;
    reporter_.settle(index_, std::move(answer));
  }
}

asio::awaitable<bool> LocalDelivery::follow_forward(const LocalTarget& target, const RecipientNames& names) {
  const LocalOptions& options = parts_.options;
  std::string_view paths = options.forward_path;
  while (const auto word = libconf::next_word(paths, libconf::kListSeparators)) {
    const Result<std::string> path = names.expand(*word, options.forward_filter, *options.settings);
    // Without an extension there is no file for it.
    const bool is_for_extension = word->find("extension") != std::string_view::npos;
    if (!path || (is_for_extension && names.extension.empty()) || !path->starts_with('/')) continue;
    const FileText file = co_await parts_.actions.read(target.account->identity, *path);
    if (file.state == FileText::State::kAbsent) continue;
    if (file.state == FileText::State::kUnavailable) {
      warn(concat("cannot open file ", *path, ": ", file.reason));
      continue;
    }
    if (file.state == FileText::State::kRefused) {
      warn(concat("file ", *path, " ", file.reason));
      continue;
    }
    if (file.owner.user != 0 && file.owner.user != target.account->identity.user) {
      warn(concat("file ", *path, " has bad owner uid ", std::to_string(file.owner.user)));
      continue;
    }
    std::vector<AliasItem> items = parse_alias_file(file.text);
    if (items.empty()) co_return false;
    LocalTarget inside = target;
    inside.source = AliasSource::kForward;
    inside.is_queued = true;
    inside.forwarded_by = names.user;
    note_expansion(false);
    const bool propagates = !is_for_extension && !names.extension.empty() &&
                            options.allows(options.extensions, AliasSource::kForward);
    std::string extension = propagates ? names.delimiter + names.extension : std::string();
    co_await deliver_items(std::move(inside), std::move(items), std::move(extension));
    co_return true;
  }
  co_return false;
}

asio::awaitable<void> LocalDelivery::deliver_to_user(LocalTarget target, const RecipientNames& names) {
  Result<std::optional<Account>> account = parts_.options.find_account(names.user);
  if (!account) {
    settle(target, undelivered("4.3.0", "user lookup error"));
    co_return;
  }
  target.account = std::move(*account);
  target.rights.reset();
  const bool is_root = target.account && target.account->identity.user == 0;
  if (target.account && !is_root && target.forwarded_by != names.user) {
    const RecipientNames known = target.names(parts_.options);
    const bool is_followed = co_await follow_forward(target, known);
    if (is_followed) co_return;
  }
  co_await deliver_to_account(target);
}

asio::awaitable<void> LocalDelivery::deliver_to_account(const LocalTarget& target) {
  const LocalOptions& options = parts_.options;
  const RecipientNames names = target.names(options);
  Result<std::string> transport = options.mailbox_transport.for_user(names.user);
  if (transport && transport->empty() && !target.account)
    transport = options.fallback_transport.for_user(names.user);
  if (!transport) {
    settle(target, misconfigured());
    co_return;
  }
  if (!transport->empty()) {
    co_await pass_on(target, std::move(*transport));
    co_return;
  }
  if (!target.account) {
    if (options.luser_relay.empty()) {
      settle(target, unknown_user(names.user));
      co_return;
    }
    const Result<std::string> relay = names.expand(options.luser_relay, {}, *options.settings);
    if (!relay) {
      settle(target, misconfigured());
      co_return;
    }
    forward_to(target, unquote_address(parts_.rewriting.rewrite(RewriteContext::kLocal, *relay)));
    co_return;
  }
  const Result<std::string> command = options.mailbox_command.for_user(names.user);
  if (!command) {
    settle(target, misconfigured());
    co_return;
  }
  RecipientAnswer answer;
  if (command->empty()) {
    answer = co_await destinations_.to_mailbox(target);
  } else {
    answer = co_await destinations_.run_command(target, *command);
  }
  settle(target, std::move(answer));
}

asio::awaitable<void> LocalDelivery::pass_on(const LocalTarget& target, std::string destination) {
  const Route route = split_route(destination);
  reporter_.log(Severity::kInfo, concat(request_.queue_id, ": passing <", quote_address(target.address),
                                        "> to transport=", route.transport));
  DeliveryAgent* const agent = parts_.transports.find(route.transport);
  if (agent == nullptr) {
    settle(target, no_transport());
    co_return;
  }
  DeliveryRequest onward = request_;
  onward.transport = route.transport;
  // Where nothing is said, the next hop is the domain, as for smtp(8).
  onward.nexthop = route.nexthop.empty() ? request_.nexthop : route.nexthop;
  onward.sender = target.sender;
  onward.recipients = {recipient_};
  onward.recipients.front().address = target.address;
  DeliveryReport passed = co_await agent->deliver(onward, message_);
  reporter_.pass_on(index_, std::move(passed));
}

}  // namespace mta
