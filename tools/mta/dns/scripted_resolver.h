/// A resolver whose answers stand in a text: for tests, and for `postexplain --dns FILE`.
///
///     auto resolver = ScriptedResolver::parse(
///         "example.com. MX 10 mail.example.com.\n"
///         "mail.example.com. A 192.0.2.1\n"
///         "www.example.com. CNAME example.com.\n"
///         "broken.example.com. SERVFAIL\n", "answers.dns");
///
/// A line is a name, a type and data, as in a zone file without its abbreviations; `#` or `;` begins a
/// comment. In place of a type, SERVFAIL is a temporary failure, NXDOMAIN and NODATA are what they say; types
/// behind them
/// ("broken.example.com. SERVFAIL MX") limit them to these. A name that is not there does not exist, unless
/// there are names below it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/dns/resolver.h"

namespace mta {

/// A value type: answers at once, and without suspending.
class ScriptedResolver final : public Resolver {
 public:
  /// Reads a text; `file` is for messages. Errors: kSyntax, "FILE, line N: REASON".
  static libconf::Result<ScriptedResolver> parse(std::string_view text, std::string_view file);

  asio::awaitable<DnsAnswer> resolve(std::string name, DnsType type) override;

  /// The same, for those who cannot wait.
  DnsAnswer answer(std::string_view name, DnsType type) const;

 private:
  struct Name {
    std::map<DnsType, std::vector<DnsRecord>> records;
    std::map<DnsType, DnsStatus> outcomes;
    std::string alias;
  };
  std::string add_line(std::string_view line);
  std::map<std::string, Name, std::less<>> names_;
};

}  // namespace mta
