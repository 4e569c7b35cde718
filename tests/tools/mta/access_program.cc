// A SMTP server that does nothing but ask for verdicts: for the comparison with a stock one
// (tests/differential).
//
//     access_program MAIN_CF DNS_FILE [NAME=VALUE...] <commands
//
// Commands are SMTP's, and NEW begins a session. Each is answered by its reply; what would be logged follows,
// each line after "LOG ". SASL logins are those that XCLIENT LOGIN= claims.
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/tools/mta/site_addresses.h"
#include "tools/mta/access/engine.h"
#include "tools/mta/access/policy_client.h"
#include "tools/mta/dns/scripted_resolver.h"
#include "tools/mta/smtp/dns_reply_filter.h"

namespace mta {
namespace {

class NoVerifier final : public AddressVerifier {
 public:
  asio::awaitable<Verification> verify(std::string, std::chrono::seconds) override {
    co_return Verification{.reason = "Address verification in progress"};
  }
};

/// The address in <>, without quotes and without a source route.
std::string address_in(std::string_view command) {
  const std::size_t open = command.find('<');
  const std::size_t close = command.rfind('>');
  std::string_view text = command.substr(open + 1, close - open - 1);
  if (text.starts_with('@') && text.find(':') != std::string_view::npos)
    text = text.substr(text.find(':') + 1);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') continue;
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

class Session {
 public:
  explicit Session(AccessEngine& engine) : engine_(engine) { state_.client.address = "127.0.0.1"; }

  asio::awaitable<std::string> answer(std::string_view command, std::vector<std::string>& log) {
    if (is_closed_) co_return "(closed)";
    std::string_view rest = command;
    const std::string verb(libconf::next_word(rest, " ").value_or(""));
    rest = libconf::trim(rest);
    if (verb == "XCLIENT") {
      take_client(rest);
      co_return co_await ask(SmtpStage::kConnect, "220 mx.test.example ESMTP Postfix", log);
    }
    if (verb == "HELO" || verb == "EHLO") {
      state_.helo = std::string(rest);
      std::string reply =
          co_await ask(verb == "EHLO" ? SmtpStage::kEhlo : SmtpStage::kHelo, "250 mx.test.example", log);
      if (!reply.starts_with("250"))
        state_.helo.reset();
      else if (verb == "EHLO")
        state_.protocol = "ESMTP";
      co_return reply;
    }
    if (verb == "MAIL") {
      state_.sender = address_in(rest);
      std::string reply = co_await ask(SmtpStage::kMail, "250 2.1.0 Ok", log);
      if (!reply.starts_with("250")) state_.sender.reset();
      co_return reply;
    }
    if (verb == "RCPT") {
      if (!state_.sender) co_return "503 5.5.1 Error: need MAIL command";
      state_.recipient = address_in(rest);
      std::string reply = co_await ask(SmtpStage::kRcpt, "250 2.1.5 Ok", log);
      if (reply.starts_with("250")) {
        ++state_.recipient_count;
        only_recipient_ = state_.recipient_count == 1 ? state_.recipient : std::nullopt;
        state_.queue_id = "QUEUEID";
      }
      state_.recipient.reset();
      co_return reply;
    }
    if (verb == "DATA") {
      if (state_.recipient_count == 0) co_return "554 5.5.1 Error: no valid recipients";
      state_.recipient = only_recipient_;
      std::string reply = co_await ask(SmtpStage::kData, "354 End data with <CR><LF>.<CR><LF>", log);
      state_.recipient.reset();
      co_return reply;
    }
    if (verb == "ETRN") {
      state_.etrn_domain = rest;
      co_return co_await ask(SmtpStage::kEtrn, "250 2.0.0 Queuing started", log);
    }
    co_return "502 5.5.2 Error: command not recognized";
  }

 private:
  void take_client(std::string_view attributes) {
    const auto set_name = [](std::string_view value, std::string& name, NameStatus& status) {
      status = NameStatus::kFound;
      if (value == "[UNAVAILABLE]") status = NameStatus::kNotFound;
      if (value == "[TEMPUNAVAIL]") status = NameStatus::kTemporaryFailure;
      name = status == NameStatus::kFound ? value : "unknown";
    };
    while (const auto word = libconf::next_word(attributes, " ")) {
      const std::string_view name = word->substr(0, word->find('='));
      const std::string_view value = word->substr(name.size() + 1);
      if (name == "NAME") set_name(value, state_.client.name, state_.client.name_status);
      if (name == "REVERSE_NAME")
        set_name(value, state_.client.reverse_name, state_.client.reverse_name_status);
      if (name == "ADDR") state_.client.address = value;
      if (name == "PORT") state_.client.port = value;
      if (name == "LOGIN") {
        state_.sasl.is_authenticated = true;
        state_.sasl.username = value;
      }
    }
  }

  asio::awaitable<std::string> ask(SmtpStage stage, std::string good, std::vector<std::string>& log) {
    state_.stage = stage;
    const Verdict verdict = co_await engine_.check(state_, memory_);
    log = verdict.log;
    is_closed_ = verdict.closes_session;
    actions_.add(verdict.actions);
    state_.is_held = actions_.hold;
    state_.is_discarded = actions_.discard;
    co_return verdict.kind == VerdictKind::kReject ? verdict.reply : good;
  }

  AccessEngine& engine_;
  AccessMemory memory_;
  SmtpdState state_;
  MessageActions actions_;
  bool is_closed_ = false;
  std::optional<std::string> only_recipient_;
};

asio::awaitable<void> serve(AccessEngine& engine, const libconf::DiagnosticList& diagnostics) {
  std::size_t told = diagnostics.items().size();
  auto session = std::make_unique<Session>(engine);
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "NEW") {
      session = std::make_unique<Session>(engine);
      continue;
    }
    std::vector<std::string> log;
    const std::string reply = co_await session->answer(line, log);
    std::cout << reply << '\n';
    for (; told < diagnostics.items().size(); ++told) {
      const libconf::Diagnostic& each = diagnostics.items()[told];
      std::cout << "LOG " << (each.severity == libconf::Severity::kInfo ? "" : "warning: ") << each.message
                << '\n';
    }
    for (const std::string& entry : log) std::cout << "LOG " << entry << '\n';
  }
}

std::string contents(const char* file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

int run(int argc, char** argv) {
  if (argc < 3) return 2;
  auto document = libconf::MainCfDocument::load(argv[1]);
  auto resolver = ScriptedResolver::parse(contents(argv[2]), argv[2]);
  if (!document || !resolver) {
    std::cerr << (document ? resolver.error().message : document.error().message) << '\n';
    return 1;
  }
  libconf::Settings settings(&*document, libconf::system_host());
  for (int i = 3; i < argc; ++i) {
    const std::string_view option = argv[i];
    const std::size_t equals = option.find('=');
    settings.override_value(libconf::trim(option.substr(0, equals)),
                            libconf::trim(option.substr(equals + 1)));
  }
  std::vector<std::string> own = {"127.0.0.1"};
  const auto proxies = settings.get_list("proxy_interfaces");
  auto addresses = SiteAddresses::create(settings, own);
  if (!addresses || !proxies) {
    std::cerr << "bad addresses\n";
    return 1;
  }
  asio::io_context context;
  NoVerifier verifier;
  PolicyClient policy(context.get_executor(), {"3.12", "3.12.0"});
  const auto sleep = [&context](std::chrono::seconds seconds) -> asio::awaitable<void> {
    asio::steady_timer timer(context, seconds);
    co_await timer.async_wait(asio::use_awaitable);
  };
  libconf::DiagnosticList warnings;
  SiteAddresses& site = **addresses;
  DnsReplyFilter dns(*resolver, warnings);
  if (const auto opened = dns.open("smtpd_dns_reply_filter", {.settings = settings, .warnings = warnings});
      !opened) {
    std::cerr << opened.error().message << '\n';
    return 1;
  }
  auto engine = AccessEngine::create(
      settings, {dns, *resolver, site, verifier, policy, sleep},
      {.interface_addresses = own,
       .proxy_addresses = *proxies,
       .is_local_site = [&site](std::string_view domain) { return site.is_local(domain); }},
      warnings);
  if (!engine) {
    std::cerr << "fatal: " << engine.error().message << '\n';
    return 1;
  }
  // Connections that policy servers are kept on would keep the context busy.
  asio::co_spawn(context, serve(**engine, warnings), [&context](std::exception_ptr) { context.stop(); });
  context.run();
  return 0;
}

}  // namespace
}  // namespace mta

int main(int argc, char** argv) { return mta::run(argc, argv); }
