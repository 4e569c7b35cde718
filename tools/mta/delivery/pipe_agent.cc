#include "tools/mta/delivery/pipe_agent.h"

#include <ctime>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/delivery/command_answer.h"
#include "tools/mta/delivery/pipe_arguments.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

/// Lines that end with "\n", in a form where they end with `end`.
std::string with_line_ends(std::string_view lines, std::string_view end) {
  std::string text;
  for (const char each : lines) {
    if (each == '\n') {
      text += end;
    } else {
      text += each;
    }
  }
  return text;
}

}  // namespace

RecipientAnswer PipeAgent::check(const DeliveryRequest& request, const MessageStart& start,
                                 RecipientReporter& reporter) const {
  for (const PipeFlag flag : {PipeFlag::kDeliveredTo, PipeFlag::kOriginalTo}) {
    if (!options_.has(flag) || request.recipients.size() == 1) continue;
    reporter.log(Severity::kWarning, concat("pipe flag `", std::string(1, static_cast<char>(flag)),
                                            "' requires ", service_, "_destination_recipient_limit = 1"));
    return misconfigured();
  }
  if (options_.size_limit > 0 && request.content_size > options_.size_limit)
    return undelivered("5.2.3", "message too large");
  if (options_.has(PipeFlag::kDeliveredTo) && start.was_delivered_to(request.recipients.front().address))
    return undelivered("5.4.6", concat("mail forwarding loop for ", request.recipients.front().address));
  return delivered("");
}

MessageCopy PipeAgent::copy(const DeliveryRequest& request, const MessageStart& start) const {
  const QueueRecipient& recipient = request.recipients.front();
  const std::string sender = quote_address(request.sender.empty() ? options_.null_sender : request.sender);
  std::string head;
  if (options_.has(PipeFlag::kFromLine)) head += mailbox_separator(sender, std::time(nullptr));
  if (options_.has(PipeFlag::kReturnPath)) head += return_path(sender);
  if (options_.has(PipeFlag::kOriginalTo) && options_.has_original) head += original_to(recipient.original);
  if (options_.has(PipeFlag::kDeliveredTo)) head += delivered_to(recipient.address);
  const std::string& end = options_.end_of_line;
  return {.content_offset = start.content_offset,
          .head = with_line_ends(head, end),
          .end_of_line = end,
          .tail = options_.has(PipeFlag::kBlankLine) ? end : std::string(),
          .quotes_from = options_.has(PipeFlag::kFromQuoted),
          .stuffs_dots = options_.has(PipeFlag::kDots)};
}

asio::awaitable<RecipientAnswer> PipeAgent::run(const DeliveryRequest& request, int message,
                                                RecipientReporter& reporter) {
  const Result<MessageStart> start = read_message_start(message, request.queue_id);
  if (!start) {
    reporter.log(Severity::kWarning, start.error().message);
    co_return unreadable_message();
  }
  const RecipientAnswer checked = check(request, *start, reporter);
  if (checked.outcome != DeliveryOutcome::kSent) co_return checked;
  Result<std::vector<std::string>> argv = expand_pipe_arguments(options_, request);
  if (!argv) {
    reporter.log(Severity::kWarning, argv.error().message);
    co_return misconfigured();
  }
  const std::string name = argv->front();
  CommandRun command{.program = "pipe", .arguments = std::move(*argv), .environment = options_.environment};
  command.failure = "pipe_command: execvp";
  command.directory = options_.directory;
  command.copy = copy(request, *start);
  command.time_limit = options_.time_limit;
  command.root = options_.root.empty() ? 0 : actions_->find_root(options_.root);
  if (command.root == 0 && !options_.root.empty()) {
    reporter.log(Severity::kWarning,
                 concat("chroot=", options_.root, " counts when the mail system starts again"));
    co_return undelivered("4.3.0", "temporary failure");
  }
  const CommandResult ended = co_await actions_->run(options_.user, std::move(command), message);
  RecipientAnswer answer = command_answer(ended, name, reporter);
  if (answer.outcome != DeliveryOutcome::kSent) co_return answer;
  const std::string output = answer.status.text.empty() ? "" : concat(" (", answer.status.text, ")");
  answer.status.text = concat("delivered via ", service_, " service", output);
  if (!options_.has(PipeFlag::kFinal)) answer.status.action = DsnAction::kRelayed;
  co_return answer;
}

asio::awaitable<DeliveryReport> PipeAgent::deliver(const DeliveryRequest& request, int message) {
  RecipientReporter reporter(request, log_, {.program = "pipe"}, service_, filter_);
  RecipientAnswer answer;
  if (request.purpose == DeliveryPurpose::kProbe) {
    answer = delivered(concat("delivers to command: ", options_.argv.front()));
  } else if (actions_ == nullptr) {
    answer = no_transport();
  } else {
    answer = co_await run(request, message, reporter);
  }
  reporter.settle_all(answer);
  co_return reporter.take();
}

}  // namespace mta
