/// `tcp:` tables: a server that speaks the tcp_table protocol (tcp_table(5)).
///
///     auto table = open_tcp("127.0.0.1:2222", context);
///     table->lookup("joe@example.com");   // sends "get joe@example.com\n"
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Time limits, and the pause between tries.
struct TcpTiming {
  std::chrono::seconds limit{100};  ///< For connecting, and for each exchange.
  std::chrono::milliseconds pause{1000};
};

/// `name` is HOST:PORT. Nothing is connected before the first lookup, and a connection is kept. Errors:
/// kConfiguration.
///
/// A lookup tries ten times to have its request answered, with a pause and a warning for each failure. It
/// fails with kTemporary and a reason when that does not help, when the server answers 400, or (after a
/// warning) does not speak the protocol.
Result<std::unique_ptr<Table>> open_tcp(std::string_view name, const TableContext& context);
Result<std::unique_ptr<Table>> open_tcp(std::string_view name, const TableContext& context,
                                        const TcpTiming& timing);

}  // namespace libmaps
