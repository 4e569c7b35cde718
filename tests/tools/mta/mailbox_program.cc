// Delivers a queue file to mailboxes and commands, for comparison with Postfix:
//
//     mailbox_program CONFIG_DIRECTORY DELIVER_AS QUEUE_FILE SERVICE NEXTHOP
//
// SERVICE is an entry of master.cf. All recipients of the file go in one request. The log goes where main.cf
// has it; a line for each report goes to standard output: the address, the outcome, the enhanced status. As
// root, it becomes mail_owner as soon as deliver_as runs.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <filesystem>
#include <iostream>
#include <string>

#include "libconf/host.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/daemon/site.h"
#include "tools/mta/daemon/spool.h"
#include "tools/mta/delivery/deliver_as_client.h"
#include "tools/mta/delivery/local_agent.h"
#include "tools/mta/delivery/pipe_agent.h"
#include "tools/mta/delivery/virtual_agent.h"
#include "tools/mta/queue/queue_message.h"

namespace {

using libconf::Result;

int fail(const libconf::Error& error) {
  std::cerr << error.message << '\n';
  return 1;
}

Result<mta::DeliveryRequest> read_request(int file, const std::string& path, const std::string& service,
                                          const std::string& nexthop) {
  Result<mta::QueueFileReader> reader = mta::QueueFileReader::open(file, path);
  if (!reader) return reader.error();
  const Result<mta::QueueMessage> message = read_queue_message(*reader);
  if (!message) return message.error();
  mta::DeliveryRequest request;
  request.queue_id = std::filesystem::path(path).filename();
  request.transport = service;
  request.nexthop = nexthop;
  request.sender = message->sender.value_or("");
  request.envelope_id = message->envelope_id;
  request.content_size =
      static_cast<std::uint64_t>(message->sizes.value_or(mta::MessageSizes{}).content_size);
  request.arrival = request.activated =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  request.recipients = message->recipients;
  // As Postfix's queue manager hands them out.
  std::sort(request.recipients.begin(), request.recipients.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
  const struct {
    const char* attribute;
    std::string& value;
  } origins[] = {
      {"client_name", request.origin.client_name},      {"client_address", request.origin.client_address},
      {"client_port", request.origin.client_port},      {"helo_name", request.origin.helo_name},
      {"protocol_name", request.origin.protocol},       {"sasl_method", request.origin.sasl_method},
      {"sasl_username", request.origin.sasl_user_name}, {"sasl_sender", request.origin.sasl_sender}};
  for (const auto& [attribute, value] : origins) value = message->attribute(attribute).value_or("");
  return request;
}

/// Says where to mail is passed on.
class PassedAgent final : public mta::DeliveryAgent {
 public:
  asio::awaitable<mta::DeliveryReport> deliver(const mta::DeliveryRequest& request, int) override {
    std::cout << "passed " << request.recipients.front().address << " to " << request.transport << ':'
              << request.nexthop << '\n';
    mta::DeliveryReport report;
    report.recipients.push_back({.outcome = mta::DeliveryOutcome::kSent});
    co_return report;
  }
};

class PassedTransports final : public mta::TransportTable {
 public:
  mta::DeliveryAgent* find(std::string_view) override { return &agent_; }

 private:
  PassedAgent agent_;
};

/// Says what is forwarded.
class PrintedForwards final : public mta::MailForwarder {
 public:
  asio::awaitable<Result<std::string>> forward(const mta::DeliveryRequest&, mta::ForwardedMail mail,
                                               int) override {
    std::cout << "from=<" << mta::quote_address(mail.sender) << ">\n";
    std::vector<std::string> lines;
    for (const mta::QueueRecipient& each : mail.recipients) {
      const bool is_own = each.original.empty() || each.original == each.address;
      lines.push_back("to=<" + mta::quote_address(each.address) + ">" +
                      (is_own ? "" : ", orig_to=<" + mta::quote_address(each.original) + ">"));
    }
    std::sort(lines.begin(), lines.end());
    for (const std::string& line : lines) std::cout << line << '\n';
    for (const std::string& line : mail.head) std::cout << line << '\n';
    co_return Result<std::string>("4A1B2C3D4E");
  }
};

using AgentResult = Result<std::unique_ptr<mta::DeliveryAgent>>;

/// What an agent is made of.
struct Parts {
  const libconf::MasterService& entry;
  const libconf::Settings& settings;
  libconf::DiagnosticSink& warnings;
  mta::UserActions* actions;
  mta::MailLog& log;
  const libconf::Host& host;
  mta::TransportTable& transports;
  mta::MailForwarder& forwarder;
};

AgentResult make_local(const Parts& parts) {
  auto agent = mta::LocalAgent::open(
      {.tables = {.settings = parts.settings, .warnings = parts.warnings}, .host = parts.host},
      {.transports = parts.transports,
       .log = parts.log,
       .actions = parts.actions,
       .forwarder = &parts.forwarder},
      parts.entry.service());
  if (!agent) return agent.error();
  return std::unique_ptr<mta::DeliveryAgent>(std::move(*agent));
}

AgentResult make_pipe(const Parts& parts) {
  auto options = mta::PipeOptions::read(parts.entry.arguments(), parts.settings);
  if (!options) return options.error();
  auto filter = mta::DeliveryStatusFilter::open("pipe_delivery_status_filter",
                                                {.settings = parts.settings, .warnings = parts.warnings});
  if (!filter) return filter.error();
  return std::unique_ptr<mta::DeliveryAgent>(std::make_unique<mta::PipeAgent>(
      std::move(*options), std::move(*filter), parts.actions, parts.log, parts.entry.service()));
}

AgentResult make_virtual(const Parts& parts) {
  auto agent = mta::VirtualAgent::open({.settings = parts.settings, .warnings = parts.warnings},
                                       parts.actions, parts.log, parts.entry.service());
  if (!agent) return agent.error();
  return std::unique_ptr<mta::DeliveryAgent>(std::move(*agent));
}

struct AgentType {
  std::string_view command;
  AgentResult (*make)(const Parts& parts);
};
constexpr AgentType kAgentTypes[] = {{"local", make_local}, {"pipe", make_pipe}, {"virtual", make_virtual}};

}  // namespace

int main(int argc, char** argv) {
  constexpr int kArguments = 6;
  if (argc != kArguments) return 2;
  const std::string service = argv[4];
  libconf::DiagnosticList problems;
  auto site = mta::Site::load(argv[1], problems);
  if (!site) return fail(site.error());
  const auto& services = (*site)->services();
  const auto placed = std::find_if(services.begin(), services.end(),
                                   [&](const auto* each) { return each->service.service() == service; });
  if (placed == services.end()) return 2;
  const libconf::Settings settings = (*site)->settings().for_service(**placed, (*site)->master_cf());
  const auto log = mta::MailLog::open(settings);
  if (!log) return fail(log.error());
  const std::string& command = (*placed)->service.field(libconf::MasterField::kCommand);
  mta::LogSink warnings(**log, {.program = command});
  const int file = ::open(argv[3], O_RDONLY | O_CLOEXEC);
  const auto request = read_request(file, argv[3], service, argv[5]);
  if (!request) return fail(request.error());
  const auto spool = mta::Spool::read(settings);
  if (!spool) return fail(spool.error());
  if (auto entered = spool->enter(); !entered) return fail(entered.error());
  asio::io_context io;  // What comes next has a descriptor in it.
  auto actions = mta::DeliverAsClient::start(argv[2], mta::command_roots(**site));
  if (!actions) return fail(actions.error());
  if (const auto owner = spool->mail_owner()) {
    if (::setregid(owner->group, owner->group) != 0 || ::setreuid(owner->user, owner->user) != 0) return 1;
  }
  mta::EventLoop loop(io);
  (*actions)->attach(io.get_executor());

  const libconf::Host host = libconf::system_host();
  PassedTransports transports;
  PrintedForwards forwarder;
  const auto* const type = std::find_if(std::begin(kAgentTypes), std::end(kAgentTypes),
                                        [&](const AgentType& each) { return each.command == command; });
  if (type == std::end(kAgentTypes)) return 2;
  const AgentResult agent = type->make({.entry = (*placed)->service,
                                        .settings = settings,
                                        .warnings = warnings,
                                        .actions = actions->get(),
                                        .log = **log,
                                        .host = host,
                                        .transports = transports,
                                        .forwarder = forwarder});
  if (!agent) return fail(agent.error());
  mta::DeliveryReport report;
  asio::co_spawn(io, (*agent)->deliver(*request, file), [&](std::exception_ptr, mta::DeliveryReport result) {
    report = std::move(result);
    io.stop();
  });
  loop.run();
  constexpr std::string_view kOutcomes[] = {"sent", "deferred", "bounced"};
  for (const mta::RecipientReport& each : report.recipients)
    std::cout << request->recipients[each.recipient].address << ' '
              << kOutcomes[static_cast<std::size_t>(each.outcome)] << ' ' << each.status.code << '\n';
  return 0;
}
