/// What the outside world would say, in a file: postexplain --dns FILE.
///
///     example.com            MX  10 mail.example.com
///     broken.example         SERVFAIL
///     policy:                DUNNO
///     policy inet:127.0.0.1:10023:  REJECT not today
///     milter:                accept
///     verify ann@example.com: undeliverable no such user
///
/// A line with a colon behind its first or second word is about policy servers, milters or probes of
/// addresses; a word between names the one that is meant. All others are of the DNS, see ScriptedResolver.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "tools/mta/dns/scripted_resolver.h"

namespace postexplain {

/// A value type.
class Answers {
 public:
  /// Reads a text; `file` is for messages. Errors: kSyntax, "FILE, line N: REASON".
  static libconf::Result<Answers> parse(std::string_view text, std::string_view file);

  mta::ScriptedResolver& dns() { return dns_; }

  /// The answer of the service called `name`: "policy" or "milter", by its endpoint; "verify", by address.
  /// What is said of all of them counts for those that are not named. Nothing: no line says.
  std::optional<std::string> of(std::string_view service, std::string_view name) const;

 private:
  mta::ScriptedResolver dns_;
  std::map<std::pair<std::string, std::string>, std::string, std::less<>> services_;
};

}  // namespace postexplain
