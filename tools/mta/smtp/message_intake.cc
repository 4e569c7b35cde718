#include "tools/mta/smtp/message_intake.h"

#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/queue/queue_record.h"
#include "tools/mta/smtp/milter_inspection.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

std::time_t to_time(QueueTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<std::unique_ptr<MessageIntake>> MessageIntake::open(const IntakeServices& services) {
  const QueueTime arrival = queue_time_now();
  Result<QueueFile> file = services.queue.create(Queue::kIncoming, arrival);
  if (!file) return file.error();
  return std::unique_ptr<MessageIntake>(new MessageIntake(services, std::move(*file), arrival));
}

MessageIntake::MessageIntake(const IntakeServices& services, QueueFile file, QueueTime arrival)
    : services_(services),
      file_(std::move(file)),
      arrival_(arrival),
      writer_(file_, {.form = QueueFileForm::kQueue,
                      .line_length_limit = services.options.content.mime.line_length_limit}) {}

void MessageIntake::begin(Envelope envelope) {
  envelope_ = std::move(envelope);
  Result<std::string> sender = services_.addresses.rewrite_sender(envelope_.context, envelope_.sender);
  if (!sender) return refuse(sender.error());
  sender_ = std::move(*sender);
  external_sender_ = quote_address(sender_);
  if (envelope_.is_utf8) send_options_ |= kUtf8Requested;
  if (services_.options.is_utf8_enabled && !libconf::is_ascii(sender_)) send_options_ |= kUtf8InSender;
  if (envelope_.actions.filter) filter_ = *envelope_.actions.filter;
  if (envelope_.actions.redirect) redirect_ = *envelope_.actions.redirect;
  is_held_ = envelope_.actions.hold;
  is_discarded_ = envelope_.actions.discard;
  for (const std::string& address : envelope_.actions.bcc)
    added_.emplace_back(address, RecipientSource::kBcc);
  if (const Result<void> taken = take_recipients(); !taken) return refuse(taken.error());
  const bool has_filters = envelope_.filters != nullptr && !envelope_.filters->clients().empty();
  if (has_filters && !is_discarded_) {
    staged_.emplace(services_.queue);
  } else {
    write_envelope();
  }
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
      .rewrites_headers =
          envelope_.context == RewriteContext::kLocal || services_.options.rewrites_remote_headers,
      .checks_content = services_.checks_content};
  header_addresses_ = services_.addresses.for_headers(envelope_.context);
  CleanupSink& sink = *this;
  cleanup_.emplace(services_.options.content, services_.checks, context_, header_addresses_.get(), sink);
  for (const std::string& header : envelope_.actions.prepend) head_ += concat(header, "\n");
  head_ += concat(envelope_.received, "\n");
}

/// In the order of Postfix, which is that of whoever sends the records: smtpd(8), sendmail(1), or bounce(8).
void MessageIntake::write_start() {
  const bool is_submitted = envelope_.submission.has_value();
  writer_.arrival_time(is_submitted ? envelope_.submission->arrival.value_or(arrival_) : arrival_);
  writer_.attribute("create_time", std::to_string(to_time(arrival_)));
  if (envelope_.own) {
    for (const auto& [name, value] : envelope_.own->before_sender) writer_.attribute(name, value);
    return;
  }
  if (!services_.content_filter.empty()) writer_.put(RecordType::kFilter, services_.content_filter);
  const std::string_view context = envelope_.context == RewriteContext::kLocal ? "local" : "remote";
  if (!is_submitted) {
    writer_.attribute("log_ident", envelope_.log_ident.empty() ? id() : envelope_.log_ident);
    writer_.attribute("rewrite_context", context);
  }
  write_envelope_id();
  write_return_flags();
  for (const auto& [name, value] : envelope_.login) writer_.attribute(name, value);
  if (is_submitted && envelope_.submission->has_context) writer_.attribute("rewrite_context", context);
  if (!envelope_.full_name.empty()) writer_.put(RecordType::kFullName, envelope_.full_name);
}

void MessageIntake::write_envelope_id() {
  if (!envelope_.envelope_id.empty()) writer_.attribute("envelope_id", envelope_.envelope_id);
}

void MessageIntake::write_return_flags() {
  if (envelope_.return_flags != 0) writer_.attribute("ret_flags", std::to_string(envelope_.return_flags));
}

