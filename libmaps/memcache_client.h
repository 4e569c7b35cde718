/// A client of one memcached server: it connects when it has to, keeps the connection, and tries again what
/// failed (memcache_table(5)).
///
///     MemcacheClient client(settings, "memcache:./cache.cf", "./cache.cf", sink);
///     const std::vector<MemcacheClient::Answer> answers = client.get(keys);
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libmaps/memcache_protocol.h"
#include "libmaps/stream_connection.h"
#include "libmaps/table.h"

namespace libmaps {

struct MemcacheSettings {
  Endpoint endpoint;
  std::chrono::seconds timeout{2};  ///< For connecting, for sending a command, and for receiving a reply.
  std::chrono::milliseconds retry_pause{1000};
  int max_try = 2;
  MemcacheReplyLimits limits;
  MemcacheEntryOptions entry;
};

/// Keys are those of the server, and must be such that is_memcache_key(). An error is kTemporary with the
/// reason alone, as lookup_error() makes it: the server takes no connection, or failed `max_try` times. A
/// first failure passes in silence; each later one gives a warning, as does a connection that was refused.
///
/// Not thread-safe.
class MemcacheClient {
 public:
  using Answer = Result<std::optional<std::string>>;

  /// Messages name the table ("memcache:./cache.cf") or its settings ("./cache.cf"), as Postfix has it. The
  /// sink must outlive the client.
  MemcacheClient(MemcacheSettings settings, std::string table, std::string config,
                 libconf::DiagnosticSink& warnings)
      : settings_(std::move(settings)),
        table_(std::move(table)),
        config_(std::move(config)),
        warnings_(warnings) {}

  /// The values of a prefix of `keys`, at least of the first: those that one request asks for. Where that
  /// fails, the keys are asked for one by one. Only the first answer can be an error. REQUIRES: `keys` is not
  /// empty.
  std::vector<Answer> get(std::span<const std::string> keys);

  /// Stores a value. With `is_new_only`, false: the key is there already.
  Result<bool> set(std::string_view key, std::string_view value, bool is_new_only);

  /// Returns whether the server had the key.
  Result<bool> remove(std::string_view key);

 private:
  /// Why a command failed.
  struct Failure {
    std::string warning;
    Error error;
    bool is_final = false;  ///< To try again is of no use.
  };

  std::optional<Failure> ask(std::span<const std::string> keys, std::vector<Answer>& answers);
  std::optional<Failure> send(std::string_view request);
  std::optional<Failure> read_values(std::span<const std::string> keys, std::vector<Answer>& answers);
  void disconnect();
  template <class Scan>
  Result<MemcacheScan> read_reply(StreamConnection::Deadline deadline, const Scan& scan);
  Result<bool> command(std::string_view request, std::string_view yes, std::string_view no,
                       std::string_view what);
  bool tries_again(int attempt, const Failure& failure);
  Failure input_output(const Error& error) const;
  Failure unexpected(const MemcacheScan& scan) const;

  MemcacheSettings settings_;
  std::string table_;
  std::string config_;
  libconf::DiagnosticSink& warnings_;
  std::optional<StreamConnection> connection_;
  std::string buffer_;          ///< What has come, and was not understood yet.
  std::size_t ask_singly_ = 0;  ///< So many keys are left of a request that failed.
};

}  // namespace libmaps
