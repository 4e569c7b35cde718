/// The content of a notice: a multipart/report with a text for people, a report for programs, and the message
/// that it is about (RFC 3464, RFC 6533, bounce(5)).
///
///     NoticeText text(format, subject, page, sink);
///     text.begin();
///     text.message(reader, content_offset);   // or not, where it cannot be read
///     text.end();
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/bounce_template.h"
#include "libconf/result.h"
#include "tools/mta/delivery/notifier.h"
#include "tools/mta/queue/notice_log.h"
#include "tools/mta/queue/queue_file_reader.h"
#include "tools/mta/smtp/content_reader.h"

namespace mta {

/// What main.cf says about all notices.
struct NoticeFormat {
  std::string myhostname;
  std::string mail_name;
  bool is_utf8_enabled = false;  ///< smtputf8_enable
  std::chrono::seconds maximal_queue_lifetime{0};
};

enum class NoticeReader : std::uint8_t {
  kSender,
  kPostmaster,  ///< Gets no text for people but the reasons.
};

/// One notice.
struct NoticePage {
  NoticeKind kind = NoticeKind::kFailure;
  NoticeReader reader = NoticeReader::kSender;
  std::string to = {};  ///< In internal form.
  const libconf::BounceTemplate* design = nullptr;
  std::string text = {};        ///< The text of the template, expanded; empty for the postmaster.
  std::string message_id = {};  ///< Of the message, "<...>"; empty: the notice does not refer to it.
  std::vector<NoticeEntry> entries = {};
  bool has_message = true;  ///< The whole message is returned, not its headers alone.
  std::time_t now = 0;
};

/// Not thread-safe; all that it is made of must outlive it.
class NoticeText {
 public:
  NoticeText(const NoticeFormat& format, const NoticeSubject& subject, const NoticePage& page,
             ContentSink& sink);

  /// All before the message.
  void begin();

  /// The message, which starts at `content_offset`, or its headers. Errors: as QueueFileReader::next(); the
  /// notice can be ended all the same.
  libconf::Result<void> message(QueueFileReader& reader, std::uint64_t content_offset);

  void end();

 private:
  void line(std::string_view text) { sink_.line(text, false); }
  void text(std::string_view text);
  void folded(std::string_view text);
  void part(std::string_view description, std::string_view type, std::string_view encoding);
  void write_headers();
  void write_explanation();
  void write_report();
  void write_recipient(const NoticeEntry& entry);
  std::string typed(std::string_view address) const;

  const NoticeFormat& format_;
  const NoticeSubject& subject_;
  const NoticePage& page_;
  ContentSink& sink_;
  std::string sender_;  ///< In external form; the null sender has a name, too.
  std::string boundary_;
  std::string_view encoding_;       ///< Of the notice; empty: not known.
  std::string_view part_encoding_;  ///< Of parts that have any text in them; empty: none is told.
  bool is_utf8_;                    ///< The message needed SMTPUTF8.
};

/// The Message-ID of the message that starts at `content_offset`, as it stands there; empty: it has none, and
/// nothing: it has one that makes no sense. Errors: as QueueFileReader::next().
libconf::Result<std::optional<std::string>> find_message_id(QueueFileReader& reader,
                                                            std::uint64_t content_offset);

}  // namespace mta