/// When the sender is to be told that the mail is late; the null sender never is.
void MessageIntake::write_warning_time() {
  if (services_.options.delay_warning_time.count() == 0 || sender_.empty()) return;
  writer_.put(RecordType::kWarning,
              fixed_width_number(to_time(arrival_) + services_.options.delay_warning_time.count()));
}

Result<void> MessageIntake::take_recipients() {
  recipients_.emplace(services_.addresses, services_.options.recipients, envelope_.context);
  if (services_.options.recipients.adds_bcc) {
    const Result<std::optional<std::string>> bcc =
        services_.addresses.automatic_bcc(AddressServices::Bcc::kSender, external_sender_);
    if (!bcc) return bcc.error();
    if (*bcc) {
      if (Result<void> added = recipients_->add_automatic(**bcc, RecipientPlace::kSender); !added)
        return added;
    }
  }
  for (EnvelopeRecipient& recipient : envelope_.recipients) {
    last_recipient_ = recipient.address;
    if (Result<void> added = recipients_->add(std::move(recipient)); !added) return added;
  }
  return {};
}

void MessageIntake::write_envelope() {
  const bool is_submitted = envelope_.submission.has_value();
  write_start();
  writer_.put(RecordType::kSender, sender_);
  recipients_->write(writer_, RecipientPlace::kSender);
  if (envelope_.own) {
    write_return_flags();
    write_envelope_id();
  }
  if (!is_submitted && !envelope_.encoding.empty()) writer_.attribute("encoding", envelope_.encoding);
  for (const auto& [name, value] : envelope_.attributes)
    if (!value.empty()) writer_.attribute(name, value);
  if (is_submitted && !envelope_.encoding.empty()) writer_.attribute("encoding", envelope_.encoding);
  if (is_submitted && envelope_.submission->trace_flags)
    writer_.attribute("trace_flags", std::to_string(*envelope_.submission->trace_flags));
  if (!envelope_.verp_delimiters.empty()) writer_.put(RecordType::kVerp, envelope_.verp_delimiters);
  write_warning_time();
  recipients_->write(writer_, RecipientPlace::kEnvelope);
  writer_.begin_content();
}

void MessageIntake::line(std::string_view text, bool is_continued) {
  feed_head();
  if (!takes_content()) return;
  if (is_continued) {
    cleanup_->feed(text);
  } else {
    cleanup_->feed_line(text);
  }
}

void MessageIntake::name_for_filters(std::string client, std::string recipient) {
  filtered_client_ = std::move(client);
  filtered_recipient_ = std::move(recipient);
}

bool MessageIntake::takes_content() const {
  return cleanup_ && !refusal_ && !is_discarded_ && !cleanup_->is_decided();
}

void MessageIntake::feed_head() {
  if (head_.empty()) return;
  if (takes_content()) cleanup_->feed(head_);
  head_.clear();
}

void MessageIntake::header(std::string_view text) {
  if (services_.options.is_utf8_enabled && !libconf::is_ascii(text)) send_options_ |= kUtf8InHeaders;
  if (staged_ && !staged_->has_body()) {
    staged_->header(text);
  } else if (staged_) {
    staged_->body(text);
    staged_->body("\n");
  } else {
    writer_.header(text);
  }
}

void MessageIntake::content(std::string_view text, bool ends_line) {
  if (staged_) {
    staged_->body(text);
    if (ends_line) staged_->body("\n");
    return;
  }
  if (ends_line) {
    writer_.line(text);
  } else {
    writer_.body(text);
  }
}

void MessageIntake::recipient(std::string_view address, RecipientSource source) {
  if (!is_filtering_) {
    added_.emplace_back(address, source);
    return;
  }
  const EnvelopeRecipient recipient{.address = std::string(address), .original = unquote_address(address)};
  if (const Result<void> added = recipients_->add_filtered(recipient); !added) refuse(added.error());
}

void MessageIntake::log(libconf::Severity severity, std::string_view text) {
  services_.log.write({.syslog_name = services_.options.syslog_name, .program = "cleanup"}, severity, text);
}

void MessageIntake::refuse(const libconf::Error& error) {
  log(libconf::Severity::kWarning, concat(id(), ": ", error.message));
  if (refusal_) return;
  // kConfiguration is of aliases without an end; the rest may work later.
  if (error.kind == libconf::ErrorKind::kConfiguration) {
    refusal_ = Rejection{.code = 451, .status = "4.6.0", .text = "Alias expansion error"};
  } else {
    refusal_ = Rejection{.code = 451,
                         .status = "4.3.0",
                         .text = "Error: queue file write error",
                         .error_class = ErrorClass::kResource};
  }
}

