/// Asks flush(8) to have the mail for a destination delivered, for ETRN (RFC 1985).
///
///     std::optional<FlushStatus> status = co_await flush_site(executor, "public/flush", "example.com", 60s);
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "tools/mta/queue/fast_flush.h"

namespace mta {

/// What it answers; nothing: nobody does. Each step takes no longer than `limit` (ipc_timeout).
asio::awaitable<std::optional<FlushStatus>> flush_site(asio::any_io_executor executor, std::string path,
                                                       std::string site, std::chrono::seconds limit);

}  // namespace mta
