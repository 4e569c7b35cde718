/// The text of a message, from a queue file to wherever it is delivered.
///
///     auto fault = copy_message(message, copy,
///                               [&](std::string_view text) { return libconf::write_all(fd, text); });
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tools/mta/delivery/user_actions.h"

namespace deliver_as {

/// Takes some of the text; returns 0, or what errno says when it cannot.
using TextOutput = std::function<int(std::string_view text)>;

struct CopyFault {
  std::string reason;
  int error;  ///< Of the output; 0: the queue file cannot be read.
};

/// Nothing: all of it was written.
std::optional<CopyFault> copy_message(int message, const mta::MessageCopy& copy, const TextOutput& output);

}  // namespace deliver_as
