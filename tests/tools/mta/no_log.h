/// A log that nobody reads, for tests of what writes to one.
#pragma once

#include <string_view>

#include "tools/mta/daemon/mail_log.h"

namespace mta {

class NoLog final : public MailLog {
 public:
  NoLog() : MailLog("postfix") {}

 private:
  void put(libconf::Severity, std::string_view, std::string_view) override {}
};

}  // namespace mta
