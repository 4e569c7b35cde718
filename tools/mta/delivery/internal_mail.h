/// Mail that the system itself sends: notices to senders and to the postmaster (bounce(8)), and what local(8)
/// forwards. It goes into the queue the way that all mail goes, but that addresses are mapped and nobody gets
/// a BCC of it, and that nobody looks at it unless internal_mail_filter_classes says so.
///
///     auto service = InternalMailService::create(settings, runtime);
///     auto mail = (*service)->open({.sender = "", .recipients = {{.address = "ann@example.org"}}});
///     (*mail)->line("Subject: Undelivered Mail Returned to Sender", false);
///     const IntakeResult result = co_await (*mail)->finish();   // kQueued: (*mail)->id() is in the queue
///
/// A forward is forward_envelope() with recipients, headers of its own by line(), then copy_content().
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/host.h"
#include "libconf/settings.h"
#include "tools/mta/address/address_rewriting.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/queue/group_commit.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/queue/queue_file_reader.h"
#include "tools/mta/smtp/address_services.h"
#include "tools/mta/smtp/message_intake.h"
#include "tools/mta/smtp/milter_macros.h"
#include "tools/mta/smtp/non_smtp_milters.h"

namespace mta {

/// What main.cf may want to have looked at (internal_mail_filter_classes).
enum class InternalMailClass : std::uint8_t {
  kBounce,       ///< "bounce": notices to senders, and what the postmaster gets of them.
  kNotify,       ///< "notify": transcripts of sessions, to the postmaster.
  kUninspected,  ///< None of these: what is forwarded.
};

/// Addresses are in internal form.
struct InternalEnvelope {
  InternalMailClass mail_class = InternalMailClass::kUninspected;
  std::string sender = {};  ///< Empty: the null sender.
  /// At least one. `original` and `dsn_original` are what the address is where they are empty.
  std::vector<QueueRecipient> recipients = {};
  std::string envelope_id = {};
  int return_flags = 0;  ///< A ReturnFlag.
  bool is_utf8 = false;  ///< SMTPUTF8 is needed.
  RewriteContext context = RewriteContext::kLocal;
  bool is_forwarded = false;  ///< The system did not write it, it passes it on.
  /// Of a forwarded message; what has no value is left out.
  std::vector<std::pair<std::string_view, std::string>> attributes = {};
};

/// The envelope of what is forwarded, but for its recipients: as local(8) has it, with what is known of where
/// the message came from. Pure; thread-safe.
InternalEnvelope forward_envelope(const DeliveryRequest& request);

/// What a recipient of a forward gets of the NOTIFY of the one that it is forwarded for, who has been told of
/// success (RFC 3461, section 5.2.7.2). Pure; thread-safe.
int forward_notify(int notify);

/// What the mail of a process has in common. All must outlive the service.
struct InternalMailRuntime {
  asio::any_io_executor executor;
  MailLog& log;
  const libconf::Host& host;
  const QueueDirectory& queue;
  GroupCommitter& committer;
  QueueTrigger* trigger = nullptr;  ///< As IntakeServices has it.
};

class InternalMailService;

/// One message. Not thread-safe; the service must outlive it. Destroyed before finish() is done, nothing is
/// left of it.
class InternalMail final : public ContentSink {
 public:
  const std::string& id() const { return id_; }

  /// ContentSink. A line of the message, headers first; the Received: header of this host is there already.
  void line(std::string_view text, bool is_continued) override { intake_->line(text, is_continued); }

  /// The content is complete: puts the message into the queue, and waits until it is on the disk.
  asio::awaitable<IntakeResult> finish();

 private:
  friend class InternalMailService;
  explicit InternalMail(std::unique_ptr<MessageIntake> intake)
      : intake_(std::move(intake)), id_(intake_->id()) {}

  std::unique_ptr<MessageIntake> intake_;
  std::string id_;                         ///< Also when the message is in the queue.
  std::optional<NonSmtpMilters> milters_;  ///< When there are filters that are to see it.
  std::string sender_;                     ///< As filters are told.
  std::vector<std::string> recipients_;    ///< Likewise.
};

/// The content of a queue file, headers and all, goes to `sink`. `content_offset` as
/// QueueMessage::content_offset has it. Errors: as QueueFileReader::next().
libconf::Result<void> copy_content(QueueFileReader& reader, std::uint64_t content_offset, ContentSink& sink);

/// Not thread-safe.
class InternalMailService {
 public:
  /// Errors: those of the settings, and of opening tables.
  static libconf::Result<std::unique_ptr<InternalMailService>> create(libconf::Settings settings,
                                                                      const InternalMailRuntime& runtime);
  InternalMailService(const InternalMailService&) = delete;
  InternalMailService& operator=(const InternalMailService&) = delete;

  /// A new message. Errors: as MessageIntake::open(); of tables.
  libconf::Result<std::unique_ptr<InternalMail>> open(InternalEnvelope envelope);

 private:
  InternalMailService(const libconf::Settings& settings, const InternalMailRuntime& runtime)
      : settings_(settings.of_peer("cleanup_service_name")), runtime_(runtime) {}
  libconf::Result<void> read_settings();
  libconf::Result<void> open_tables();
  bool is_inspected(InternalMailClass mail_class) const;
  IntakeServices intake(InternalMailClass mail_class);
  libconf::Result<std::vector<EnvelopeRecipient>> to_envelope(RewriteContext context,
                                                              std::vector<QueueRecipient> recipients);
  libconf::Result<void> tell_milters(const InternalEnvelope& envelope,
                                     const std::vector<EnvelopeRecipient>& recipients, InternalMail& mail);

  libconf::Settings settings_;
  InternalMailRuntime runtime_;
  std::string myhostname_;
  std::string mail_name_;
  std::optional<LogSink> warnings_;  ///< From read_settings() on, which knows the name in the log.
  std::bitset<2> inspected_;         ///< internal_mail_filter_classes; by InternalMailClass.
  MilterSettings milters_;           ///< non_smtpd_milters
  IntakeOptions options_;
  ContentChecks checks_;
  std::string content_filter_;  ///< There is none for this mail.
  std::unique_ptr<AddressServices> addresses_;
};

}  // namespace mta
