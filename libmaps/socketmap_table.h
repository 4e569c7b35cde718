/// `socketmap:` tables: a server that speaks the socketmap protocol (socketmap_table(5)).
///
///     auto table = open_socketmap("unix:/run/sendmail-map:aliases", context);
///     table->lookup("joe");   // sends "11:aliases joe,"
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// `name` is inet:HOST:PORT:MAP or unix:PATH:MAP. Nothing is connected before the first lookup; a connection
/// is kept, and made anew once when the server has closed it. Sizes are limited by socketmap_max_query_size
/// and socketmap_max_reply_size. Errors: kConfiguration, "socketmap requires server:socketmap argument" and
/// the like.
///
/// A lookup fails with kTemporary and a reason when the server is not to be reached, does not speak the
/// protocol, or answers TEMP or TIMEOUT; with kConfiguration and no reason when it answers PERM, or the key
/// is too long. A warning tells more.
Result<std::unique_ptr<Table>> open_socketmap(std::string_view name, const TableContext& context);

/// The same, with a time limit of its own for connecting and for each exchange.
Result<std::unique_ptr<Table>> open_socketmap(std::string_view name, const TableContext& context,
                                              std::chrono::seconds limit);

}  // namespace libmaps
