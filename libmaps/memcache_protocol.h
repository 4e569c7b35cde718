/// Requests and replies of the memcached text protocol, as far as a lookup table needs them
/// (https://github.com/memcached/memcached/blob/master/doc/protocol.txt). Replies may be any bytes.
///
///     std::string request = memcache_get("joe@example.com");
///     const MemcacheScan scan = scan_memcache_value(bytes_so_far, "joe@example.com", limits);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace libmaps {

/// Whether `key` can be in a request: a key with white space would be several, or end the request, and
/// servers end it at a NUL.
bool is_memcache_key(std::string_view key);

/// What is stored with a value. Negative numbers mean something to the server.
struct MemcacheEntryOptions {
  int flags = 0;
  int ttl = 3600;  ///< Seconds; more than 30 days are a point of time.
};

/// REQUIRES, here and below: is_memcache_key(key).
std::string memcache_get(std::string_view key);
/// `is_new_only` stores nothing where the key is there already ("add").
std::string memcache_set(std::string_view key, std::string_view value, MemcacheEntryOptions options,
                         bool is_new_only);
std::string memcache_delete(std::string_view key);

struct MemcacheReplyLimits {
  std::size_t line_size = 1024;  ///< Of a line, without what ends it; must stay below.
  std::size_t data_size = 10240;
};

/// What the front of a stream is.
struct MemcacheScan {
  enum class State : std::uint8_t {
    kIncomplete,  ///< More bytes are needed to tell.
    kValue,       ///< `text` is the value of the key.
    kMiss,        ///< The server does not have the key.
    kLine,        ///< `text` is a line, without its end: of scan_memcache_line().
    kUnexpected,  ///< `text` is a line that has no place here.
    kBadData,     ///< The data do not end where they should.
    kTooLong,     ///< The line is.
  };
  State state = State::kIncomplete;
  std::string_view text = {};  ///< Points into what was scanned.
  std::size_t length = 0;      ///< Of the whole reply: when kValue, kMiss, kLine.
};

/// Looks for a line, which ends with LF or CRLF.
MemcacheScan scan_memcache_line(std::string_view text, std::size_t size_limit);

/// Looks for the whole reply to memcache_get(key). A text that stays kIncomplete is shorter than both limits,
/// the line's twice, and 8 bytes.
MemcacheScan scan_memcache_value(std::string_view text, std::string_view key, MemcacheReplyLimits limits);

}  // namespace libmaps
