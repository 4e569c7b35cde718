/// What becomes of the lines that servers answer: the session's transcript, smtp_reply_filter, and warnings
/// about those that are none of a reply (smtp(8)).
///
///     SessionLines lines(filter, ClientProtocol::kSmtp, server, transcript, log, tag);
///     connection.watch_lines(lines);
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/server_lookup.h"
#include "tools/mta/delivery/server_reply.h"
#include "tools/mta/smtp/session_transcript.h"

namespace mta {

/// The table of smtp_reply_filter. Not thread-safe, as tables are not; it serves any number of sessions.
class ReplyFilter {
 public:
  /// `protocol`: "smtp_" or "lmtp_". Null: there is none. Errors: as open_table().
  static libconf::Result<std::unique_ptr<ReplyFilter>> open(std::string_view protocol,
                                                            const libmaps::TableContext& context);

  /// What stands for a line; nothing: itself. Errors: the table could not tell.
  libconf::Result<std::optional<std::string>> replacement(std::string_view line);

 private:
  ReplyFilter(std::string spec, std::unique_ptr<libmaps::Table> table)
      : spec_(std::move(spec)), table_(std::move(table)) {}

  std::string spec_;
  std::unique_ptr<libmaps::Table> table_;
};

/// The lines of one session.
class SessionLines final : public ReplyLineSink {
 public:
  /// All that is referred to must outlive the object. `filter` may be null.
  SessionLines(ReplyFilter* filter, ClientProtocol protocol, const MailServer& server,
               SessionTranscript& transcript, MailLog& log, LogTag tag)
      : filter_(filter), protocol_(protocol), server_(server), transcript_(transcript), log_(log), tag_(tag) {}

  /// What the session is about now.
  void set_queue_id(std::string queue_id) { queue_id_ = std::move(queue_id); }
  const std::string& queue_id() const { return queue_id_; }
  /// Whether a line too many would be taken for the answer to another command.
  void set_pipelined(bool is_pipelined) { is_pipelined_ = is_pipelined; }

  // ReplyLineSink
  libconf::Result<std::optional<std::string>> replacement(std::string_view line) override;
  void note_stray_line(std::string_view line) override;

 private:
  ReplyFilter* filter_;
  ClientProtocol protocol_;
  const MailServer& server_;
  SessionTranscript& transcript_;
  MailLog& log_;
  LogTag tag_;
  std::string queue_id_;
  bool is_pipelined_ = false;
};

}  // namespace mta
