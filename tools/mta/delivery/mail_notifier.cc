#include "tools/mta/delivery/mail_notifier.h"

#include <algorithm>
#include <ctime>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/address/verp.h"
#include "tools/mta/daemon/settings_reader.h"
#include "tools/mta/queue/queue_file_reader.h"

namespace mta {
namespace {

using libconf::BounceTemplate;
using libconf::BounceTemplates;
using libconf::concat;
using libconf::Result;
using libconf::Severity;

constexpr std::string_view kProgram = "bounce";

/// What there is of each kind.
struct KindFacts {
  std::string_view sender_notice;
  std::string_view postmaster_notice;
  int notify;       ///< The NotifyFlag that asks for it.
  bool is_default;  ///< Senders get it who did not ask.
};

const KindFacts& facts_of(NoticeKind kind) {
  static constexpr KindFacts kFailure = {"sender non-delivery notification",
                                         "postmaster non-delivery notification", kNotifyFailure, true};
  static constexpr KindFacts kDelay = {"sender delay notification", "postmaster delay notification",
                                       kNotifyDelay, true};
  static constexpr KindFacts kTrace = {"sender delivery status notification", "", 0, true};
  switch (kind) {
    case NoticeKind::kFailure:
      return kFailure;
    case NoticeKind::kDelay:
      return kDelay;
    case NoticeKind::kTrace:
    case NoticeKind::kProbe:
      break;
  }
  return kTrace;
}

/// In the order of BounceTemplates.
std::size_t template_number(NoticeKind kind, const NoticeSubject& subject) {
  switch (kind) {
    case NoticeKind::kFailure:
      return 0;
    case NoticeKind::kDelay:
      return 1;
    case NoticeKind::kTrace:
      return subject.trace_flags == 0 ? 2 : 3;
    case NoticeKind::kProbe:
      break;
  }
  return 3;
}

bool wants(const NoticeEntry& entry, const KindFacts& facts) {
  if (facts.notify == 0) return true;
  return entry.notify == 0 ? facts.is_default : (entry.notify & facts.notify) != 0;
}

}  // namespace

void MailNotifier::say(Severity severity, std::string_view text) {
  log_.write({.syslog_name = syslog_name_, .program = kProgram}, severity, text);
}

Result<void> MailNotifier::read_settings() {
  std::string double_bounce;
  SettingsReader reader(settings_);
  reader.text("syslog_name", syslog_name_);
  reader.text("myhostname", format_.myhostname);
  reader.text("mail_name", format_.mail_name);
  reader.text("double_bounce_sender", double_bounce);
  reader.text("bounce_notice_recipient", bounce_recipient_);
  reader.text("2bounce_notice_recipient", double_bounce_recipient_);
  reader.text("delay_notice_recipient", delay_recipient_);
  reader.text("bounce_template_file", template_file_);
  reader.flag("smtputf8_enable", format_.is_utf8_enabled);
  reader.flag("enable_threaded_bounces", is_threaded_);
  reader.flag("disable_verp_bounces", is_verp_disabled_);
  reader.duration("maximal_queue_lifetime", format_.maximal_queue_lifetime);
  reader.count("bounce_size_limit", bounce_size_limit_);
  if (reader.error()) return *reader.error();
  double_bounce_sender_ = concat(double_bounce, "@", format_.myhostname);
  const Result<libconf::FromFormat> from = libconf::read_from_format(settings_);
  if (!from) return from.error();
  from_format_ = *from;

  const Result<ErrorClasses> classes = read_notify_classes(settings_);
  if (!classes) return classes.error();
  classes_ = *classes;
  return {};
}

Result<void> MailNotifier::read_templates() {
  if (templates_) return {};
  if (template_file_.empty()) {
    templates_ = libconf::builtin_bounce_templates(from_format_);
    return {};
  }
  LogSink warnings(log_, {.syslog_name = syslog_name_, .program = kProgram});
  Result<BounceTemplates> templates = libconf::load_bounce_templates(template_file_, warnings, from_format_);
  if (!templates) return templates.error();
  templates_ = std::move(*templates);
  return {};
}

Result<std::unique_ptr<MailNotifier>> MailNotifier::create(const libconf::Settings& settings,
                                                           InternalMailService& mail,
                                                           const QueueDirectory& queue, MailLog& log) {
  const Result<NoticeLogs> logs = NoticeLogs::open(queue, settings);
  if (!logs) return logs.error();
  std::unique_ptr<MailNotifier> notifier(new MailNotifier(settings, mail, *logs, log));
  if (Result<void> read = notifier->read_settings(); !read) return read.error();
  return notifier;
}

Result<void> MailNotifier::record(NoticeKind kind, std::string_view queue_id, const QueueRecipient& recipient,
                                  const RecipientReport& report) {
  return logs_.append(kind, queue_id, notice_entry(kind, recipient, report));
}

Result<void> MailNotifier::forget(NoticeKind kind, std::string_view queue_id) {
  return logs_.remove(kind, queue_id);
}

bool MailNotifier::returns_message(const NoticeSubject& subject) const {
  return (subject.return_flags & kReturnHeaders) == 0 && subject.content_size <= bounce_size_limit_;
}

/// With VERP, the sender wants to know by the address which recipient a notice is about.
void MailNotifier::add_sender_orders(NoticeKind kind, const NoticeSubject& subject,
                                     const std::vector<NoticeEntry>& entries,
                                     std::vector<Order>& orders) const {
  const KindFacts& facts = facts_of(kind);
  Order order{.kind = kind,
              .to = subject.sender,
              .has_message = kind == NoticeKind::kFailure && returns_message(subject),
              .name = facts.sender_notice};
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(order.entries),
               [&facts](const NoticeEntry& entry) { return wants(entry, facts); });
  if (!order.entries.empty()) orders.push_back(std::move(order));
}

