/// Where a message goes on its way into the queue, and what is decided about it: what the writer of a queue
/// file implements, and Cleanup calls.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "tools/mta/daemon/error_class.h"

namespace mta {

/// What is known of a message beside its content. Views must outlive the Cleanup that uses them; `recipient`
/// may be changed until the content begins.
struct MessageContext {
  std::string_view queue_id;
  std::string_view client =
      "local";                      ///< "name[address]"; "local" for mail that was submitted by sendmail(1).
  std::string_view sender;          ///< In external form, `"a b"@example.com`; empty: the null sender.
  std::string_view recipient = {};  ///< The last one, in external form; empty: none is known yet.
  std::string_view protocol = {};   ///< "ESMTP"; empty: none.
  std::string_view helo = {};       ///< The name that the client gave; empty: none.
  std::string_view full_name = {};  ///< Of the sender, for a missing From: header (sendmail -F).
  std::time_t arrival = 0;  ///< For a missing Date: header; of submitted mail, when postdrop(1) took it.
  std::time_t created = 0;  ///< For a missing Message-Id: header; 0: as `arrival`.

  /// Missing headers are added, and addresses in headers rewritten: local_header_rewrite_clients or
  /// remote_header_rewrite_domain says so.
  bool rewrites_headers = true;
  bool checks_content = true;        ///< Off: receive_override_options has no_header_body_checks.
  bool extracts_recipients = false;  ///< Recipients are in the headers: sendmail -t.
};

/// Why a message is not accepted, as a client is told: "550 5.7.1 message content rejected".
struct Rejection {
  int code = 550;
  std::string status = "5.7.1";  ///< RFC 3463
  std::string text = {};         ///< One line, without control characters.
  ErrorClass error_class = ErrorClass::kPolicy;
};

enum class RecipientSource {
  kBcc,     ///< A BCC action: as if with NOTIFY=NONE.
  kHeader,  ///< A header, see MessageContext::extracts_recipients.
};

/// Views are valid during the call only.
class CleanupSink {
 public:
  virtual ~CleanupSink() = default;

  /// A header, folds and all, without its last newline; those of parts of the body, too.
  virtual void header(std::string_view text) = 0;

  /// A line of the message, without its newline; or when it does not end the line, a piece of one.
  virtual void content(std::string_view text, bool ends_line) = 0;

  /// One more recipient. Repeated ones are not left out.
  virtual void recipient(std::string_view address, RecipientSource source) = 0;

  /// FILTER: instead of content_filter. The last call counts.
  virtual void content_filter(std::string_view destination) = 0;

  /// REDIRECT: instead of all recipients.
  virtual void redirect(std::string_view address) = 0;

  /// HOLD: into the hold queue. Called once at most.
  virtual void hold() = 0;

  /// PASS: no milters look at this message.
  virtual void pass() = 0;

  /// The content is 8-bit text, as a header says (the attribute encoding=8bit).
  virtual void content_is_8bit() = 0;

  /// A line for the log: kInfo as it is, kWarning behind "warning: ". May have any bytes in it.
  virtual void log(libconf::Severity severity, std::string_view line) = 0;

  /// The end of a message that is accepted and thrown away, or refused. Either is called at most once, and
  /// last; what came before is void.
  virtual void discard() = 0;
  virtual void reject(const Rejection& rejection) = 0;
};

}  // namespace mta
