/// What an entry of master.cf says of pipe(8): COMMAND ATTRIBUTE SYNTAX.
///
///     auto options = PipeOptions::read(entry.arguments(), settings);
///     options->argv   // {"/usr/bin/maildrop", "-d", "${recipient}"}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/daemon/identity.h"
#include "tools/mta/daemon/site.h"

namespace mta {

/// flags=
enum class PipeFlag : char {
  kBlankLine = 'B',
  kDeliveredTo = 'D',
  kFromLine = 'F',
  kOriginalTo = 'O',
  kReturnPath = 'R',
  kFinal = 'X',
  kFoldDomain = 'h',
  kQuote = 'q',
  kFoldLocal = 'u',
  kDots = '.',
  kFromQuoted = '>',
};

struct PipeOptions {
  std::string flags;
  Identity user = {};
  std::string null_sender = "MAILER-DAEMON";
  std::string end_of_line = "\n";
  std::string directory;
  std::string root;              ///< chroot=; empty: none.
  std::uint64_t size_limit = 0;  ///< In bytes; 0: none.
  std::uint32_t time_limit = 1000;
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string recipient_delimiter;
  std::string config_directory;
  bool has_original = true;  ///< enable_original_recipient

  bool has(PipeFlag flag) const { return flags.find(static_cast<char>(flag)) != std::string::npos; }

  /// `arguments` are those of the entry, with its -o options; `settings` are the service's. Errors:
  /// kConfiguration, in the words of Postfix.
  static libconf::Result<PipeOptions> read(const std::vector<std::string>& arguments,
                                           const libconf::Settings& settings);
};

/// The directories that chroot= of entries names, for DeliverAsClient::start().
std::vector<std::string> command_roots(const Site& site);

}  // namespace mta
