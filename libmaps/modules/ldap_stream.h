/// What is between libldap and its sockets. The library by itself waits without limit for a server that stops
/// in the middle of a TLS handshake or of a message, and has two system calls for each message.
///
///     LdapStream stream(10s);
///     stream.attach(handle);     // before it connects
///     stream.hold_back();        // requests are collected
///     ldap_search_ext(...);
///     stream.start_waiting();
///     if (stream.flush()) ldap_result(...);
#pragma once

#include <ldap.h>

#include <chrono>
#include <vector>

namespace libmaps {

/// The sockets of one handle: one, or more when it chases referrals. Must outlive the handle. Not
/// thread-safe.
class LdapStream {
 public:
  explicit LdapStream(std::chrono::seconds patience) : patience_(patience) {
    callbacks_.lc_add = on_connect;
    callbacks_.lc_del = [](LDAP*, Sockbuf*, ldap_conncb*) {};
    callbacks_.lc_arg = this;
  }
  LdapStream(const LdapStream&) = delete;
  LdapStream& operator=(const LdapStream&) = delete;

  /// Looks after each socket that `handle` opens from now on.
  void attach(LDAP* handle);

  /// From now on the server has so much time again. A new connection starts it, too.
  void start_waiting();

  /// Whether that time was over, once.
  bool is_timed_out() const { return is_timed_out_; }

  /// Keeps what is written until flush(), or until there is much of it.
  void hold_back() { holds_back_ = true; }

  /// Sends it. False: that failed, with the reason in errno.
  bool flush();

 private:
  class Channel;
  struct Layer;
  using Clock = std::chrono::steady_clock;

  static int on_connect(LDAP* handle, Sockbuf* socket, LDAPURLDesc* url, sockaddr* address,
                        ldap_conncb* callbacks);

  std::chrono::seconds patience_;
  ldap_conncb callbacks_{};
  std::vector<Channel*> channels_;  ///< Each is owned by its socket.
  Clock::time_point deadline_ = {};
  bool is_timed_out_ = false;
  bool holds_back_ = false;
};

}  // namespace libmaps
