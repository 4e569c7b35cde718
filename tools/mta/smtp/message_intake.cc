#include "tools/mta/smtp/message_intake.h"

#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

/// How much of the content goes through the checks at a time.
constexpr std::size_t kPortion = 16384;

QueueTime now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::time_t to_time(QueueTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<std::unique_ptr<MessageIntake>> MessageIntake::open(const IntakeServices& services) {
  const QueueTime arrival = now();
  Result<QueueFile> file = services.queue.create(Queue::kIncoming, arrival);
  if (!file) return file.error();
  return std::unique_ptr<MessageIntake>(new MessageIntake(services, std::move(*file), arrival));
}

MessageIntake::MessageIntake(const IntakeServices& services, QueueFile file, QueueTime arrival)
    : services_(services),
      file_(std::move(file)),
      arrival_(arrival),
      writer_(file_, {.form = QueueFileForm::kQueue, .line_length_limit = services.line_length_limit}),
      filter_(services.content_filter) {}

void MessageIntake::begin(Envelope envelope) {
  envelope_ = std::move(envelope);
  const Result<std::string> sender = services_.addresses.rewrite_sender(envelope_.context, envelope_.sender);
  if (!sender) return refuse(sender.error());
  write_start();
  writer_.put(RecordType::kSender, *sender);
  external_sender_ = quote_address(*sender);
  for (const auto& [name, value] : envelope_.attributes) writer_.attribute(name, value);
  if (envelope_.submission && !envelope_.encoding.empty()) writer_.attribute("encoding", envelope_.encoding);
  if (envelope_.submission && envelope_.submission->trace_flags)
    writer_.attribute("trace_flags", std::to_string(*envelope_.submission->trace_flags));
  if (!envelope_.verp_delimiters.empty()) writer_.put(RecordType::kVerp, envelope_.verp_delimiters);

  if (envelope_.actions.filter) filter_ = *envelope_.actions.filter;
  if (envelope_.actions.redirect) redirect_ = *envelope_.actions.redirect;
  is_held_ = envelope_.actions.hold;
  is_discarded_ = envelope_.actions.discard;
  added_ = envelope_.actions.bcc;
  write_recipients();

  writer_.begin_content();
  context_ = {
      .queue_id = id(),
      .client = envelope_.client,
      .sender = external_sender_,
      .recipient = last_recipient_,
      .protocol = envelope_.protocol,
      .helo = envelope_.helo,
      .full_name = envelope_.full_name,
      .arrival = to_time(envelope_.submission ? envelope_.submission->arrival.value_or(arrival_) : arrival_),
      .created = to_time(arrival_),
      .rewrites_headers = envelope_.context == RewriteContext::kLocal};
  header_addresses_ = services_.addresses.for_headers(envelope_.context);
  CleanupSink& sink = *this;
  cleanup_.emplace(services_.cleanup, services_.checks, context_, header_addresses_.get(), sink);
  for (const std::string& header : envelope_.actions.prepend) input_ += concat(header, "\n");
  input_ += concat(envelope_.received, "\n");
}

/// In the order of Postfix, which is that of whoever sends the records: smtpd(8), or sendmail(1).
void MessageIntake::write_start() {
  const bool is_submitted = envelope_.submission.has_value();
  writer_.arrival_time(is_submitted ? envelope_.submission->arrival.value_or(arrival_) : arrival_);
  writer_.attribute("create_time", std::to_string(to_time(arrival_)));
  const std::string_view context = envelope_.context == RewriteContext::kLocal ? "local" : "remote";
  if (!is_submitted) {
    writer_.attribute("log_ident", id());
    writer_.attribute("rewrite_context", context);
  }
  if (!envelope_.envelope_id.empty()) writer_.attribute("envelope_id", envelope_.envelope_id);
  if (envelope_.return_flags != 0) writer_.attribute("ret_flags", std::to_string(envelope_.return_flags));
  for (const auto& [name, value] : envelope_.login) writer_.attribute(name, value);
  if (is_submitted && envelope_.submission->has_context) writer_.attribute("rewrite_context", context);
  if (!envelope_.full_name.empty()) writer_.put(RecordType::kFullName, envelope_.full_name);
}

void MessageIntake::write_recipients() {
  for (EnvelopeRecipient& recipient : envelope_.recipients) {
    last_recipient_ = recipient.address;
    write_recipient(std::move(recipient));
  }
}

void MessageIntake::write_recipient(EnvelopeRecipient recipient) {
  const Result<std::vector<EnvelopeRecipient>> expanded =
      services_.addresses.expand(envelope_.context, std::move(recipient));
  if (!expanded) return refuse(expanded.error());
  for (const EnvelopeRecipient& each : *expanded) {
    // The same notification twice is none too many; the same mailbox is (duplicate_filter_limit).
    if (!seen_.insert(concat(each.address, "\n", each.original, "\n", each.dsn_original)).second) continue;
    writer_.recipient({.address = each.address,
                       .original = each.original,
                       .dsn_original = each.dsn_original,
                       .notify = each.dsn_notify});
  }
}

void MessageIntake::line(std::string_view text, bool is_continued) {
  input_ += text;
  if (!is_continued) input_ += '\n';
  if (input_.size() >= kPortion) feed();
}

void MessageIntake::feed() {
  if (cleanup_ && !refusal_ && !cleanup_->is_decided()) cleanup_->feed(input_);
  input_.clear();
}

void MessageIntake::content(std::string_view text, bool ends_line) {
  writer_.body(text);
  if (ends_line) writer_.body("\n");
}

void MessageIntake::recipient(std::string_view address, RecipientSource) { added_.emplace_back(address); }

void MessageIntake::log(libconf::Severity severity, std::string_view text) {
  services_.log.write({.syslog_name = services_.syslog_name, .program = "cleanup"}, severity, text);
}

void MessageIntake::refuse(const libconf::Error& error) {
  log(libconf::Severity::kWarning, concat(id(), ": ", error.message));
  if (refusal_) return;
  // kConfiguration is of aliases without an end; the rest may work later.
  if (error.kind == libconf::ErrorKind::kConfiguration) {
    refusal_ = Rejection{.code = 451, .status = "4.6.0", .text = "Alias expansion error"};
  } else {
    refusal_ = Rejection{.code = 451, .status = "4.3.0", .text = "Error: queue file write error"};
  }
}

void MessageIntake::write_extracted() {
  if (is_8bit_) {
    writer_.attribute("encoding", "8bit");
  } else if (!envelope_.encoding.empty()) {
    writer_.attribute("encoding", envelope_.encoding);
  }
  if (!filter_.empty()) writer_.put(RecordType::kFilter, filter_);
  if (!redirect_.empty()) writer_.put(RecordType::kRedirect, redirect_);
  for (EnvelopeRecipient& each : late_recipients_) write_recipient(std::move(each));
  for (const std::string& each : services_.always_bcc) added_.push_back(each);
  for (const std::string& address : std::exchange(added_, {}))
    write_recipient({.address = address, .original = address, .dsn_notify = kNotifyNever});
}

asio::awaitable<IntakeResult> MessageIntake::finish() {
  feed();
  if (cleanup_ && !refusal_) cleanup_->finish();
  if (refusal_) co_return IntakeResult{.kind = IntakeKind::kRefused, .refusal = *refusal_};
  if (is_discarded_) co_return IntakeResult{.kind = IntakeKind::kDiscarded};
  writer_.end_content();
  write_extracted();
  if (const Result<MessageSizes> sizes = writer_.finish(); !sizes) refuse(sizes.error());
  if (!refusal_) {
    if (const Result<void> done = co_await commit(); !done) refuse(done.error());
  }
  if (refusal_) co_return IntakeResult{.kind = IntakeKind::kRefused, .refusal = *refusal_};
  co_return IntakeResult{.kind = IntakeKind::kQueued};
}

asio::awaitable<Result<void>> MessageIntake::commit() {
  const Queue queue = is_held_ ? Queue::kHold : Queue::kIncoming;
  Result<std::string> directory = services_.queue.directory_of(queue, id());
  if (!directory) co_return directory.error();
  const auto executor = co_await asio::this_coro::executor;
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<void>)>(
      [&](auto handler) {
        // std::function wants to be copied, which a handler cannot be.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        services_.committer.commit(std::move(file_), std::move(*directory),
                                   [shared, executor](Result<void> done) {
                                     asio::post(executor, [shared, result = std::move(done)]() mutable {
                                       std::move (*shared)(std::move(result));
                                     });
                                   });
      },
      asio::use_awaitable);
}

}  // namespace mta
