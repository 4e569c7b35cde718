/// smtpd_sasl_security_options and smtpd_sasl_tls_security_options (postconf(5)).
///
///     Result<SecurityOptions> options = parse_security_options("noanonymous, noplaintext");
#pragma once

#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

/// What a mechanism must not be, or must have, to be offered.
struct SecurityOptions {
  bool noplaintext = false;
  bool noactive = false;
  bool nodictionary = false;
  bool noanonymous = false;
  bool forward_secrecy = false;
  bool mutual_auth = false;
  friend bool operator==(const SecurityOptions&, const SecurityOptions&) = default;
};

/// Reads a list, in any case of letters. Errors: kConfiguration, "unknown SASL security options value
/// "WORD" in "VALUE"".
libconf::Result<SecurityOptions> parse_security_options(std::string_view value);

/// The same of the value of `parameter`. Errors: those of Settings::get(), too.
libconf::Result<SecurityOptions> read_security_options(const libconf::Settings& settings,
                                                       std::string_view parameter);

}  // namespace mta