std::vector<MailNotifier::Order> MailNotifier::orders(NoticeKind kind, const NoticeSubject& subject,
                                                      std::vector<NoticeEntry> entries) const {
  std::vector<Order> orders;
  const bool has_sender = !subject.sender.empty();
  const auto for_postmaster = [&](const std::string& to, std::vector<NoticeEntry> told, bool has_message) {
    orders.push_back({.kind = kind,
                      .reader = NoticeReader::kPostmaster,
                      .to = to,
                      .entries = std::move(told),
                      .has_message = has_message,
                      .name = facts_of(kind).postmaster_notice});
  };
  if (kind == NoticeKind::kFailure && !has_sender) {
    if (classes_.has(ErrorClass::kDoubleBounce))
      for_postmaster(double_bounce_recipient_, std::move(entries), returns_message(subject));
    return orders;
  }
  if (kind == NoticeKind::kFailure && !is_verp_disabled_ && subject.verp_delimiters.size() == 2) {
    for (const NoticeEntry& entry : entries) {
      NoticeSubject one = subject;
      const std::string& recipient = entry.original.empty() ? entry.address : entry.original;
      one.sender = verp_sender(subject.sender, subject.verp_delimiters, unquote_address(recipient));
      add_sender_orders(kind, one, {entry}, orders);
      if (classes_.has(ErrorClass::kBounce)) for_postmaster(bounce_recipient_, {entry}, false);
    }
    return orders;
  }
  if (has_sender) add_sender_orders(kind, subject, entries, orders);
  if (kind == NoticeKind::kFailure && classes_.has(ErrorClass::kBounce))
    for_postmaster(bounce_recipient_, std::move(entries), false);
  if (kind == NoticeKind::kDelay && classes_.has(ErrorClass::kDelay))
    for_postmaster(delay_recipient_, std::move(entries), false);
  return orders;
}

Result<NoticePage> MailNotifier::make_page(const Order& order, const NoticeSubject& subject) {
  if (Result<void> read = read_templates(); !read) return read.error();
  const BounceTemplate& design = (*templates_)[template_number(order.kind, subject)];
  NoticePage page{.kind = order.kind,
                  .reader = order.reader,
                  .to = order.to,
                  .design = &design,
                  .entries = order.entries,
                  .has_message = order.has_message,
                  .now = std::time(nullptr)};
  if (order.reader == NoticeReader::kPostmaster) return page;
  LogSink warnings(log_, {.syslog_name = syslog_name_, .program = kProgram});
  Result<std::string> text = libconf::expand_bounce_text(design, settings_, warnings);
  if (!text) return text.error();
  page.text = std::move(*text);
  return page;
}

