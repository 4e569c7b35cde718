#include "tools/postlint/relay_probe.h"

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <utility>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "tools/mta/access/engine.h"
#include "tools/mta/dns/scripted_resolver.h"
#include "tools/mta/smtp/address_services.h"
#include "tools/postlint/audited_host.h"
#include "tools/postlint/site_model.h"
#include "tools/postlint/table_store.h"

namespace postlint {
namespace {

using libconf::Result;
using libconf::Settings;

/// What the DNS says of the hosts of ProbeSession. Everything else does not exist.
constexpr std::string_view kZone =
    "stranger.example. MX 10 mail.stranger.example.\n"
    "stranger.example. A 198.51.100.7\n"
    "mail.stranger.example. A 198.51.100.7\n"
    "mail.stranger.example. AAAA 2001:db8:ffff::7\n"
    "elsewhere.example. MX 10 mail.elsewhere.example.\n"
    "elsewhere.example. A 198.51.100.8\n"
    "mail.elsewhere.example. A 198.51.100.8\n";

constexpr std::array<std::string_view, 12> kTablesOfAddresses = {
    "alias_maps",         "canonical_maps",           "local_recipient_maps",
    "recipient_bcc_maps", "recipient_canonical_maps", "relay_recipient_maps",
    "relocated_maps",     "sender_bcc_maps",          "sender_canonical_maps",
    "transport_maps",     "virtual_alias_maps",       "virtual_mailbox_maps",
};

class EveryAddressExists final : public mta::AddressVerifier {
 public:
  asio::awaitable<mta::Verification> verify(std::string, std::chrono::seconds) override {
    co_return mta::Verification{.status = mta::VerificationStatus::kDeliverable};
  }
};

class NoObjection final : public mta::PolicyService {
 public:
  asio::awaitable<std::string> ask(const mta::PolicyServiceSettings&, const mta::SmtpdState&,
                                   const std::function<void(std::string)>&) override {
    co_return "DUNNO";
  }
};

std::string without_references(std::string text) {
  for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 2))
    text.insert(at, 1, '$');
  return text;
}

}  // namespace

Settings localized_settings(const SiteModel& site, const Settings& settings) {
  Settings out(nullptr, audited_host());
  const auto take = [&](std::string_view name) {
    if (libconf::is_raw(name)) return out.override_value(name, settings.value_of(name).value_or(""));
    if (const Result<std::string> value = settings.get(name))
      out.override_value(name, without_references(site.tables().localized(*value)));
  };
  for (const libconf::Parameter& parameter : libconf::all_parameters())
    if (libconf::is_listed(parameter) && parameter.default_value.find(':') != std::string_view::npos)
      take(parameter.name);
  for (const std::string_view name : settings.explicit_names()) take(name);
  return out;
}

struct RelayProbe::Parts {
  explicit Parts(Settings view) : settings(std::move(view)) {}

  Settings settings;
  libconf::Host host = audited_host();
  libconf::DiagnosticDiscard warnings;
  mta::ScriptedResolver resolver;
  EveryAddressExists verifier;
  NoObjection policy;
  std::unique_ptr<mta::AddressServices> addresses;
  std::unique_ptr<mta::AccessEngine> engine;
};

namespace {

/// The steps of one command.
class Steps final : public mta::AccessTrace {
 public:
  void begin_list(const mta::TracedList&) override {}
  void begin_restriction(const mta::TraceStep& step) override {
    open_.push_back(steps_.size());
    steps_.push_back(step);
  }
  void end_restriction(const mta::TraceStep& step) override {
    steps_[open_.back()] = step;
    open_.pop_back();
  }
  void deferred(std::string_view) override {}

  void clear() { steps_.clear(); }
  std::vector<mta::TraceStep> take() { return std::move(steps_); }

 private:
  std::vector<mta::TraceStep> steps_;
  std::vector<std::size_t> open_;  ///< Numbers of those that have not ended.
};

}  // namespace

RelayProbe::RelayProbe(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RelayProbe::~RelayProbe() = default;

Result<std::unique_ptr<RelayProbe>> RelayProbe::create(const SiteModel& site, const Settings& settings) {
  auto parts = std::make_unique<Parts>(localized_settings(site, settings));
  // Who exists, and where mail goes in the end, is not asked; such tables may be large.
  const std::string alias_domains = value_of(parts->settings, "virtual_alias_domains");
  for (const std::string_view parameter : kTablesOfAddresses) parts->settings.override_value(parameter, "");
  parts->settings.override_value("virtual_alias_domains", without_references(alias_domains));
  Result<mta::ScriptedResolver> resolver = mta::ScriptedResolver::parse(kZone, "zone");
  if (!resolver) return resolver.error();
  parts->resolver = std::move(*resolver);
  auto addresses = mta::AddressServices::create(parts->settings, parts->host, parts->warnings);
  if (!addresses) return addresses.error();
  parts->addresses = std::move(*addresses);
  auto engine = mta::AccessEngine::create(
      parts->settings,
      {parts->resolver, parts->resolver, *parts->addresses, parts->verifier, parts->policy,
       [](std::chrono::seconds) -> asio::awaitable<void> { co_return; }},
      {.interface_addresses = {"127.0.0.1"},
       .is_local_site = mta::is_site_of(parts->addresses->local_domains())},
      parts->warnings);
  if (!engine) return engine.error();
  parts->engine = std::move(*engine);
  return std::unique_ptr<RelayProbe>(new RelayProbe(std::move(parts)));
}

ProbeResult RelayProbe::ask(const ProbeSession& session) {
  mta::SmtpdState state;
  state.client = {.address = session.client_address,
                  .port = "2525",
                  .name = session.client_name,
                  .name_status = mta::NameStatus::kFound,
                  .reverse_name = session.client_name,
                  .reverse_name_status = mta::NameStatus::kFound};
  state.protocol = "ESMTP";
  mta::AccessMemory memory;
  mta::Verdict verdict;
  Steps steps;
  const auto check = [&](mta::SmtpStage stage) {
    state.stage = stage;
    steps.clear();
    asio::io_context io(1);
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> { verdict = co_await parts_->engine->check(state, memory, &steps); },
        [](const std::exception_ptr& failure) {
          if (failure) std::terminate();
        });
    io.run();
    return verdict.kind == mta::VerdictKind::kPermit;
  };
  const bool is_permitted = [&] {
    if (!check(mta::SmtpStage::kConnect)) return false;
    state.helo = session.helo;
    if (!check(mta::SmtpStage::kEhlo)) return false;
    state.sender = session.sender;
    if (!check(mta::SmtpStage::kMail)) return false;
    state.recipient = session.recipient;
    return check(mta::SmtpStage::kRcpt);
  }();
  return {.is_permitted = is_permitted, .reply = verdict.reply, .steps = steps.take()};
}

}  // namespace postlint
