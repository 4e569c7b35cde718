/// The lines that cleanup(8) logs about content, as log readers know them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/mta/content/cleanup_sink.h"

namespace mta {

/// What a line of the log is about.
struct ContentFinding {
  std::string_view verdict;      ///< "reject", "warning", "hold".
  std::string_view subject;      ///< "header", "body", "content", "mime-error".
  std::string_view text;         ///< The header or line; cut where Postfix cuts it.
  std::string_view reason = {};  ///< What comes last, behind ": "; empty: nothing.
};

/// "ID: warning: header Subject: x from name[address]; from=<s> to=<r> proto=ESMTP helo=<h>: reason".
std::string content_log_line(const ContentFinding& finding, const MessageContext& context);

/// The same where a client delivers: "ID: replace: header Subject: x: reason".
std::string delivery_check_log_line(std::string_view queue_id, const ContentFinding& finding);

/// "ID: reject: mime-error FAULT: text from name[address]; from=<s> to=<r>".
std::string mime_fault_log_line(std::string_view fault, std::string_view text, const MessageContext& context);

/// What is known of the mail when a filter decides, for the log.
struct MilterFinding {
  std::string_view queue_id;  ///< Empty: NOQUEUE.
  std::string_view verdict;   ///< "milter-reject", "milter-hold", "milter-discard".
  std::string_view stage;     ///< "CONNECT", "RCPT", "END-OF-MESSAGE".
  std::string_view client;
  std::string_view text;
  std::optional<std::string_view> sender = {};     ///< In external form; nothing: no MAIL yet.
  std::optional<std::string_view> recipient = {};  ///< The same.
  std::string_view protocol = {};                  ///< Empty: none.
  std::string_view helo = {};
};

/// "ID: milter-reject: RCPT from name[address]: text; from=<s> to=<r> proto=ESMTP helo=<h>".
std::string milter_log_line(const MilterFinding& finding);

}  // namespace mta
