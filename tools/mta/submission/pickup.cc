#include "tools/mta/submission/pickup.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/content/mail_date.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/delivery/delivery_log.h"
#include "tools/mta/smtp/non_smtp_milters.h"
#include "tools/mta/smtp/receive_overrides.h"
#include "tools/mta/submission/submission_reader.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;
using libconf::Severity;

/// How many messages are on their way at a time; they share the syncs of the disk.
constexpr int kWorkers = 16;

constexpr std::size_t kPortion = std::size_t{64} << 10;

std::string place(std::string_view name) { return concat(queue_name(Queue::kMaildrop), "/", name); }

}  // namespace

Result<PickupOptions> PickupOptions::read(const libconf::Settings& settings) {
  PickupOptions options;
  const struct {
    const char* parameter;
    std::string& value;
  } texts[] = {{"myhostname", options.myhostname},
               {"mail_name", options.mail_name},
               {"empty_address_recipient", options.empty_address_recipient},
               {"syslog_name", options.syslog_name}};
  for (const auto& [parameter, value] : texts) {
    Result<std::string> text = settings.get(parameter);
    if (!text) return text.error();
    value = std::move(*text);
  }
  const Result<ReceiveOverrides> overrides = ReceiveOverrides::read(settings);
  if (!overrides) return overrides.error();
  // It is cleanup(8) that has filters of such mail.
  Result<MilterSettings> milters =
      MilterSettings::read(settings.of_peer("cleanup_service_name"), "non_smtpd_milters");
  if (!milters) return milters.error();
  options.milters = std::move(*milters);
  if (overrides->no_milters) options.milters.filters.clear();
  return options;
}

/// Makes one message of what a file says.
class Pickup::Intake final : public SubmissionSink {
 public:
  Intake(Pickup& pickup, uid_t owner);

  Result<void> envelope(SubmissionEnvelope envelope) override;
  Result<void> line(std::string_view text, bool is_continued) override;
  Result<void> recipient(QueueRecipient recipient) override;

  /// Empty before the envelope has come.
  const std::string& id() const { return subject_.queue_id; }
  bool has_recipients() const { return !recipients_.empty(); }

  /// What a notice about the message says.
  const NoticeSubject& subject() const { return subject_; }
  const std::vector<QueueRecipient>& recipients() const { return recipients_; }

  /// Lets filters see the envelope, and then the content. REQUIRES: all has come, and there are recipients.
  asio::awaitable<IntakeResult> finish();

 private:
  Result<EnvelopeRecipient> to_envelope(QueueRecipient recipient);
  std::string received_header() const;

  Pickup& pickup_;
  uid_t owner_;
  std::unique_ptr<MessageIntake> message_;
  RewriteContext context_ = RewriteContext::kLocal;
  NoticeSubject subject_;
  std::vector<QueueRecipient> recipients_;  ///< Rewritten, but for aliases.
  std::string edited_;
  std::optional<NonSmtpMilters> milters_;  ///< When there are filters.
  std::string sender_for_milters_;
  std::vector<std::string> recipients_for_milters_;
};

Pickup::Intake::Intake(Pickup& pickup, uid_t owner) : pickup_(pickup), owner_(owner) {
  if (pickup.options_.milters.filters.empty()) return;
  milters_.emplace(pickup.io_.get_executor(), pickup.options_.milters,
                   [&services = pickup.services_](Severity severity, std::string_view text) {
                     services.log.write({.syslog_name = services.options.syslog_name, .program = "cleanup"},
                                        severity, text);
                   });
}

asio::awaitable<IntakeResult> Pickup::Intake::finish() {
  if (milters_) {
    const EnvelopeVerdict verdict =
        co_await milters_->tell_envelope(id(), sender_for_milters_, recipients_for_milters_);
    if (verdict.refusal) co_return IntakeResult{.kind = IntakeKind::kRefused, .refusal = *verdict.refusal};
    if (verdict.discard) co_return IntakeResult{.kind = IntakeKind::kDiscarded};
    if (verdict.hold) message_->hold();
    message_->name_for_filters(NonSmtpMilters::client(), recipients_for_milters_.back());
  }
  co_return co_await message_->finish();
}

Result<EnvelopeRecipient> Pickup::Intake::to_envelope(QueueRecipient recipient) {
  const std::string& internal =
      recipient.address.empty() ? pickup_.options_.empty_address_recipient : recipient.address;
  EnvelopeRecipient result{.address = quote_address(internal),
                           .original = recipient.address,
                           .dsn_original = std::move(recipient.dsn_original),
                           .dsn_notify = recipient.notify};
  const Result<std::string> told = pickup_.services_.addresses.rewrite_recipient(context_, result.address);
  if (!told) return told.error();
  if (milters_) recipients_for_milters_.push_back(*told);
  if (result.dsn_original.empty()) {
    Result<std::string> original = pickup_.services_.addresses.original_recipient(context_, result.address);
    if (!original) return original.error();
    result.dsn_original = std::move(*original);
  }
  recipients_.push_back({.address = unquote_address(*told),
                         .original = result.original,
                         .dsn_original = result.dsn_original,
                         .notify = result.dsn_notify});
  return result;
}

