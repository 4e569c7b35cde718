/// Runs coroutines in tests.
///
///     asio::io_context io;
///     const SaslReply reply = run(io, exchange.start("PLAIN", "="));
#pragma once

#include <gtest/gtest.h>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <utility>

namespace mta {

/// The value of `coroutine`, which must come within a minute; what else is in `io` goes on meanwhile.
template <class T>
T run(asio::io_context& io, asio::awaitable<T> coroutine) {
  std::optional<T> value;
  asio::co_spawn(io, std::move(coroutine), [&](std::exception_ptr failure, T result) {
    EXPECT_EQ(failure, nullptr);
    value.emplace(std::move(result));
  });
  io.restart();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!value && std::chrono::steady_clock::now() < deadline) io.run_one_for(std::chrono::seconds(1));
  EXPECT_TRUE(value) << "it takes too long";
  return value ? std::move(*value) : T();
}

}  // namespace mta
