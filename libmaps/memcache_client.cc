#include "libmaps/memcache_client.h"

#include <algorithm>
#include <thread>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"

namespace libmaps {
namespace {

using libconf::concat;
using State = MemcacheScan::State;

/// A server refuses the whole request for a key that is longer (protocol.txt).
constexpr std::size_t kMaxKey = 250;
constexpr std::size_t kMaxRequest = 8192;

/// The first of `keys`, and those after it that can be in the same request: each once, for servers that would
/// reply to both with one value.
std::span<const std::string> one_request(std::span<const std::string> keys) {
  if (keys.front().size() > kMaxKey) return keys.first(1);
  std::size_t size = 0;
  std::size_t count = 0;
  for (; count < keys.size(); ++count) {
    const std::string& key = keys[count];
    size += key.size() + 1;
    const auto earlier = keys.first(count);
    const bool is_repeated = std::find(earlier.begin(), earlier.end(), key) != earlier.end();
    if (key.size() > kMaxKey || size > kMaxRequest || is_repeated) break;
  }
  return keys.first(count);
}

}  // namespace

std::vector<MemcacheClient::Answer> MemcacheClient::get(std::span<const std::string> keys) {
  std::vector<Answer> answers;
  const std::span<const std::string> together = ask_singly_ > 0 ? keys.first(1) : one_request(keys);
  if (together.size() > 1) {
    if (!ask(together, answers)) return answers;
    // What is wrong with which key shows when each is asked for alone, in its turn.
    disconnect();
    ask_singly_ = together.size();
  }
  if (ask_singly_ > 0) --ask_singly_;
  for (int attempt = 1;; ++attempt) {
    const std::optional<Failure> failure = ask(keys.first(1), answers);
    if (!failure) return answers;
    if (!tries_again(attempt, *failure)) return {failure->error};
  }
}

/// Sets `answers` to those to all of `keys`, unless it fails.
std::optional<MemcacheClient::Failure> MemcacheClient::ask(std::span<const std::string> keys,
                                                           std::vector<Answer>& answers) {
  answers.assign(keys.size(), Answer(std::nullopt));
  std::optional<Failure> failure = send(memcache_get(keys));
  return failure ? failure : read_values(keys, answers);
}

Result<bool> MemcacheClient::set(std::string_view key, std::string_view value, bool is_new_only) {
  return command(memcache_set(key, value, settings_.entry, is_new_only), "STORED",
                 is_new_only ? "NOT_STORED" : "", "update");
}

Result<bool> MemcacheClient::remove(std::string_view key) {
  return command(memcache_delete(key), "DELETED", "NOT_FOUND", "delete");
}

/// A command with a reply of one line; an empty `no` is none.
Result<bool> MemcacheClient::command(std::string_view request, std::string_view yes, std::string_view no,
                                     std::string_view what) {
  for (int attempt = 1;; ++attempt) {
    std::optional<Failure> failure = send(request);
    if (!failure) {
      const auto deadline = StreamConnection::Clock::now() + settings_.timeout;
      const Result<MemcacheScan> reply = read_reply(deadline, [this](std::string_view text) {
        return scan_memcache_line(text, settings_.limits.line_size);
      });
      if (!reply) {
        failure = input_output(reply.error());
      } else if (reply->state == State::kTooLong) {
        failure = unexpected(*reply);
      } else {
        const std::string line(reply->text);
        buffer_.erase(0, reply->length);
        if (line == yes) return true;
        if (!no.empty() && line == no) return false;
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
  if (!buffer_.empty()) disconnect();
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
  const auto deadline = StreamConnection::Clock::now() + settings_.timeout;
  std::size_t next = 0;  // Values come in the order of the keys, but for some servers before servers.
  for (;;) {
    const Result<MemcacheScan> item = read_reply(
        deadline, [this](std::string_view text) { return scan_memcache_item(text, settings_.limits); });
    if (!item) return input_output(item.error());
    if (item->state == State::kValue) {
      const auto is_key = [&](const std::string& key) { return key == item->key; };
      auto key = std::find_if(keys.begin() + static_cast<std::ptrdiff_t>(next), keys.end(), is_key);
      if (key == keys.end()) key = std::find_if(keys.begin(), keys.end(), is_key);
      const auto place = static_cast<std::size_t>(key - keys.begin());
      if (key == keys.end() || *answers[place])
        return unexpected(
            {State::kUnexpected, std::string_view(buffer_).substr(0, buffer_.find_first_of("\r\n"))});
      // A value is a C string to Postfix.
      answers[place] = std::string(item->text.substr(0, item->text.find('\0')));
      next = place + 1;
    } else if (item->state != State::kEnd) {
      return unexpected(*item);
    }
    const bool is_end = item->state == State::kEnd;
    buffer_.erase(0, item->length);
    if (is_end) return std::nullopt;
  }
}

/// What `scan` makes of the reply when that is complete. It points into the buffer.
template <class Scan>
Result<MemcacheScan> MemcacheClient::read_reply(StreamConnection::Deadline deadline, const Scan& scan) {
  constexpr std::size_t kMostAtOnce = 65536;
  for (;;) {
    const MemcacheScan found = scan(buffer_);
    if (found.state != State::kIncomplete) return found;
    const Result<std::size_t> count = connection_->read_some(buffer_, kMostAtOnce, deadline);
    if (!count) return count.error();
    if (*count > 0) continue;
    // Postfix tells an end amid data from one before a reply.
    if (buffer_.find('\n') != std::string::npos) return MemcacheScan{.state = State::kBadData};
    return lookup_error(0);
  }
}

/// Leaves the connection, and waits for the next attempt where there is one.
bool MemcacheClient::tries_again(int attempt, const Failure& failure) {
  disconnect();
  const bool is_last = failure.is_final || attempt >= settings_.max_try;
  // Postfix is silent about a first failure; but here nobody would learn why where it is the only one.
  if (is_last || attempt > 1) warnings_.warn("memcache-failed", failure.warning);
  if (is_last) return false;
  std::this_thread::sleep_for(settings_.retry_pause);
  return true;
}

void MemcacheClient::disconnect() {
  connection_.reset();
  buffer_.clear();
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
