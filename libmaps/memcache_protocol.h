/// Requests and replies of the memcached text protocol, as far as a lookup table needs them
/// (https://github.com/memcached/memcached/blob/master/doc/protocol.txt). Replies may be any bytes.
///
///     std::string request = memcache_get(keys);
///     const MemcacheScan scan = scan_memcache_item(bytes_so_far, limits);   // a value, or the end
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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

/// REQUIRES, here and below: is_memcache_key(key). The reply to several keys has the values of those that are
/// there, and then an end.
std::string memcache_get(std::span<const std::string> keys);
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
    kValue,       ///< `text` is the value of `key`.
    kEnd,         ///< There are no more values.
    kLine,        ///< `text` is a line, without its end: of scan_memcache_line().
    kUnexpected,  ///< `text` is a line that has no place here.
    kBadData,     ///< The data do not end where they should.
    kTooLong,     ///< The line is.
  };
  State state = State::kIncomplete;
  std::string_view text = {};  ///< Points into what was scanned, as `key` does.
  std::size_t length = 0;      ///< Of what was found: when kValue, kEnd, kLine.
  std::string_view key = {};
};

/// Looks for a line, which ends with LF or CRLF.
MemcacheScan scan_memcache_line(std::string_view text, std::size_t size_limit);

/// Looks for a value with all that belongs to it, or the end. A text that stays kIncomplete is shorter than
/// both limits and 8 bytes.
MemcacheScan scan_memcache_item(std::string_view text, MemcacheReplyLimits limits);

}  // namespace libmaps
