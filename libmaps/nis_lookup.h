/// How a NIS map is asked, whatever the client library is; modules/nis_table.h has that.
///
///     auto table = open_nis_map("mail.aliases", {.domain = "example", .match = match}, context);
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Asks a server of `domain` for the value of `key` in `map`; the key is sent as it is. It may block for as
/// long as it likes, and is called in threads that outlive the table. Errors: the reason alone.
using NisMatch = std::function<Result<std::optional<std::string>>(
    const std::string& domain, const std::string& map, const std::string& key)>;

struct NisClient {
  std::string domain;  ///< Of this host; empty: it has none.
  NisMatch match;
  /// Of a lookup. One attempt of libnsl takes 25 seconds when there is no answer, and it makes several.
  std::chrono::seconds limit{30};
};

/// The table `nis:MAP`. On a host without a NIS domain it has no entries, which the sink is warned of now:
/// nis:mail.aliases is a default of some systems. Otherwise a lookup asks for the key with a NUL at its end,
/// then without; from the form that was found first the table knows which form it has, unless postmap -N or
/// -n said so. A value ends at its first NUL.
///
/// A lookup fails with kTemporary and "Application error", after the warning "lookup KEY, NIS domain DOMAIN,
/// map MAP: REASON".
std::unique_ptr<Table> open_nis_map(std::string_view map, NisClient client, const TableContext& context);

}  // namespace libmaps
