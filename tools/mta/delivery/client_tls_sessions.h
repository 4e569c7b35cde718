/// TLS sessions that the client may resume (RFC 8446, section 2.2; RFC 5077): smtp_tls_session_cache_database
/// and smtp_tls_session_cache_timeout (postconf(5)). They are kept in memory, whatever database is named.
///
///     ClientTlsSessions sessions(std::chrono::hours(1));
///     sessions.put("mx.example.com[192.0.2.7]:25 ...", session);
///     if (SSL_SESSION* known = sessions.find(key)) SSL_set_session(ssl, known);
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

namespace mta {

/// Not thread-safe.
class ClientTlsSessions {
 public:
  explicit ClientTlsSessions(std::chrono::seconds lifetime) : lifetime_(lifetime) {}

  /// Takes `session`, in place of one with the same key. Of too many, the one that ends next is dropped.
  void put(const std::string& key, SSL_SESSION* session);

  /// Stays the object's; null: there is none, or it is too old.
  SSL_SESSION* find(const std::string& key);

 private:
  using Clock = std::chrono::steady_clock;
  struct Free {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  struct Entry {
    std::unique_ptr<SSL_SESSION, Free> session;
    Clock::time_point end;
  };

  std::chrono::seconds lifetime_;
  std::map<std::string, Entry> entries_;
};

}  // namespace mta
