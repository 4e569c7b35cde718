/// What an SMTP server answers (RFC 5321, section 4.2; RFC 2034).
///
///     mta::Reply reply(501, "5.5.4", "Syntax: MAIL FROM:<address>");
///     reply.append_to(output);  // "501 5.5.4 Syntax: MAIL FROM:<address>\r\n"
#pragma once

#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "tools/mta/daemon/error_class.h"

namespace mta {

/// A reply of one line or more.
class Reply {
 public:
  /// `enhanced` is a status code of RFC 3463, "5.5.4", or empty: some replies have none (Postfix gives none
  /// to HELO, EHLO and ETRN). Newlines in `text` divide it into lines; it should have no other control
  /// characters but those that the client sent. `classes`: what the postmaster may want to know of it.
  Reply(int code, std::string_view enhanced, std::string_view text, ErrorClasses classes = {})
      : code_(code), enhanced_(enhanced), text_(text), error_classes_(classes) {}

  int code() const { return code_; }
  const std::string& enhanced() const { return enhanced_; }
  const std::string& text() const { return text_; }
  ErrorClasses error_classes() const { return error_classes_; }

  /// 4xx or 5xx: it counts as an error of the client.
  bool is_error() const { return code_ >= 400; }

  /// 221, 421 or 521: the connection ends after it.
  bool closes_connection() const { return code_ == 221 || code_ == 421 || code_ == 521; }

  /// Adds expanded lines of smtpd_reject_footer; see ReplyFooter.
  void add_text(std::string_view text) { text_ += text; }

  /// Code, enhanced code and text as the log has them; a newline becomes a space.
  std::string to_string() const;

  /// Appends the reply to `out`, as it goes to the client: each line with the codes and <CR><LF>.
  void append_to(std::string& out) const;

  /// The client is told the same.
  friend bool operator==(const Reply& a, const Reply& b) {
    return a.code_ == b.code_ && a.enhanced_ == b.enhanced_ && a.text_ == b.text_;
  }

 private:
  int code_;
  std::string enhanced_;
  std::string text_;
  ErrorClasses error_classes_;
};

/// The reply with a 4xx code and status instead of a 5xx one (soft_bounce).
Reply softened(Reply reply);

/// A reply of one line as text, "554 5.7.1 text". REQUIRES: it starts with three digits.
Reply parse_reply(std::string_view text, ErrorClasses classes = {});

/// What a template of smtpd_reject_footer can name.
struct FooterAttributes {
  std::string_view client_address;
  std::string_view client_port;
  std::string_view localtime;  ///< "Jan  4 15:42:00"
  std::string_view server_name;
};

/// A template of smtpd_reject_footer or smtpd_reject_footer_maps (postconf(5)): `$name` stands for an
/// attribute, `\n` for a line break, `\c` at the start says that the footer goes on in the last line.
class ReplyFooter {
 public:
  /// `expansion_filter` is the value of smtpd_expansion_filter as main.cf has it; other characters that an
  /// attribute brings become '_'.
  ReplyFooter(std::string_view text, std::string_view expansion_filter);

  /// Adds the footer to a reply, if it is 4xx or 5xx. Error: the template is malformed; the reply stays as it
  /// was, and the sink has the reason. An unknown name gives nothing.
  libconf::Result<void> apply(Reply& reply, const FooterAttributes& attributes,
                              libconf::DiagnosticSink& sink) const;

 private:
  std::string text_;
  std::string filter_;
};

/// `text` for the log: C's backslash escapes for what cannot be printed, "EHLO x\\r\\n", "\\300". Pure.
std::string escape(std::string_view text);

/// The characters that a text with C's backslash escapes names (smtpd_expansion_filter): \t \n \40 and so on.
std::string unescape(std::string_view text);

}  // namespace mta
