/// Notices by mail, to senders and to the postmaster (bounce(8)).
///
///     auto notifier = MailNotifier::create(settings, *internal_mail, runtime);
///     (*notifier)->record(NoticeKind::kFailure, id, recipient, report);
///     co_await (*notifier)->send(NoticeKind::kFailure, subject, message);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/bounce_template.h"
#include "libconf/settings.h"
#include "tools/mta/daemon/error_class.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/internal_mail.h"
#include "tools/mta/delivery/notice_logs.h"
#include "tools/mta/delivery/notice_text.h"
#include "tools/mta/delivery/notifier.h"
#include "tools/mta/queue/queue_file_reader.h"

namespace mta {

class MailNotifier final : public Notifier {
 public:
  /// `mail`, `queue` and `log` must outlive the object. Errors: those of the settings. A template file that
  /// is missing or damaged is none: no notice can be sent then, and send() says so in the log.
  static libconf::Result<std::unique_ptr<MailNotifier>> create(const libconf::Settings& settings,
                                                               InternalMailService& mail,
                                                               const QueueDirectory& queue, MailLog& log);

  libconf::Result<void> record(NoticeKind kind, std::string_view queue_id, const QueueRecipient& recipient,
                               const RecipientReport& report) override;
  asio::awaitable<bool> send(NoticeKind kind, const NoticeSubject& subject, int message) override;
  libconf::Result<void> forget(NoticeKind kind, std::string_view queue_id) override;

 private:
  /// A notice that is to be made, and what the log says of it.
  struct Order {
    NoticeKind kind;
    NoticeReader reader = NoticeReader::kSender;
    std::string to = {};
    std::vector<NoticeEntry> entries = {};
    bool has_message = true;
    std::string_view name;  ///< "sender non-delivery notification"
  };

  /// The message, as far as it can be read.
  struct Original {
    std::optional<QueueFileReader> reader = {};
    std::uint64_t content_offset = 0;
    std::string message_id = {};  ///< With enable_threaded_bounces; empty: none.
  };

  MailNotifier(const libconf::Settings& settings, InternalMailService& mail, NoticeLogs logs, MailLog& log)
      : settings_(settings.of_peer("bounce_service_name")), mail_(mail), logs_(std::move(logs)), log_(log) {}
  libconf::Result<void> read_settings();
  libconf::Result<void> read_templates();
  std::vector<Order> orders(NoticeKind kind, const NoticeSubject& subject,
                            std::vector<NoticeEntry> entries) const;
  void add_sender_orders(NoticeKind kind, const NoticeSubject& subject,
                         const std::vector<NoticeEntry>& entries, std::vector<Order>& orders) const;
  Original read_original(const NoticeSubject& subject, int message);
  libconf::Result<NoticePage> make_page(const Order& order, const NoticeSubject& subject);
  libconf::Result<std::unique_ptr<InternalMail>> write(const Order& order, const NoticeSubject& subject,
                                                       Original& original);
  asio::awaitable<bool> deliver(const Order& order, const NoticeSubject& subject, Original& original);
  bool returns_message(const NoticeSubject& subject) const;
  void say(libconf::Severity severity, std::string_view text);

  libconf::Settings settings_;
  InternalMailService& mail_;
  NoticeLogs logs_;
  MailLog& log_;
  std::string syslog_name_;
  NoticeFormat format_;
  std::string double_bounce_sender_;  ///< With its domain.
  ErrorClasses classes_;              ///< notify_classes
  std::string bounce_recipient_;
  std::string double_bounce_recipient_;
  std::string delay_recipient_;
  std::string template_file_;
  libconf::FromFormat from_format_ = libconf::FromFormat::kStandard;
  std::uint64_t bounce_size_limit_ = 0;  ///< In bytes.
  bool is_verp_disabled_ = false;        ///< disable_verp_bounces
  bool is_threaded_ = false;             ///< enable_threaded_bounces
  std::optional<libconf::BounceTemplates> templates_;
};

}  // namespace mta
