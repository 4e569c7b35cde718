// Sends notices about a message, and forwards it, for comparison with Postfix:
//
//     notice_program MAIN_CF FILE COMMAND...
//
// FILE is a queue file, and its name the queue ID. Commands, each an argument:
//
//     record KIND RECIPIENT [NAME=VALUE...] ,   KIND: failure, delay, trace, probe; RECIPIENT is one of the
//                                               file. Names: outcome (sent, deferred, bounced), relay, code,
//                                               text, server, type, diagnostic, action (relayed, expanded).
//     send KIND ,                               prints "sent" or "not sent".
//     forward TO FOR HEADER... ,                forwards to TO for FOR, a recipient of the file.
#include <fcntl.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <charconv>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "libconf/text.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/delivery/internal_mail.h"
#include "tools/mta/delivery/mail_notifier.h"
#include "tools/mta/queue/queue_message.h"

namespace {

using Words = std::span<const std::string>;

[[noreturn]] void fail(const std::string& message) {
  std::cerr << message << '\n';
  std::_Exit(1);
}

template <class T>
T value_or_fail(libconf::Result<T> result) {
  if (!result) fail(result.error().message);
  return std::move(*result);
}

mta::NoticeKind kind_of(const std::string& word) {
  if (word == "failure") return mta::NoticeKind::kFailure;
  if (word == "delay") return mta::NoticeKind::kDelay;
  if (word == "trace") return mta::NoticeKind::kTrace;
  if (word == "probe") return mta::NoticeKind::kProbe;
  fail("no such kind: " + word);
}

class Program {
 public:
  Program(const libconf::Settings& settings, const libconf::Host& host, asio::io_context& io,
          const std::string& file)
      : log_(value_or_fail(mta::MailLog::open(settings))),
        queue_(value_or_fail(mta::QueueDirectory::open(settings))),
        committer_(1),
        mail_(value_or_fail(mta::InternalMailService::create(settings, {.executor = io.get_executor(),
                                                                        .log = *log_,
                                                                        .host = host,
                                                                        .queue = queue_,
                                                                        .committer = committer_}))),
        notifier_(value_or_fail(mta::MailNotifier::create(settings, *mail_, queue_, *log_))),
        id_(file.substr(file.rfind('/') + 1)),
        file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)),
        reader_(value_or_fail(mta::QueueFileReader::open(file_.get(), file))),
        message_(value_or_fail(mta::read_queue_message(reader_))) {}

  asio::awaitable<void> run(std::vector<std::vector<std::string>> commands) {
    for (const std::vector<std::string>& words : commands) {
      if (words[0] == "record") {
        record(words);
      } else if (words[0] == "send") {
        const bool is_sent = co_await notifier_->send(kind_of(words[1]), subject(), file_.get());
        std::cout << (is_sent ? "sent\n" : "not sent\n");
      } else {
        co_await forward(words);
      }
    }
  }

 private:
  const mta::QueueRecipient& recipient(const std::string& address) const {
    const auto& all = message_.recipients;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.address == address; });
    if (found == all.end()) fail("no such recipient: " + address);
    return *found;
  }

  std::string attribute(std::string_view name) const {
    return std::string(message_.attribute(name).value_or(""));
  }

  void record(Words words) {
    mta::RecipientReport report;
    const struct {
      std::string_view name;
      std::string& value;
    } texts[] = {{"relay", report.relay},
                 {"code", report.status.code},
                 {"text", report.status.text},
                 {"server", report.status.remote_server},
                 {"type", report.status.diagnostic_type},
                 {"diagnostic", report.status.diagnostic}};
    for (const std::string& word : words.subspan(3)) {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      const std::string value = word.substr(equals + 1);
      for (const auto& text : texts)
        if (text.name == name) text.value = value;
      if (name == "outcome" && value == "sent") report.outcome = mta::DeliveryOutcome::kSent;
      if (name == "outcome" && value == "bounced") report.outcome = mta::DeliveryOutcome::kBounced;
      if (name == "action")
        report.status.action = value == "relayed" ? mta::DsnAction::kRelayed : mta::DsnAction::kExpanded;
    }
    const auto recorded = notifier_->record(kind_of(words[1]), id_, recipient(words[2]), report);
    if (!recorded) fail(recorded.error().message);
  }

  mta::NoticeSubject subject() const {
    int trace_flags = 0;
    const std::string flags = attribute("trace_flags");
    std::from_chars(flags.data(), flags.data() + flags.size(), trace_flags);
    return {.queue_id = id_,
            .sender = message_.sender.value_or(""),
            .encoding = attribute("encoding"),
            .envelope_id = message_.envelope_id,
            .return_flags = message_.return_flags,
            .send_options = static_cast<int>(message_.sizes->send_options),
            .trace_flags = trace_flags,
            .verp_delimiters = message_.verp_delimiters,
            .arrival = *message_.arrival_time,
            .content_size = static_cast<std::uint64_t>(message_.sizes->content_length)};
  }

  asio::awaitable<void> forward(std::vector<std::string> words) {
    const mta::QueueRecipient& old = recipient(words[2]);
    mta::InternalEnvelope envelope =
        mta::forward_envelope({.queue_id = id_,
                               .transport = {},
                               .nexthop = {},
                               .sender = message_.sender.value_or(""),
                               .encoding = {},
                               .envelope_id = message_.envelope_id,
                               .return_flags = message_.return_flags,
                               .send_options = static_cast<int>(message_.sizes->send_options),
                               .origin = {.client_name = attribute("log_client_name"),
                                          .client_address = attribute("log_client_address"),
                                          .client_port = attribute("log_client_port"),
                                          .helo_name = attribute("log_helo_name"),
                                          .protocol = attribute("log_protocol_name"),
                                          .rewrite_context = attribute("rewrite_context")},
                               .arrival = *message_.arrival_time,
                               .activated = *message_.arrival_time,
                               .recipients = {}});
    envelope.recipients.push_back({.address = words[1],
                                   .original = old.original.empty() ? old.address : old.original,
                                   .dsn_original = old.dsn_original,
                                   .notify = mta::forward_notify(old.notify)});
    const auto mail = value_or_fail(mail_->open(std::move(envelope)));
    for (std::size_t i = 3; i < words.size(); ++i) mail->line(words[i], false);
    const auto copied = copy_content(reader_, message_.content_offset, *mail);
    if (!copied) fail(copied.error().message);
    const mta::IntakeResult result = co_await mail->finish();
    std::cout << (result.kind == mta::IntakeKind::kQueued ? mail->id() : result.refusal.text) << '\n';
  }

  std::unique_ptr<mta::MailLog> log_;
  mta::QueueDirectory queue_;
  mta::GroupCommitter committer_;
  std::unique_ptr<mta::InternalMailService> mail_;
  std::unique_ptr<mta::MailNotifier> notifier_;
  std::string id_;
  libconf::FileDescriptor file_;
  mta::QueueFileReader reader_;
  mta::QueueMessage message_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const auto document = libconf::MainCfDocument::load(argv[1]);
  if (!document) fail(document.error().message);
  const libconf::Host host = libconf::system_host();
  const libconf::Settings settings(&*document, host);
  std::vector<std::vector<std::string>> commands(1);
  for (int i = 3; i < argc; ++i) {
    if (std::string_view(argv[i]) != ",")
      commands.back().emplace_back(argv[i]);
    else
      commands.emplace_back();
  }
  if (commands.back().empty()) commands.pop_back();
  asio::io_context io;
  mta::EventLoop loop(io);
  Program program(settings, host, io, argv[2]);
  asio::co_spawn(io, program.run(std::move(commands)), asio::detached);
  loop.run();
  return 0;
}
