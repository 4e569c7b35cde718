/// sendmail -bs: one SMTP session on standard input and output.
#pragma once

#include <iosfwd>
#include <string>

namespace smtpd {

/// Serves the client there until one of the two ends it; each message goes to the program `postdrop`. No
/// restrictions apply, as its user can send mail to anybody anyhow (sendmail(1)). Returns the exit status.
int serve_stand_alone(const std::string& directory, const std::string& postdrop, std::ostream& err);

}  // namespace smtpd
