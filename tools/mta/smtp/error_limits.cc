#include "tools/mta/smtp/error_limits.h"

#include "libconf/text.h"

namespace mta {

namespace {

struct CountParameter {
  const char* name;
  unsigned ErrorLimits::*member;
};
constexpr CountParameter kCountParameters[] = {
    {"smtpd_soft_error_limit", &ErrorLimits::soft_error_limit},
    {"smtpd_hard_error_limit", &ErrorLimits::hard_error_limit},
    {"smtpd_junk_command_limit", &ErrorLimits::junk_command_limit},
    {"smtpd_recipient_limit", &ErrorLimits::recipient_limit},
    {"smtpd_recipient_overshoot_limit", &ErrorLimits::recipient_overshoot_limit},
};

}  // namespace

libconf::Result<ErrorLimits> read_error_limits(const libconf::Settings& settings) {
  ErrorLimits limits;
  for (const CountParameter& parameter : kCountParameters) {
    const libconf::Result<std::int64_t> value = settings.get_int(parameter.name);
    if (!value) return value.error();
    limits.*parameter.member = static_cast<unsigned>(*value);
  }
  const auto sleep_time = settings.get_duration("smtpd_error_sleep_time");
  if (!sleep_time) return sleep_time.error();
  limits.error_sleep_time = *sleep_time;
  return limits;
}

ErrorCounter::Verdict ErrorCounter::judge_recipient(unsigned accepted) {
  if (accepted < limits_.recipient_limit) return Verdict::kAccept;
  if (overshoot_++ < limits_.recipient_overshoot_limit) return Verdict::kRefuse;
  count_error();
  return Verdict::kRefuseAsError;
}

Reply reply_to_too_many_errors(std::string_view myhostname) {
  return {421, "4.7.0", libconf::concat(myhostname, " Error: too many errors"), ErrorClass::kProtocol};
}

Reply reply_to_too_many_recipients(ErrorCounter::Verdict verdict) {
  const bool is_error = verdict == ErrorCounter::Verdict::kRefuseAsError;
  return {452, "4.5.3", "Error: too many recipients", is_error ? ErrorClass::kPolicy : ErrorClasses()};
}

}  // namespace mta
