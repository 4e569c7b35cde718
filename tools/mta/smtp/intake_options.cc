#include "tools/mta/smtp/intake_options.h"

#include "tools/mta/daemon/settings_reader.h"

namespace mta {

using libconf::Result;
using libconf::Settings;

Result<IntakeOptions> IntakeOptions::read(const Settings& settings) {
  IntakeOptions options;
  std::string remote_domain;
  SettingsReader reader(settings);
  reader.text("syslog_name", options.syslog_name);
  reader.text("always_bcc", options.always_bcc);
  reader.text("remote_header_rewrite_domain", remote_domain);
  reader.count("message_size_limit", options.message_size_limit);
  reader.flag("smtputf8_enable", options.is_utf8_enabled);
  reader.duration("delay_warning_time", options.delay_warning_time);
  if (reader.error()) return *reader.error();
  options.rewrites_remote_headers = !remote_domain.empty();
  Result<CleanupOptions> content = cleanup_options(settings);
  if (!content) return content.error();
  options.content = std::move(*content);
  const Result<RecipientRules> recipients = RecipientRules::read(settings);
  if (!recipients) return recipients.error();
  options.recipients = *recipients;
  return options;
}

}  // namespace mta
