/// The texts of delivery status notifications: built-in ones, and those of a template file (bounce(5)).
///
///     auto templates = load_bounce_templates("/etc/postfix/bounce.cf", sink);
///     for (const BounceTemplate& t : *templates) use(t.name, t.subject, t.text);
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace libconf {

/// One template. The text is what follows the empty line behind the headers; every line ends with '\n'.
struct BounceTemplate {
  std::string_view name;  ///< "failure", "delay", "success" or "verify".
  std::string charset;
  std::string from;
  std::string subject;
  std::string postmaster_subject;  ///< Empty: no copy goes to the postmaster.
  std::string text;
  std::string origin = {};  ///< The file that defines it; empty: built in.
};

using BounceTemplates = std::array<BounceTemplate, 4>;

/// How a From: header that no template has is written (header_from_format).
enum class FromFormat {
  kStandard,  ///< "Mail Delivery System <MAILER-DAEMON>"
  kObsolete,  ///< "MAILER-DAEMON (Mail Delivery System)"
};

/// Errors: as Settings::get(); kConfiguration, for a value that is none of these.
Result<FromFormat> read_from_format(const Settings& settings);

BounceTemplates builtin_bounce_templates(FromFormat from = FromFormat::kStandard);

/// The templates of `file` over the built-in ones. A bad template is warned of, and the built-in one stays.
/// Errors: kInputOutput for the file, kSyntax for a line that is no template.
Result<BounceTemplates> load_bounce_templates(const std::string& file, DiagnosticSink& sink,
                                              FromFormat from = FromFormat::kStandard);

/// The same for a text; `file` names it in messages.
Result<BounceTemplates> parse_bounce_templates(std::string_view text, const std::string& file,
                                               DiagnosticSink& sink, FromFormat from = FromFormat::kStandard);

/// As it would stand in a template file, with `<<EOF`.
std::string template_source(const BounceTemplate& bounce);

/// The text with $names replaced. maximal_queue_lifetime and delay_warning_time come in units, too
/// ($delay_warning_time_hours; _seconds, _minutes, _days and _weeks likewise), and those that make a poor
/// number are warned of. myhostname and mydomain come in Unicode, with smtputf8_enable. Errors:
/// kConfiguration for an undefined name.
Result<std::string> expand_bounce_text(const BounceTemplate& bounce, const Settings& settings,
                                       DiagnosticSink& sink);

}  // namespace libconf
