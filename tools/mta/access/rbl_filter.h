/// The addresses that a DNS list must answer with: `=d.d.d.d` behind its domain (postconf(5),
/// reject_rbl_client).
///
///     Result<RblArgument> list = parse_rbl_argument("zen.example=127.0.0.[2..11;20]");
///     list->domain == "zen.example";
///     list->filter->matches("127.0.0.9");
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"

namespace mta {

/// A value type; as safe between threads as a std::vector.
class RblFilter {
 public:
  /// Reads "127.0.0.[2..11;20]". Errors: kSyntax, in Postfix's words.
  static libconf::Result<RblFilter> parse(std::string_view text);

  /// Whether an IPv4 address fits. A text that is none does not.
  bool matches(std::string_view address) const;

 private:
  struct Range {
    std::uint8_t first;
    std::uint8_t last;
  };
  std::array<std::vector<Range>, 4> parts_;
};

struct RblArgument {
  std::string domain;
  std::optional<RblFilter> filter = {};  ///< Nothing: any address will do.
};

/// Splits "domain=d.d.d.d". Errors: as RblFilter::parse().
libconf::Result<RblArgument> parse_rbl_argument(std::string_view text);

}  // namespace mta