std::string Pickup::Intake::received_header() const {
  return concat("Received: by ", pickup_.options_.myhostname, " (", pickup_.options_.mail_name,
                ", from userid ", std::to_string(owner_), ")\n\tid ", message_->id(), "; ",
                mail_date(std::time(nullptr)));
}

Result<void> Pickup::Intake::envelope(SubmissionEnvelope envelope) {
  Result<std::unique_ptr<MessageIntake>> message = MessageIntake::open(pickup_.services_);
  if (!message) return message.error();
  message_ = std::move(*message);
  subject_ = {.queue_id = message_->id(),
              .sender = {},
              .encoding = envelope.encoding,
              .envelope_id = envelope.envelope_id,
              .return_flags = envelope.return_flags,
              .verp_delimiters = envelope.verp_delimiters,
              .arrival = envelope.arrival.value_or(queue_time_now())};
  pickup_.services_.log.write({.syslog_name = pickup_.options_.syslog_name, .program = "pickup"},
                              Severity::kInfo,
                              concat(message_->id(), ": uid=", std::to_string(owner_), " from=<",
                                     quote_address(*envelope.sender), ">"));
  if (envelope.rewrite_context == "remote") context_ = RewriteContext::kRemote;
  std::vector<EnvelopeRecipient> recipients;
  for (QueueRecipient& each : envelope.recipients) {
    Result<EnvelopeRecipient> recipient = to_envelope(std::move(each));
    if (!recipient) return recipient.error();
    recipients.push_back(std::move(*recipient));
  }
  Result<std::string> told = pickup_.services_.addresses.rewrite_sender(context_, *envelope.sender);
  if (!told) return told.error();
  sender_for_milters_ = quote_address(*told);
  subject_.sender = std::move(*told);
  message_->begin({.sender = std::move(*envelope.sender),
                   .recipients = std::move(recipients),
                   .envelope_id = std::move(envelope.envelope_id),
                   .return_flags = envelope.return_flags,
                   .verp_delimiters = std::move(envelope.verp_delimiters),
                   .encoding = std::move(envelope.encoding),
                   .context = context_,
                   .attributes = {},
                   .client = "local",
                   .protocol = {},
                   .helo = {},
                   .received = received_header(),
                   .actions = {},
                   .full_name = std::move(envelope.full_name),
                   .filters = milters_ ? &milters_->chain() : nullptr,
                   .submission = SubmissionFacts{.arrival = envelope.arrival,
                                                 .has_context = envelope.rewrite_context.has_value(),
                                                 .trace_flags = envelope.trace_flags}});
  return {};
}

Result<void> Pickup::Intake::line(std::string_view text, bool is_continued) {
  // A record is a line, whatever is in it.
  if (text.find('\n') != std::string_view::npos) {
    edited_ = text;
    std::replace(edited_.begin(), edited_.end(), '\n', ' ');
    text = edited_;
  }
  message_->line(text, is_continued);
  return {};
}

Result<void> Pickup::Intake::recipient(QueueRecipient recipient) {
  Result<EnvelopeRecipient> added = to_envelope(std::move(recipient));
  if (!added) return added.error();
  message_->add_recipient(std::move(*added));
  return {};
}

void Pickup::warn(std::string_view text) {
  services_.log.write({.syslog_name = options_.syslog_name, .program = "pickup"}, Severity::kWarning, text);
}