Result<void> MessageIntake::take_automatic_recipients() {
  constexpr RecipientPlace kPlace = RecipientPlace::kExtracted;
  for (EnvelopeRecipient& each : late_recipients_)
    if (Result<void> added = recipients_->add(std::move(each), kPlace); !added) return added;
  for (const auto& [address, source] : added_) {
    const bool is_requested = source == RecipientSource::kHeader;
    Result<void> added =
        is_requested ? recipients_->add({.address = address, .original = unquote_address(address)}, kPlace)
                     : recipients_->add_automatic(address, kPlace);
    if (!added) return added;
  }
  if (services_.options.always_bcc.empty() || !services_.addresses.maps_addresses()) return {};
  return recipients_->add_automatic(services_.options.always_bcc, kPlace);
}

void MessageIntake::write_extracted() {
  if (is_8bit_ || !envelope_.encoding.empty())
    writer_.attribute("encoding", is_8bit_ ? "8bit" : envelope_.encoding);
  if (!filter_.empty()) writer_.put(RecordType::kFilter, filter_);
  if (!redirect_.empty()) writer_.put(RecordType::kRedirect, redirect_);
  recipients_->write(writer_, RecipientPlace::kExtracted);
  writer_.count_notify(recipients_->notify());
}

asio::awaitable<void> MessageIntake::filter() {
  is_filtering_ = true;
  if (!filtered_client_.empty()) {
    context_.client = filtered_client_;
    context_.recipient = filtered_recipient_;
  }
  MilterInspection inspection(*staged_,
                              {.sender = sender_,
                               .external_sender = external_sender_,
                               .recipients = *recipients_,
                               .addresses = services_.addresses,
                               .context = envelope_.context,
                               .return_flags = envelope_.return_flags,
                               .envelope_id = envelope_.envelope_id},
                              services_.checks, context_, *this, is_held_);
  const Result<void> done = co_await inspection.run(*envelope_.filters);
  if (!done) refuse(done.error());
}

asio::awaitable<IntakeResult> MessageIntake::finish() {
  feed_head();
  if (cleanup_ && !refusal_ && !is_discarded_) cleanup_->finish();
  if (!refusal_ && !is_discarded_) {
    if (const Result<void> taken = take_automatic_recipients(); !taken) refuse(taken.error());
  }
  if (staged_ && !refusal_ && !is_discarded_ && !is_passed_) co_await filter();
  if (refusal_) co_return IntakeResult{.kind = IntakeKind::kRefused, .refusal = *refusal_};
  if (is_discarded_) co_return IntakeResult{.kind = IntakeKind::kDiscarded};
  if (staged_) {
    write_envelope();
    if (const Result<void> written = staged_->write(writer_); !written) refuse(written.error());
  }
  writer_.send_options(send_options_);
  writer_.end_content();
  write_extracted();
  if (services_.options.message_size_limit > 0 && writer_.size() > services_.options.message_size_limit &&
      !refusal_) {
    log(Severity::kWarning, concat(id(), ": queue file size limit exceeded"));
    refusal_ = Rejection{.code = 552,
                         .status = "5.3.4",
                         .text = "Error: message file too big",
                         .error_class = ErrorClass::kBounce};
  }
  if (const Result<MessageSizes> sizes = writer_.finish(); !sizes) refuse(sizes.error());
  if (!refusal_) {
    if (const Result<void> done = co_await commit(); !done)
      refuse(done.error());
    else if (services_.trigger != nullptr && !is_held_)
      services_.trigger->notify();
  }
  if (refusal_) co_return IntakeResult{.kind = IntakeKind::kRefused, .refusal = *refusal_};
  co_return IntakeResult{.kind = IntakeKind::kQueued};
}

asio::awaitable<Result<void>> MessageIntake::commit() {
  const Queue queue = is_held_ ? Queue::kHold : Queue::kIncoming;
  Result<std::string> directory = services_.queue.directory_of(queue, id());
  if (!directory) co_return directory.error();
  if (services_.committer.is_better_here(!EventLoop::has_one_hold()))
    co_return services_.committer.commit_here(std::move(file_), std::move(*directory));
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
