#include "tools/qmgr/flush_service.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <memory>
#include <string>
#include <utility>

namespace qmgr {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using mta::FlushStatus;

Result<void> FlushService::listen(mta::Transport transport, libconf::FileDescriptor socket) {
  if (transport != mta::Transport::kUnix)
    return Error{.kind = ErrorKind::kUnsupported, .message = "flush has no clients there"};
  acceptors_.add(std::move(socket));
  return {};
}

void FlushService::take(Socket client) {
  was_used_ = true;
  asio::co_spawn(io_, serve(std::make_shared<Socket>(std::move(client))), asio::detached);
}

/// What makes no sense is not answered.
asio::awaitable<void> FlushService::serve(std::shared_ptr<Socket> client) {
  asio::steady_timer deadline(io_, limit_);
  deadline.async_wait([client](const asio::error_code& cancelled) {
    asio::error_code ignored;
    if (!cancelled) client->close(ignored);
  });
  asio::error_code failure;
  std::string text = mta::format_attribute_list({{"protocol", "queue_flush_protocol"}});
  auto output = asio::buffer(text);
  co_await asio::async_write(*client, output, asio::redirect_error(asio::use_awaitable, failure));
  mta::AttributeListReader reader;
  std::optional<mta::AttributeList> request;
  std::array<char, 4096> block{};
  const auto input = asio::buffer(block);
  while (!failure && !(request = reader.take())) {
    const std::size_t size =
        co_await client->async_read_some(input, asio::redirect_error(asio::use_awaitable, failure));
    if (!reader.feed({block.data(), size})) break;
  }
  const std::optional<FlushStatus> status = request ? carry_out(*request) : std::nullopt;
  if (status) {
    text = mta::format_attribute_list({{"status", std::to_string(static_cast<int>(*status))}});
    output = asio::buffer(text);
    co_await asio::async_write(*client, output, asio::redirect_error(asio::use_awaitable, failure));
  }
  deadline.cancel();
}

std::optional<FlushStatus> FlushService::carry_out(const mta::AttributeList& request) {
  const std::optional<std::string_view> what = mta::find_attribute(request, "request");
  if (!what) return FlushStatus::kInvalid;
  const std::string_view site = mta::find_attribute(request, "site").value_or("");
  const std::string_view id = mta::find_attribute(request, "queue_id").value_or("");
  if (what == "add") return flush_.add(site, id);
  if (what == "send_site") return flush_.send_site(site);
  if (what == "send_file") return flush_.send_file(id);
  if (what == "purge") {
    flush_.purge();
    return FlushStatus::kDone;
  }
  if (what == "refresh") flush_.refresh();
  return std::nullopt;
}

}  // namespace qmgr
