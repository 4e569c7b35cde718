/// The values of the macros that milters are told (MILTER_README, "Sendmail macro emulation").
///
///     auto settings = MilterSettings::read(settings, "smtpd_milters");
///     milter_macro("{client_addr}", *settings, {.state = &state});
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/settings.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/content/milter_session.h"

namespace mta {

/// What main.cf says about filters.
struct MilterSettings {
  std::vector<MilterOptions> filters;
  std::string myhostname;
  std::string daemon_name;                                    ///< milter_macro_daemon_name
  std::string version;                                        ///< milter_macro_v
  std::vector<std::pair<std::string, std::string>> defaults;  ///< milter_macro_defaults

  /// `parameter` is smtpd_milters or non_smtpd_milters. Errors: kConfiguration.
  static libconf::Result<MilterSettings> read(const libconf::Settings& settings, std::string_view parameter);
};

/// An address of the envelope as macros have it: {mail_addr}, {mail_host}, {mail_mailer}, and those of
/// {rcpt_}.
struct MilterAddress {
  std::string address;
  std::string host = {};    ///< Empty: not known.
  std::string mailer = {};  ///< The transport; empty: not known.
};

/// What changes in a session.
struct MilterFacts {
  const SmtpdState* state = nullptr;
  std::optional<unsigned> client_connections =
      {};  ///< How many this client has; 0: not counted; nothing: it is none of SMTP.
  std::optional<MilterAddress> sender = {};     ///< From MAIL on, as far as it is of use.
  std::optional<MilterAddress> recipient = {};  ///< From RCPT on, as far as it is of use.
};

/// The value of a macro such as "{client_addr}" or "i"; nothing: it is not known now. Pure; thread-safe.
std::optional<std::string> milter_macro(std::string_view name, const MilterSettings& settings,
                                        const MilterFacts& facts);

}  // namespace mta
