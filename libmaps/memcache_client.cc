#include "libmaps/memcache_client.h"

#include <algorithm>
#include <thread>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"

namespace libmaps {
namespace {

using libconf::concat;
using State = MemcacheScan::State;

/// Requests that go out before a reply is read are never more than these bytes: a server that waits until we
/// have read its replies still has room for them.
constexpr std::size_t kMaxRequests = 16384;

}  // namespace

std::vector<MemcacheClient::Answer> MemcacheClient::get(std::span<const std::string> keys) {
  std::vector<Answer> answers;
  for (int attempt = 1;; ++attempt) {
    std::string requests;
    std::size_t count = 0;
    do {
      requests += memcache_get(keys[count++]);
    } while (count < keys.size() && requests.size() < kMaxRequests);
    std::optional<Failure> failure = send(requests);
    if (!failure) failure = read_values(keys.first(count), answers);
    if (!answers.empty()) return answers;  // What failed later is tried again when it is asked for.
    if (!tries_again(attempt, *failure)) return {failure->error};
    keys = keys.first(1);
  }
}

Result<bool> MemcacheClient::set(std::string_view key, std::string_view value, bool is_new_only) {
  return command(memcache_set(key, value, settings_.entry, is_new_only), "STORED",
                 is_new_only ? "NOT_STORED" : "", "update");
}

Result<bool> MemcacheClient::remove(std::string_view key) {
  return command(memcache_delete(key), "DELETED", "NOT_FOUND", "delete");
}

/// A command with a reply of one line.
Result<bool> MemcacheClient::command(std::string_view request, std::string_view yes, std::string_view no,
                                     std::string_view what) {
  for (int attempt = 1;; ++attempt) {
    std::optional<Failure> failure = send(request);
    if (!failure) {
      const Result<MemcacheScan> reply = read_reply(
          [this](std::string_view text) { return scan_memcache_line(text, settings_.limits.line_size); });
      if (!reply) {
        failure = input_output(reply.error());
      } else if (reply->state == State::kTooLong) {
        failure = unexpected(*reply);
      } else {
        const std::string line(reply->text);
        buffer_.erase(0, reply->length);
        if (line == yes) return true;
        if (line == no) return false;
        failure =
            Failure{.warning = concat("database ", table_, ": ", what, " failed: ", libconf::printable(line)),
                    .error = lookup_error(0)};
      }
    }
    if (!tries_again(attempt, *failure)) return failure->error;
  }
}

/// Sends `request`, over a new connection where there is none.
std::optional<MemcacheClient::Failure> MemcacheClient::send(std::string_view request) {
  // A reply that nobody asked for would pass for the one to this request.
  if (!buffer_.empty()) connection_.reset();
  buffer_.clear();
  if (!connection_) {
    Result<StreamConnection> connection =
        StreamConnection::connect(settings_.endpoint, settings_.timeout, warnings_);
    if (!connection)
      return Failure{
          .warning = concat("connect to ", settings_.endpoint.text, ": ", connection.error().message),
          .error = connection.error(),
          .is_final = true};
    connection_ = std::move(*connection);
  }
  const auto deadline = StreamConnection::Clock::now() + settings_.timeout;
  if (const Result<void> written = connection_->write(request, deadline); !written)
    return input_output(written.error());
  return std::nullopt;
}

std::optional<MemcacheClient::Failure> MemcacheClient::read_values(std::span<const std::string> keys,
                                                                   std::vector<Answer>& answers) {
  for (const std::string& key : keys) {
    const Result<MemcacheScan> reply =
        read_reply([&](std::string_view text) { return scan_memcache_value(text, key, settings_.limits); });
    if (!reply) return input_output(reply.error());
    if (reply->state == State::kValue) {
      // A value is a C string to Postfix.
      answers.emplace_back(std::string(reply->text.substr(0, reply->text.find('\0'))));
    } else if (reply->state == State::kMiss) {
      answers.emplace_back(std::nullopt);
    } else {
      return unexpected(*reply);
    }
    buffer_.erase(0, reply->length);
  }
  return std::nullopt;
}

/// What `scan` makes of the reply when that is complete. It points into the buffer.
template <class Scan>
Result<MemcacheScan> MemcacheClient::read_reply(const Scan& scan) {
  constexpr std::size_t kMostAtOnce = 65536;
  const auto deadline = StreamConnection::Clock::now() + settings_.timeout;
  for (;;) {
    const MemcacheScan found = scan(buffer_);
    if (found.state != State::kIncomplete) return found;
    const Result<std::size_t> count = connection_->read_some(buffer_, kMostAtOnce, deadline);
    if (!count) return count.error();
    if (*count == 0) return lookup_error(0);
  }
}

/// Leaves the connection, and waits for the next attempt where there is one.
bool MemcacheClient::tries_again(int attempt, const Failure& failure) {
  connection_.reset();
  buffer_.clear();
  const bool is_last = failure.is_final || attempt >= settings_.max_try;
  // Postfix is silent about a first failure; but here nobody would learn why where it is the only one.
  if (is_last || attempt > 1) warnings_.warn("memcache-failed", failure.warning);
  if (is_last) return false;
  std::this_thread::sleep_for(settings_.retry_pause);
  return true;
}

MemcacheClient::Failure MemcacheClient::input_output(const Error& error) const {
  const bool has_reason = error.message != lookup_error(0).message;
  return {
      .warning = concat("database ", table_, ": I/O error", has_reason ? concat(": ", error.message) : ""),
      .error = error};
}

MemcacheClient::Failure MemcacheClient::unexpected(const MemcacheScan& scan) const {
  const Error error = lookup_error(0);
  switch (scan.state) {
    case State::kTooLong:
      return input_output(error);
    case State::kBadData:
      return {.warning = concat(config_, ": EOF receiving memcache server reply"), .error = error};
    default:
      return {
          .warning = concat(config_, ": unexpected memcache server reply: ", libconf::printable(scan.text)),
          .error = error};
  }
}

}  // namespace libmaps
