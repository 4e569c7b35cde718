/// What bounce(8) has written down about the recipients of a message that could not be delivered yet: a file
/// `defer/ID`.
///
///     for (const mta::DelayedRecipient& each : mta::parse_delay_log(text)) ...
///
/// An entry has a line "NAME=VALUE" for each fact, and a blank line at its end; without that it is not
/// finished, and does not count. Any text is taken. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mta {

struct DelayedRecipient {
  std::string address;  ///< In its external form.
  std::string reason;

  friend bool operator==(const DelayedRecipient&, const DelayedRecipient&) = default;
};

/// The entries in their order; what one does not say is replaced as by Postfix's showq(8).
std::vector<DelayedRecipient> parse_delay_log(std::string_view text);

}  // namespace mta
