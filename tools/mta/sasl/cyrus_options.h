/// The configuration file of a server that uses Cyrus SASL, such as smtpd.conf (SASL_README, "Cyrus SASL
/// configuration file name"; Cyrus SASL's documentation, "Options").
///
///     pwcheck_method: saslauthd
///     mech_list: PLAIN LOGIN
///
///     Result<CyrusOptions> options = CyrusOptions::find("smtpd", "/etc/postfix/sasl:/etc/sasl2");
///     const std::string* list = options->get("mech_list");
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "libconf/result.h"

namespace mta {

class CyrusOptions {
 public:
  /// Reads NAME.conf in the first of the directories, separated by colons, that has it. Where none has it,
  /// there are no options. Errors: those of parse(); kInputOutput.
  static libconf::Result<CyrusOptions> find(std::string_view name, std::string_view path);

  /// Reads the text of a file, for messages called `file`. Errors: kSyntax, with the line.
  static libconf::Result<CyrusOptions> parse(std::string_view text, std::string_view file);

  /// Null: not set. Valid as long as the options are.
  const std::string* get(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace mta
