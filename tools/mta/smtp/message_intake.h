/// Takes one message into the queue: the envelope and the content go in, a queue file that is safe on the
/// disk comes out, or a reason why not (cleanup(8)).
///
///     auto intake = MessageIntake::open(runtime, service);          // at the first recipient: there is an
///     ID
///     (*intake)->begin(envelope);
///     reader.read(input)                                            // lines go to the intake
///     const IntakeResult result = co_await (*intake)->finish();     // 250 when result.kind is kQueued
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/access/verdict.h"
#include "tools/mta/address/address_rewriting.h"
#include "tools/mta/address/virtual_alias.h"
#include "tools/mta/content/cleanup.h"
#include "tools/mta/content/milter_client.h"
#include "tools/mta/content/staged_message.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/queue_trigger.h"
#include "tools/mta/queue/group_commit.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/queue/queue_file_writer.h"
#include "tools/mta/smtp/address_services.h"
#include "tools/mta/smtp/content_reader.h"
#include "tools/mta/smtp/intake_options.h"
#include "tools/mta/smtp/message_recipients.h"

namespace mta {

/// What a message needs that all messages of a service share. All must outlive the messages.
struct IntakeServices {
  const QueueDirectory& queue;
  GroupCommitter& committer;
  AddressServices& addresses;
  const IntakeOptions& options;
  ContentChecks& checks;
  MailLog& log;
  const std::string& content_filter;  ///< Empty: none.
  bool checks_content;                ///< receive_override_options has no no_header_body_checks.
  QueueTrigger* trigger = nullptr;    ///< Told of each message; null: nobody is.
};

/// What is known of mail that a user of this host submits, beside what others send (pickup(8)).
struct SubmissionFacts {
  std::optional<QueueTime> arrival;  ///< When postdrop(1) took it; nothing: now.
  bool has_context = true;           ///< The file in maildrop/ says which context.
  std::optional<int> trace_flags;
};

/// What mail of the system itself has in the queue file instead of what is known of clients (bounce(8)).
struct OwnMailFacts {
  std::vector<std::pair<std::string_view, std::string>> before_sender = {};  ///< Attributes.
};

/// What is known of a message before its content. Addresses are in internal form.
struct Envelope {
  std::string sender;
  std::vector<EnvelopeRecipient> recipients;  ///< In external form.
  std::string envelope_id;                    ///< ENVID of RFC 3461
  int return_flags = 0;                       ///< ReturnFlag; 0: not given.
  std::string verp_delimiters = {};           ///< XVERP; empty: not given.
  std::string encoding = {};                  ///< BODY of RFC 6152 as "7bit" or "8bit"; empty: not given.
  bool is_utf8 = false;                       ///< SMTPUTF8 was asked for.
  RewriteContext context = RewriteContext::kRemote;
  std::string log_ident = {};  ///< What another system calls the message; empty: its own ID.
  /// Attributes of the client's login, in the order of the queue file.
  std::vector<std::pair<std::string_view, std::string>> login;
  /// The client's other attributes; those without a value are left out.
  std::vector<std::pair<std::string_view, std::string>> attributes;
  std::string client;  ///< "name[address]", for the log.
  std::string protocol;
  std::string helo;
  std::string received;  ///< The Received: header, without its last newline.
  MessageActions actions;
  std::string full_name = {};  ///< Of the sender (sendmail -F).
  /// Filters that are to see the content; they have been told the envelope. Null: none.
  MilterChain* filters = nullptr;
  std::optional<SubmissionFacts> submission = {};
  std::optional<OwnMailFacts> own = {};  ///< Of mail that the system itself sends.
};

enum class IntakeKind {
  kQueued,     ///< On the disk: the message is ours.
  kDiscarded,  ///< Thrown away, as a rule says; the client is told that it was taken.
  kRefused,
};

struct IntakeResult {
  IntakeKind kind = IntakeKind::kRefused;
  Rejection refusal = {};
};

/// Where the message of a session goes: into the queue, or to postdrop(1). One message. Not thread-safe.
/// Destroyed before finish() is done, nothing is left of it.
class MessageDestination : public ContentSink {
 public:
  /// The queue ID, as the client is told.
  virtual const std::string& id() const = 0;

