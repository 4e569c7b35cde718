/// A connection to an LDAP server, with searches in flight.
///
///     auto connection = LdapConnection::connect(settings, warnings);
///     const int first = connection->send({.base = base, .filter = filter, ...});
///     const LdapAnswer answer = connection->receive(first);
#pragma once

#include <ldap.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libmaps/modules/ldap_settings.h"
#include "libmaps/modules/ldap_stream.h"

namespace libmaps {

struct LdapSearch {
  std::string base;
  int scope = LDAP_SCOPE_BASE;
  std::string filter;
  const std::vector<std::string>& attributes;  ///< Empty: none.
};

struct FreeLdapMessage {
  void operator()(LDAPMessage* message) const { ::ldap_msgfree(message); }
};
using LdapMessage = std::unique_ptr<LDAPMessage, FreeLdapMessage>;

/// What came of a search.
struct LdapAnswer {
  int code = LDAP_SUCCESS;  ///< LDAP_..., of the server (RFC 4511, 4.1.9) or, below 0, of the library.
  LdapMessage messages;     ///< Whatever was found; may be null.
  std::string details;      ///< What the server or the library said beside the code.
  int error_number = 0;     ///< The errno of a failure on the way.
};

/// Whether the connection is of no further use, and another one might do better.
bool is_connection_lost(int code);

/// Not thread-safe. Every wait is limited by the setting `timeout`.
class LdapConnection {
 public:
  /// Connects, starts TLS and binds, as far as the settings ask for it: without STARTTLS and bind, the
  /// connection is made by the first search. The sink gets the reason of a failure; settings and sink must
  /// outlive the connection. Errors: kTemporary, as
  /// lookup_error() makes it.
  static libconf::Result<std::unique_ptr<LdapConnection>> connect(const LdapServerSettings& settings,
                                                                  libconf::DiagnosticSink& warnings);

  LdapConnection(const LdapConnection&) = delete;
  LdapConnection& operator=(const LdapConnection&) = delete;
  ~LdapConnection();

  /// Lets the next searches be sent together, by the first receive().
  void hold_back() { stream_.hold_back(); }

  /// Sends a search, and sets `id` to what receive() wants. The answer is of use only when its code is not
  /// LDAP_SUCCESS: then nothing was sent.
  LdapAnswer send(const LdapSearch& search, int& id);

  /// Waits for all of the answer.
  LdapAnswer receive(int id);

  /// Tells the server to forget a search.
  void abandon(int id);

  /// The same as send() and receive().
  LdapAnswer search(const LdapSearch& search);

  /// Warns of a failure with what Postfix's warnings lack: table, server, and what the server said. `request`
  /// tells what was asked, if anything.
  void explain(const LdapAnswer& answer, std::string_view request = "") const;

  /// For going through an entry of an answer.
  LDAP* handle() { return handle_; }

 private:
  LdapConnection(const LdapServerSettings& settings, libconf::DiagnosticSink& warnings)
      : settings_(settings), warnings_(warnings), stream_(settings.patience()) {}

  libconf::Result<void> open();
  libconf::Result<void> set_tls_options();
  libconf::Result<void> start_tls();
  libconf::Result<void> bind();
  LdapAnswer bind_simply();
  LdapAnswer bind_by_sasl();
  /// What is known of a failure that the library told of just now.
  LdapAnswer failed(int code) const;

  const LdapServerSettings& settings_;
  libconf::DiagnosticSink& warnings_;
  LdapStream stream_;  ///< Outlives the handle.
  LDAP* handle_ = nullptr;
};

}  // namespace libmaps
