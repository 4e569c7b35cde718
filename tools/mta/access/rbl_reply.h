/// The reply to a client that a DNS list has (postconf(5), default_rbl_reply).
///
///     RblReplyAttributes attributes{.code = "554", .what = "192.0.2.7", .domain = "zen.example", ...};
///     std::optional<std::string> text = expand_rbl_reply(template_text, attributes, state, warnings);
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "tools/mta/access/smtpd_state.h"

namespace mta {

/// What $rbl_NAME stands for.
struct RblReplyAttributes {
  std::string code;
  std::string subject_class;  ///< $rbl_class
  std::string what;
  std::string domain;
  std::string reason;
  std::string client;  ///< $client: "name[address]", with the port where that is logged.
};

/// The template with its $names replaced; what they stand for is not looked at again. Nothing: the template
/// is bad, and the warnings say why. Pure but for the sink; thread-safe.
std::optional<std::string> expand_rbl_reply(std::string_view text, const RblReplyAttributes& attributes,
                                            const SmtpdState& state, libconf::DiagnosticSink& warnings);

}  // namespace mta
