/// What main.cf says of the way of a message into the queue (cleanup(8)).
///
///     Result<IntakeOptions> options = IntakeOptions::read(settings.of_peer("cleanup_service_name"));
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/content/cleanup.h"
#include "tools/mta/smtp/message_recipients.h"

namespace mta {

struct IntakeOptions {
  std::string syslog_name;
  CleanupOptions content;
  RecipientRules recipients;
  std::string always_bcc;                      ///< An address; empty: none.
  bool rewrites_remote_headers = false;        ///< remote_header_rewrite_domain is not empty.
  std::uint64_t message_size_limit = 0;        ///< Of the queue file, in bytes; 0: none.
  bool is_utf8_enabled = true;                 ///< smtputf8_enable
  std::chrono::seconds delay_warning_time{0};  ///< 0: senders are not told that mail is late.

  /// `settings` are those of a cleanup service. Errors: as the getters of Settings.
  static libconf::Result<IntakeOptions> read(const libconf::Settings& settings);
};

}  // namespace mta