  /// Writes the envelope, once, before the content. What goes wrong is told by finish().
  virtual void begin(Envelope envelope) = 0;

  /// The content is complete: makes the message safe. Other sessions may go on meanwhile.
  virtual asio::awaitable<IntakeResult> finish() = 0;
};

/// The way into the queue.
class MessageIntake final : public MessageDestination, private CleanupSink {
 public:
  /// Makes the file, so that the message has an ID. Errors: as queue_error().
  static libconf::Result<std::unique_ptr<MessageIntake>> open(const IntakeServices& services);

  const std::string& id() const override { return file_.id(); }

  void begin(Envelope envelope) override;

  /// A recipient that came up with the content, after it; the address is in external form.
  void add_recipient(EnvelopeRecipient recipient) { late_recipients_.push_back(std::move(recipient)); }

  /// CleanupSink. Filters that have seen the envelope may want it, too.
  void hold() override { is_held_ = true; }

  /// How the log calls client and recipient when filters decide, where filters know them by other names than
  /// the envelope does.
  void name_for_filters(std::string client, std::string recipient);

  /// ContentSink.
  void line(std::string_view text, bool is_continued) override;

  /// The content is complete: puts the message into the queue, and waits until it is on the disk. Other
  /// sessions go on meanwhile.
  asio::awaitable<IntakeResult> finish() override;

 private:
  MessageIntake(const IntakeServices& services, QueueFile file, QueueTime arrival);

  // CleanupSink
  void header(std::string_view text) override;
  void content(std::string_view text, bool ends_line) override;
  void recipient(std::string_view address, RecipientSource source) override;
  void content_filter(std::string_view destination) override { filter_ = destination; }
  void redirect(std::string_view address) override { redirect_ = address; }
  void pass() override { is_passed_ = true; }
  void content_is_8bit() override { is_8bit_ = true; }
  void log(libconf::Severity severity, std::string_view line) override;
  void discard() override { is_discarded_ = true; }
  void reject(const Rejection& rejection) override { refusal_ = rejection; }

  libconf::Result<void> take_recipients();
  libconf::Result<void> take_automatic_recipients();
  void write_start();
  void write_envelope_id();
  void write_return_flags();
  void write_warning_time();
  void write_envelope();
  void write_extracted();
  asio::awaitable<void> filter();
  void refuse(const libconf::Error& error);
  void feed_head();
  /// Whether content is of use to anybody.
  bool takes_content() const;
  asio::awaitable<libconf::Result<void>> commit();

  IntakeServices services_;
  QueueFile file_;
  QueueTime arrival_;
  QueueFileWriter writer_;
  Envelope envelope_;
  std::string sender_;  ///< In internal form, as it goes into the file.
  std::string external_sender_;
  std::string last_recipient_;
  std::optional<MessageRecipients> recipients_;
  std::optional<StagedMessage>
      staged_;  ///< When there are filters; nothing of the file is written before them.
  MessageContext context_;
  std::unique_ptr<HeaderAddresses> header_addresses_;
  std::optional<Cleanup> cleanup_;
  std::string
      head_;  ///< Headers of ours that cleanup_ has not seen yet: it may still be told more of the mail.
  std::vector<EnvelopeRecipient> late_recipients_;
  /// Recipients that headers and rules add.
  std::vector<std::pair<std::string, RecipientSource>> added_;
  std::string filter_;
  std::string redirect_;
  bool is_held_ = false;
  bool is_8bit_ = false;
  bool is_passed_ = false;  ///< A rule says that filters need not look at it.
  bool is_filtering_ = false;
  std::string filtered_client_;     ///< What context_ is a view of while filters look; empty: the envelope.
  std::string filtered_recipient_;  ///< Likewise.
  int send_options_ = 0;            ///< SendOption
  bool is_discarded_ = false;
  std::optional<Rejection> refusal_;
};

}  // namespace mta