void Pickup::scan() {
  const std::string directory = services_.queue.top_of(Queue::kMaildrop);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
  if (!entries) return warn(queue_error("open directory ", directory, errno).message);
  while (const dirent* const entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    struct stat status {};
    if (!is_queue_id(name) ||
        ::fstatat(::dirfd(entries.get()), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (!S_ISREG(status.st_mode)) {
      warn(concat(place(name), ": uid ", std::to_string(status.st_uid), ": not a regular file"));
    } else if ((status.st_mode & S_IXUSR) != 0 && known_.insert(name).second) {
      waiting_.push_back(name);
    }
  }
  for (int more = std::min(kWorkers - working_, static_cast<int>(waiting_.size())); more > 0; --more) {
    ++working_;
    asio::co_spawn(io_, take_some(), asio::detached);
  }
}

void Pickup::stop() {
  for (const std::string& name : std::exchange(waiting_, {})) known_.erase(name);
}

asio::awaitable<void> Pickup::take_some() {
  const EventLoop::Hold hold;
  while (!waiting_.empty()) {
    const std::string name = std::move(waiting_.front());
    waiting_.pop_front();
    co_await take(name);
    known_.erase(name);
    // What sessions have to do comes in between.
    co_await asio::post(io_, asio::use_awaitable);
  }
  --working_;
}

std::optional<Pickup::OpenFile> Pickup::open(const std::string& name) {
  const std::string path = services_.queue.path_of(Queue::kMaildrop, name);
  OpenFile file{.fd = FileDescriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC))};
  struct stat status {};
  if (!file.fd) {
    if (errno != ENOENT) warn(queue_error("open input file ", place(name), errno).message);
    return std::nullopt;
  }
  // At a reload the old process may still be at it.
  if (::flock(file.fd.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(file.fd.get(), &status) != 0)
    return std::nullopt;
  if (status.st_nlink == 0) return std::nullopt;
  if (!S_ISREG(status.st_mode) || status.st_nlink > 1) {
    warn(concat("open input file ", place(name), ": file has ", std::to_string(status.st_nlink),
                " hard links"));
    remove(name);
    return std::nullopt;
  }
  file.owner = status.st_uid;
  return file;
}

void Pickup::remove(const std::string& name) {
  if (const Result<void> removed = services_.queue.remove(Queue::kMaildrop, name); !removed)
    warn(removed.error().message);
}

void Pickup::set_aside(const std::string& name) {
  const Result<void> moved = services_.queue.move(name, Queue::kMaildrop, Queue::kCorrupt);
  warn(moved ? concat(place(name), ": moved to ", queue_name(Queue::kCorrupt)) : moved.error().message);
}

asio::awaitable<void> Pickup::take(std::string name) {
  const std::optional<OpenFile> file = open(name);
  if (!file) co_return;
  Intake intake(*this, file->owner);
  SubmissionReader reader(services_.options.content.mime.line_length_limit, intake);
  std::array<char, kPortion> buffer{};
  Result<void> read;
  for (ssize_t size = 1; read && size != 0;) {
    size = ::read(file->fd.get(), buffer.data(), buffer.size());
    if (size < 0) {
      read = queue_error("read ", place(name), errno);
    } else {
      read = size > 0 ? reader.feed({buffer.data(), static_cast<std::size_t>(size)}) : reader.finish();
    }
  }
  if (read && !intake.has_recipients())
    read = Error{.kind = ErrorKind::kDataCorrupt,
                 .message = concat("error writing ", intake.id(), ": no recipients specified")};
  if (!read) {
    warn(concat(place(name), ": uid=", std::to_string(file->owner), ": ", read.error().message));
    if (read.error().kind == ErrorKind::kDataCorrupt) set_aside(name);
    co_return;
  }
  const IntakeResult result = co_await intake.finish();
  constexpr int kPermanent = 500;
  bool is_done = result.kind != IntakeKind::kRefused;
  if (!is_done && result.refusal.code >= kPermanent) {
    is_done = co_await give_back(intake, result.refusal, file->fd.get());
  } else if (!is_done) {
    warn(concat(place(name), ": error writing ", intake.id(), ": ", result.refusal.text));
  }
  if (is_done) remove(name);
}

/// False: not now.
asio::awaitable<bool> Pickup::give_back(const Intake& intake, const Rejection& reason, int file) {
  NoticeSubject subject = intake.subject();
  // Who wrote what is not wanted knows it; that a rule did not like it is no reason to send it around.
  constexpr std::string_view kUnwanted = "5.7.1";
  if (reason.status == kUnwanted) subject.return_flags = kReturnHeaders;
  DeliveryRequest request{.queue_id = subject.queue_id,
                          .transport = {},
                          .nexthop = {},
                          .sender = subject.sender,
                          .encoding = {},
                          .arrival = subject.arrival,
                          .activated = queue_time_now(),
                          .recipients = intake.recipients()};
  bool is_recorded = true;
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    const RecipientReport report{.recipient = i,
                                 .outcome = DeliveryOutcome::kBounced,
                                 .status = {.code = reason.status, .text = reason.text}};
    services_.log.write({.syslog_name = options_.syslog_name, .program = "cleanup"}, Severity::kInfo,
                        delivery_log_line(request, report));
    const Result<void> recorded =
        notifier_.record(NoticeKind::kFailure, subject.queue_id, request.recipients[i], report);
    if (recorded) continue;
    warn(concat(subject.queue_id, ": ", recorded.error().message));
    is_recorded = false;
    break;
  }
  bool is_sent = false;
  if (is_recorded) is_sent = co_await notifier_.send(NoticeKind::kFailure, subject, file);
  // The next time, the message has another ID.
  if (!is_sent) {
    if (const Result<void> forgotten = notifier_.forget(NoticeKind::kFailure, subject.queue_id); !forgotten)
      warn(concat(subject.queue_id, ": ", forgotten.error().message));
  }
  co_return is_sent;
}

}  // namespace mta
