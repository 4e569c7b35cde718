// Has the SMTP or LMTP client deliver, for comparison with Postfix:
//
//     delivery_program probe MAIN_CF smtp|lmtp NEXTHOP SENDER SIZE RECIPIENT... [-- NAME=VALUE...]
//     delivery_program deliver MAIN_CF smtp|lmtp NEXTHOP QUEUE_FILE... [-- NAME=VALUE...]
//
// The first asks about recipients; the second delivers messages to all their recipients, one after the other,
// and leaves the files as they are. NAME=VALUE are options of the service. The log goes where main.cf has it;
// a line for each recipient goes to standard output, in the order of the log: address, outcome, enhanced
// status.
#include <fcntl.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "libconf/handle.h"
#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/delivery/smtp_client_agent.h"
#include "tools/mta/dns/cares_resolver.h"

namespace {

int fail(const libconf::Error& error) {
  std::cerr << error.message << '\n';
  return 1;
}

struct Arguments {
  std::vector<std::string> words;
  std::vector<std::string> options;
};

Arguments divide(int argc, char** argv) {
  Arguments arguments;
  bool is_option = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") {
      is_option = true;
    } else {
      (is_option ? arguments.options : arguments.words).push_back(word);
    }
  }
  return arguments;
}

bool override_settings(const std::vector<std::string>& options, libconf::Settings& settings) {
  for (const std::string& option : options) {
    libconf::NameValue assignment;
    if (split_name_value(option, assignment) != libconf::NameValueFault::kNone) return false;
    settings.override_value(assignment.name, assignment.value);
  }
  return true;
}

mta::QueueTime now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// SENDER SIZE RECIPIENT...
void read_probe(std::span<const std::string> words, mta::DeliveryRequest& request) {
  request.queue_id = "4A1B2C3D4E";
  request.purpose = mta::DeliveryPurpose::kProbe;
  request.sender = words[0];
  std::from_chars(words[1].data(), words[1].data() + words[1].size(), request.content_size);
  request.arrival = now();
  for (const std::string& address : words.subspan(2))
    request.recipients.push_back({.address = address, .dsn_original = "rfc822;" + address});
}

/// What a queue manager would ask for.
libconf::Result<void> read_message(int file, const std::string& path, mta::DeliveryRequest& request) {
  auto reader = mta::QueueFileReader::open(file, path);
  if (!reader) return reader.error();
  auto message = mta::read_queue_message(*reader);
  if (!message) return message.error();
  const auto attribute = [&](std::string_view name) {
    return std::string(message->attribute(name).value_or(""));
  };
  request.queue_id = path.substr(path.rfind('/') + 1);
  request.sender = message->sender.value_or("");
  request.encoding = attribute("encoding");
  request.envelope_id = message->envelope_id;
  request.return_flags = message->return_flags;
  if (message->sizes) {
    request.send_options = static_cast<int>(message->sizes->send_options);
    request.content_size = static_cast<std::uint64_t>(message->sizes->content_size);
  }
  request.arrival = message->arrival_time.value_or(now());
  request.origin = {.client_name = attribute("log_client_name"),
                    .client_address = attribute("log_client_address"),
                    .client_port = attribute("log_client_port"),
                    .helo_name = attribute("log_helo_name"),
                    .protocol = attribute("log_protocol_name"),
                    .ident = attribute("log_ident"),
                    .sasl_method = attribute("sasl_method"),
                    .sasl_user_name = attribute("sasl_username"),
                    .sasl_sender = attribute("sasl_sender"),
                    .rewrite_context = attribute("rewrite_context")};
  request.recipients = std::move(message->recipients);
  return {};
}

void print(const mta::DeliveryRequest& request, const mta::DeliveryReport& report) {
  constexpr std::string_view kOutcomes[] = {"sent", "deferred", "bounced"};
  for (const mta::RecipientReport& each : report.recipients)
    std::cout << request.recipients[each.recipient].address << ' '
              << kOutcomes[static_cast<std::size_t>(each.outcome)] << ' ' << each.status.code << '\n';
  std::cout << (report.is_destination_dead ? "dead\n" : "");
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = divide(argc, argv);
  const std::span<const std::string> words = arguments.words;
  const bool is_probe = !words.empty() && words[0] == "probe";
  if (words.size() < (is_probe ? 7 : 5)) return 2;
  const auto document = libconf::MainCfDocument::load(words[1]);
  if (!document) return fail(document.error());
  const libconf::Host host = libconf::system_host();
  libconf::Settings settings(&*document, host);
  if (!override_settings(arguments.options, settings)) return 2;
  const std::string& protocol_name = words[2];
  const auto log = mta::MailLog::open(settings);
  if (!log) return fail(log.error());
  asio::io_context io;
  mta::EventLoop loop(io);
  const auto resolver = mta::CaresResolver::create(io.get_executor(), {});
  if (!resolver) return fail(resolver.error());
  const auto protocol = protocol_name == "lmtp" ? mta::ClientProtocol::kLmtp : mta::ClientProtocol::kSmtp;
  const auto agent = mta::SmtpClientAgent::create(
      settings, protocol,
      {.executor = io.get_executor(), .resolver = **resolver, .log = **log, .host = host});
  if (!agent) return fail(agent.error());

  int status = 0;
  const auto work = [&]() -> asio::awaitable<void> {
    for (std::size_t i = 4; i < words.size() && status == 0; ++i) {
      mta::DeliveryRequest request{.transport = protocol_name, .nexthop = words[3]};
      libconf::FileDescriptor file;
      if (is_probe) {
        read_probe(words.subspan(4), request);
        i = words.size();
      } else {
        file = libconf::FileDescriptor(::open(words[i].c_str(), O_RDONLY | O_CLOEXEC));
        const auto read = read_message(file.get(), words[i], request);
        if (!read) status = fail(read.error());
      }
      request.activated = now();
      if (status == 0) print(request, co_await (*agent)->deliver(request, file.get()));
    }
    io.stop();
  };
  asio::co_spawn(io, work(), asio::detached);
  loop.run();
  return status;
}