/// A message that cannot be read any more is no reason not to tell that it was not delivered.
MailNotifier::Original MailNotifier::read_original(const NoticeSubject& subject, int message) {
  Original original;
  Result<QueueFileReader> opened = QueueFileReader::open(message, subject.queue_id);
  if (!opened) {
    say(Severity::kWarning, opened.error().message);
    return original;
  }
  const Result<QueueMessage> read = read_queue_message(*opened);
  if (!read) {
    say(Severity::kWarning, read.error().message);
    return original;
  }
  original.reader.emplace(std::move(*opened));
  original.content_offset = read->content_offset;
  if (!is_threaded_) return original;
  const Result<std::optional<std::string>> id = find_message_id(*original.reader, original.content_offset);
  if (id && *id) original.message_id = **id;
  if (id && !*id) say(Severity::kWarning, concat(subject.queue_id, ": ignoring malformed Message-ID"));
  return original;
}

Result<std::unique_ptr<InternalMail>> MailNotifier::write(const Order& order, const NoticeSubject& subject,
                                                          Original& original) {
  Result<NoticePage> page = make_page(order, subject);
  if (!page) return page.error();
  page->message_id = original.message_id;
  const bool is_for_sender = order.reader == NoticeReader::kSender;
  Result<std::unique_ptr<InternalMail>> mail =
      mail_.open({.mail_class = InternalMailClass::kBounce,
                  .sender = is_for_sender ? "" : double_bounce_sender_,
                  .recipients = {{.address = order.to}},
                  .is_utf8 = (subject.send_options & kUtf8Requested) != 0});
  if (!mail) return mail.error();
  NoticeText text(format_, subject, *page, **mail);
  text.begin();
  if (original.reader) {
    if (const Result<void> copied = text.message(*original.reader, original.content_offset); !copied)
      say(Severity::kWarning, copied.error().message);
  }
  text.end();
  return mail;
}

asio::awaitable<bool> MailNotifier::deliver(const Order& order, const NoticeSubject& subject,
                                            Original& original) {
  const Result<std::unique_ptr<InternalMail>> mail = write(order, subject, original);
  if (!mail) {
    say(Severity::kWarning, concat(subject.queue_id, ": ", mail.error().message));
    co_return false;
  }
  const IntakeResult result = co_await (*mail)->finish();
  if (result.kind == IntakeKind::kRefused) {
    say(Severity::kWarning, concat(subject.queue_id, ": ", order.name, ": ", result.refusal.text));
    co_return false;
  }
  say(Severity::kInfo, concat(subject.queue_id, ": ", order.name, ": ", (*mail)->id()));
  co_return true;
}

asio::awaitable<bool> MailNotifier::send(NoticeKind kind, const NoticeSubject& subject, int message) {
  Result<std::vector<NoticeEntry>> entries = logs_.read(kind, subject.queue_id);
  if (!entries) {
    say(Severity::kWarning, concat(subject.queue_id, ": ", entries.error().message));
    co_return false;
  }
  if (entries->empty()) co_return true;
  const bool is_trace = kind == NoticeKind::kTrace || kind == NoticeKind::kProbe;
  if (libconf::equals_ignoring_case(subject.sender, double_bounce_sender_)) {
    if (kind == NoticeKind::kFailure)
      say(Severity::kWarning, concat(subject.queue_id, ": undeliverable postmaster notification discarded"));
  } else if (is_trace && subject.sender.empty()) {
    say(Severity::kInfo,
        concat(subject.queue_id, ": not sending trace/success notification for single-bounce message"));
  } else {
    const std::vector<Order> orders = this->orders(kind, subject, std::move(*entries));
    Original original = orders.empty() ? Original() : read_original(subject, message);
    for (const Order& order : orders) {
      const bool is_sent = co_await deliver(order, subject, original);
      if (!is_sent) co_return false;
    }
  }
  if (kind == NoticeKind::kDelay) co_return true;
  if (const Result<void> removed = logs_.remove(kind, subject.queue_id); !removed) {
    say(Severity::kWarning, concat(subject.queue_id, ": ", removed.error().message));
  }
  co_return true;
}

}  // namespace mta
