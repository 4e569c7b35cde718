/// Transcripts of SMTP sessions that went wrong, by mail to the postmaster (notify_classes and
/// error_notice_recipient in postconf(5)).
///
///     auto notifier = TranscriptNotifier::create(settings, mail);
///     SessionTranscript transcript = (*notifier)->start();
///     ...
///     TranscriptReport report{.program = "SMTP server", .peer = "unknown[192.0.2.1]"};
///     if (transcript.is_wanted()) co_await (*notifier)->send(transcript, std::move(report));
///     (*notifier)->finish(std::move(transcript));
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/settings.h"
#include "tools/mta/daemon/error_class.h"
#include "tools/mta/delivery/internal_mail.h"
#include "tools/mta/smtp/session_transcript.h"

namespace mta {

/// What a transcript is about.
struct TranscriptReport {
  std::string_view program;      ///< "SMTP server", "LMTP client"
  std::string peer;              ///< As the log names it.
  bool is_of_client = false;     ///< The other side is a server.
  std::string_view reason = {};  ///< Why a server's session was cut, "lost connection"; empty: it was not.
};

/// Not thread-safe.
class TranscriptNotifier {
 public:
  /// `mail` must outlive the object. Errors: those of the settings.
  static libconf::Result<std::unique_ptr<TranscriptNotifier>> create(const libconf::Settings& settings,
                                                                     InternalMailService& mail);

  /// The transcript of a session that begins.
  SessionTranscript start();

  /// The session has ended.
  void finish(SessionTranscript transcript);

  /// Whether errors in the delivery of mail from `sender` are told: not of notices, or one would bring the
  /// next one.
  bool is_told_of_mail_from(std::string_view sender) const;

  /// Puts a transcript into the queue. Errors: as InternalMailService::open(). A message that is refused is
  /// none: the log says so already.
  asio::awaitable<libconf::Result<void>> send(const SessionTranscript& transcript, TranscriptReport report);

 private:
  explicit TranscriptNotifier(InternalMailService& mail) : mail_(mail) {}
  libconf::Result<void> read(const libconf::Settings& settings);
  void write(const SessionTranscript& transcript, const TranscriptReport& report, ContentSink& sink) const;

  InternalMailService& mail_;
  ErrorClasses wanted_;  ///< notify_classes, as far as sessions have them.
  std::string sender_;   ///< double_bounce_sender, with its domain.
  std::string error_recipient_;
  std::string bounce_recipient_;
  std::string mail_name_;
  std::string from_;                  ///< The header.
  std::string to_;                    ///< The same.
  bool is_utf8_ = false;              ///< smtputf8_enable
  std::vector<std::string> buffers_;  ///< Of sessions that have ended, for those to come.
};

}  // namespace mta
