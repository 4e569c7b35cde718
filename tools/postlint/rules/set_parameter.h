/// The fix that most rules have: another value for a parameter of a SMTP server.
#pragma once

#include "tools/postlint/site_model.h"

namespace postlint::rules {

/// Sets the parameter where the server has its value from: in an option of its entry, or in main.cf.
std::optional<Fix> set_parameter(const SmtpServer& server, std::string_view name, std::string_view value);

}  // namespace postlint::rules
