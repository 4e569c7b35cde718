#include "tools/mta/delivery/transcript_notifier.h"

#include <ctime>
#include <utility>

#include "libconf/bounce_template.h"
#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/content/mail_date.h"
#include "tools/mta/delivery/folded_text.h"
#include "tools/mta/daemon/settings_reader.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

/// What can be noted of a session; the rest of notify_classes is about messages.
constexpr ErrorClasses kOfSessions = ErrorClass::kBounce | ErrorClass::kData | ErrorClass::kPolicy |
                                     ErrorClass::kProtocol | ErrorClass::kResource | ErrorClass::kSoftware;

/// Buffers that are kept: how large one may have become, in bytes, and how many there are.
constexpr std::size_t kKeptSize = 8192;
constexpr std::size_t kKeptCount = 64;

/// As wide as a notice is, with the blank that stands before every line.
constexpr Folding kFolding{.width = 78, .start = " "};

}  // namespace

Result<void> TranscriptNotifier::read(const libconf::Settings& settings) {
  const Result<ErrorClasses> classes = read_notify_classes(settings);
  if (!classes) return classes.error();
  wanted_ = *classes & kOfSessions;
  std::string double_bounce;
  std::string myhostname;
  SettingsReader reader(settings);
  reader.text("double_bounce_sender", double_bounce);
  reader.text("myhostname", myhostname);
  reader.text("error_notice_recipient", error_recipient_);
  reader.text("bounce_notice_recipient", bounce_recipient_);
  reader.text("mail_name", mail_name_);
  reader.flag("smtputf8_enable", is_utf8_);
  if (reader.error()) return *reader.error();
  sender_ = concat(double_bounce, "@", myhostname);
  const Result<libconf::FromFormat> format = libconf::read_from_format(settings);
  if (!format) return format.error();
  // The name of this host, which is not completed with $myorigin.
  const std::string daemon = concat("MAILER-DAEMON@", myhostname);
  const std::string postmaster = quote_address(error_recipient_);
  const bool is_standard = *format == libconf::FromFormat::kStandard;
  from_ =
      is_standard ? concat("Mail Delivery System <", daemon, ">") : concat(daemon, " (Mail Delivery System)");
  to_ = is_standard ? concat("Postmaster <", postmaster, ">") : concat(postmaster, " (Postmaster)");
  return {};
}

Result<std::unique_ptr<TranscriptNotifier>> TranscriptNotifier::create(const libconf::Settings& settings,
                                                                       InternalMailService& mail) {
  std::unique_ptr<TranscriptNotifier> notifier(new TranscriptNotifier(mail));
  if (const Result<void> read = notifier->read(settings); !read) return read.error();
  return notifier;
}

SessionTranscript TranscriptNotifier::start() {
  std::string buffer;
  if (!buffers_.empty()) {
    buffer = std::move(buffers_.back());
    buffers_.pop_back();
  }
  return SessionTranscript(wanted_, std::move(buffer));
}

void TranscriptNotifier::finish(SessionTranscript transcript) {
  std::string buffer = transcript.release();
  if (buffer.capacity() <= kKeptSize && buffers_.size() < kKeptCount) buffers_.push_back(std::move(buffer));
}

bool TranscriptNotifier::is_told_of_mail_from(std::string_view sender) const {
  return !sender.empty() && !libconf::equals_ignoring_case(sender, sender_);
}

void TranscriptNotifier::write(const SessionTranscript& transcript, const TranscriptReport& report,
                               ContentSink& sink) const {
  const auto line = [&sink](std::string_view text) { sink.line(text, false); };
  line(concat("Date: ", mail_date(std::time(nullptr))));
  line(concat("From: ", from_));
  line(concat("To: ", to_));
  line(concat("Subject: ", mail_name_, " ", report.program, ": errors from ", report.peer));
  line("");
  if (report.is_of_client) {
    line(concat("Unexpected response from ", report.peer, "."));
    line("");
  }
  line("Transcript of session follows.");
  line("");
  if (transcript.is_cut()) line(" (The beginning is left out.)");
  transcript.for_each_line([&](SessionTranscript::Direction direction, std::string_view text) {
    const std::string shown = is_utf8_ ? libconf::printable_utf8(text) : libconf::printable(text);
    const bool is_in = direction == SessionTranscript::Direction::kIn;
    for_each_folded(concat(is_in ? "In:  " : "Out: ", shown), kFolding, line);
  });
  line("");
  if (!report.is_of_client) {
    if (!report.reason.empty()) line(concat("Session aborted, reason: ", report.reason));
    line("");
  }
  line("For other details, see the local mail logfile");
}

asio::awaitable<Result<void>> TranscriptNotifier::send(const SessionTranscript& transcript,
                                                       TranscriptReport report) {
  const bool is_bounce = transcript.seen().has(ErrorClass::kBounce);
  const Result<std::unique_ptr<InternalMail>> mail =
      mail_.open({.mail_class = InternalMailClass::kNotify,
                  .sender = sender_,
                  .recipients = {{.address = is_bounce ? bounce_recipient_ : error_recipient_}}});
  if (!mail) co_return mail.error();
  write(transcript, report, **mail);
  co_await (*mail)->finish();
  co_return Result<void>();
}

}  // namespace mta
