#include "tools/mta/delivery/mailbox_probes.h"

#include <utility>

#include "libconf/expansion.h"
#include "libconf/text.h"
#include "libmaps/utf8.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/address/route.h"
#include "tools/mta/daemon/waiting_table.h"
#include "tools/mta/delivery/mailbox_options.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

/// The names that luser_relay may use (postconf(5)).
class RecipientScope final : public libconf::ExpansionScope {
 public:
  RecipientScope(const libmaps::AddressParts& parts, std::string_view recipient,
                 const libconf::Settings& settings)
      : parts_(parts), recipient_(recipient), settings_(settings) {}
  std::optional<std::string_view> value_of(std::string_view name) const override {
    if (name == "user") return parts_.user;
    if (name == "local") return parts_.local;
    if (name == "domain") return parts_.domain;
    if (name == "recipient") return recipient_;
    if (name == "extension") return parts_.extension.substr(parts_.extension.empty() ? 0 : 1);
    if (name == "recipient_delimiter") return parts_.extension.substr(0, 1);
    return settings_.value_of(name);
  }

 private:
  const libmaps::AddressParts& parts_;
  std::string_view recipient_;
  const libconf::Settings& settings_;
};

}  // namespace

asio::awaitable<DeliveryReport> MailboxProbe::deliver(const DeliveryRequest& request, int /*message*/) {
  RecipientReporter reporter(request, log_, {.program = program_}, relay_);
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    DeliveryRequest single = request;
    single.recipients = {request.recipients[i]};
    DeliveryReport passed;
    const std::optional<RecipientAnswer> answer = co_await probe(single, passed);
    // The agent that it was passed on to has logged it.
    if (answer) {
      reporter.settle(i, *answer);
    } else {
      reporter.pass_on(i, std::move(passed));
    }
  }
  co_return reporter.take();
}

Result<LocalProbe::Choice> LocalProbe::read_choice(std::string_view maps, std::string_view otherwise,
                                                   const libmaps::TableContext& context) {
  Choice choice;
  if (!maps.empty()) {
    Result<std::vector<std::unique_ptr<libmaps::Table>>> tables = open_tables(maps, context);
    if (!tables) return tables.error();
    choice.maps = std::move(*tables);
  }
  Result<std::string> value = context.settings.get(otherwise);
  if (!value) return value.error();
  choice.otherwise = std::move(*value);
  return choice;
}

Result<std::string> LocalProbe::Choice::for_user(const std::string& user) {
  for (const std::unique_ptr<libmaps::Table>& table : maps) {
    Result<std::optional<std::string>> found = table->lookup(user);
    if (!found) return found.error();
    if (*found) return std::move(**found);
  }
  return otherwise;
}

Result<std::unique_ptr<LocalProbe>> LocalProbe::open(const libmaps::TableContext& context,
                                                     TransportTable& transports, MailLog& log,
                                                     std::string relay) {
  std::unique_ptr<LocalProbe> probe(new LocalProbe(context.settings, transports, log, std::move(relay)));
  Result<std::unique_ptr<libmaps::Table>> accounts = open_table("unix:passwd.byname", context);
  if (!accounts) return accounts.error();
  probe->accounts_ = std::move(*accounts);
  Result<std::vector<std::unique_ptr<libmaps::Table>>> aliases = open_tables("alias_maps", context);
  if (!aliases) return aliases.error();
  Result<libmaps::AddressRules> rules =
      libmaps::address_rules(libmaps::LookupKind::kAliases, context.settings);
  if (!rules) return rules.error();
  probe->rules_ = *rules;
  probe->aliases_.emplace(libmaps::LookupKind::kAliases, std::move(*aliases), std::move(*rules));
  const struct {
    std::string_view maps;
    std::string_view otherwise;
    Choice& choice;
  } choices[] = {{"mailbox_transport_maps", "mailbox_transport", probe->mailbox_transport_},
                 {"fallback_transport_maps", "fallback_transport", probe->fallback_transport_},
                 {"mailbox_command_maps", "mailbox_command", probe->mailbox_command_}};
  for (const auto& [maps, otherwise, choice] : choices) {
    Result<Choice> read = read_choice(maps, otherwise, context);
    if (!read) return read.error();
    choice = std::move(*read);
  }
  const struct {
    std::string_view parameter;
    std::string& value;
  } texts[] = {{"home_mailbox", probe->home_mailbox_}, {"mail_spool_directory", probe->spool_directory_}};
  for (const auto& [parameter, value] : texts) {
    Result<std::string> text = context.settings.get(parameter);
    if (!text) return text.error();
    value = std::move(*text);
  }
  // Its $names are those of the recipient.
  probe->luser_relay_ = context.settings.value_of("luser_relay").value_or("");
  return probe;
}

asio::awaitable<std::optional<RecipientAnswer>> LocalProbe::probe(const DeliveryRequest& request,
                                                                  DeliveryReport& passed) {
  const QueueRecipient& recipient = request.recipients.front();
  const std::string external = quote_address(recipient.address);
  const libmaps::AddressParts parts = libmaps::split_address(recipient.address, rules_);
  const std::string local(parts.local);

  const auto alias = aliases_->find(local);
  if (!alias) co_return undelivered("4.3.0", "alias database unavailable");
  if (*alias) co_return delivered(concat("aliased to ", (*alias)->value));

  const std::string user = libmaps::fold_ascii(parts.user);
  const auto account = accounts_->lookup(user);
  if (!account) co_return undelivered("4.3.0", "user lookup error");

  Result<std::string> transport = mailbox_transport_.for_user(user);
  if (transport && transport->empty() && !*account) transport = fallback_transport_.for_user(user);
  if (!transport) co_return misconfigured();
  if (!transport->empty()) {
    const Route route = split_route(*transport);
    DeliveryAgent* const agent = transports_.find(route.transport);
    if (agent == nullptr) co_return undelivered("4.3.0", "mail transport unavailable");
    DeliveryRequest onward = request;
    onward.transport = route.transport;
    // Where nothing is said, the next hop is the domain, as for smtp(8).
    onward.nexthop = route.nexthop.empty() ? request.nexthop : route.nexthop;
    passed = co_await agent->deliver(onward, -1);
    co_return std::nullopt;
  }
  if (!*account) {
    if (luser_relay_.empty()) co_return unknown_user(local);
    libconf::DiagnosticList problems;
    const Result<std::string> relay =
        libconf::expand(luser_relay_, RecipientScope(parts, external, settings_), problems);
    if (!relay) co_return misconfigured();
    co_return delivered(concat("forwards to ", *relay));
  }
  const Result<std::string> command = mailbox_command_.for_user(user);
  if (!command) co_return misconfigured();
  if (!command->empty()) co_return delivered(concat("delivers to command: ", *command));
  co_return delivered(probed_mailbox(home_mailbox_.empty() ? spool_directory_ : home_mailbox_));
}

}  // namespace mta
