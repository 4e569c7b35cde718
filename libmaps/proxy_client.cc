#include "libmaps/proxy_client.h"

#include <cerrno>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"

namespace libmaps {

using libconf::concat;

Result<ProxyClientSettings> read_proxy_settings(const libconf::Settings& settings,
                                                std::string_view service_parameter) {
  const Result<std::string> service = settings.get(service_parameter);
  if (!service) return service.error();
  const Result<std::string> queue_directory = settings.get("queue_directory");
  if (!queue_directory) return queue_directory.error();
  ProxyClientSettings read{.service = *service,
                           .path = concat(*queue_directory, "/private/", *service),
                           .timeout = {},
                           .idle = {},
                           .ttl = {}};
  const struct {
    std::string_view parameter;
    std::chrono::seconds& value;
  } durations[] = {{"ipc_timeout", read.timeout}, {"ipc_idle", read.idle}, {"ipc_ttl", read.ttl}};
  for (const auto& [parameter, value] : durations) {
    const Result<std::chrono::seconds> duration = settings.get_duration(parameter);
    if (!duration) return duration.error();
    value = *duration;
  }
  return read;
}

Result<ProxyReply> ProxyClient::ask(const ProxyRequest& request) {
  errno = 0;
  const Clock::time_point now = Clock::now();
  if (connection_ && (now - used_ >= settings_.idle || now - connected_ >= settings_.ttl))
    connection_.reset();
  const std::string bytes = encode(request);
  Result<std::optional<std::string>> message = exchange(bytes);
  const bool is_repeatable =
      request.kind != ProxyRequestKind::kSequence || request.function == ProxySequence::kFirst;
  if (message && !*message && is_repeatable) message = exchange(bytes);
  if (!message) return message.error();
  if (!*message) return fail("unexpected disconnect", lookup_error(errno));
  std::optional<ProxyReply> reply = parse_reply(scan_attributes(**message).attributes, request.kind);
  if (!reply) {
    connection_.reset();
    return fail("malformed reply", lookup_error(0));
  }
  return std::move(*reply);
}

Result<void> ProxyClient::connect() {
  Result<StreamConnection> connection = StreamConnection::connect(
      {.is_local = true, .host = settings_.path, .service = {}, .text = settings_.path}, settings_.timeout,
      warnings_);
  if (!connection) return connection.error();
  connection_ = std::move(*connection);
  connected_ = used_ = Clock::now();
  return {};
}

Result<std::optional<std::string>> ProxyClient::exchange(std::string_view request) {
  const auto deadline = Clock::now() + settings_.timeout;
  if (!connection_) {
    if (const Result<void> connected = connect(); !connected)
      return fail(concat("cannot connect: ", connected.error().message), connected.error());
    Result<std::optional<std::string>> greeting = read_message(deadline);
    if (!greeting || !*greeting) return greeting;
    if (!is_proxy_greeting(scan_attributes(**greeting).attributes)) {
      connection_.reset();
      return fail("unexpected protocol", lookup_error(0));
    }
  }
  if (const Result<void> written = connection_->write(request, deadline); !written) {
    connection_.reset();
    if (Clock::now() >= deadline) return fail(written.error().message, written.error());
    return std::optional<std::string>();
  }
  Result<std::optional<std::string>> reply = read_message(deadline);
  used_ = Clock::now();
  return reply;
}

Result<std::optional<std::string>> ProxyClient::read_message(StreamConnection::Deadline deadline) {
  const auto broken = [this](std::string_view what, Error error) {
    connection_.reset();
    return fail(what, std::move(error));
  };
  std::string buffer;
  for (;;) {
    const Result<std::size_t> count = connection_->read_some(buffer, kMaxProxyMessage, deadline);
    if (!count && Clock::now() >= deadline) return broken(count.error().message, count.error());
    if (!count || *count == 0) {
      if (!buffer.empty()) return broken("unexpected disconnect in a reply", lookup_error(0));
      connection_.reset();
      return std::optional<std::string>();
    }
    const AttributeScan scan = scan_attributes(buffer);
    switch (scan.state) {
      case AttributeScan::State::kIncomplete:
        break;
      case AttributeScan::State::kTooLong:
        return broken("reply without end", lookup_error(0));
      case AttributeScan::State::kComplete:
        // What follows would pass for the reply to the next request.
        if (scan.length != buffer.size()) return broken("more than one reply", lookup_error(0));
        return std::optional(std::move(buffer));
    }
  }
}

Error ProxyClient::fail(std::string_view what, Error error) {
  warnings_.warn("proxy-failed", concat("table ", table_, ": service ", settings_.path, ": ", what));
  return error;
}

}  // namespace libmaps
