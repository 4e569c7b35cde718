/// The client's side of AUTH through Cyrus SASL (SASL_README, "Configuring SASL authentication in the Postfix
/// SMTP/LMTP client"; RFC 4954).
///
///     auto client = CyrusClient::open({.service = "smtp", .host = "mx.example.com"}, credentials, options,
///     log); Result<CyrusClient::Start> start = (*client)->start("PLAIN LOGIN"); send("AUTH " +
///     start->mechanism, start->response); Result<std::string> response = (*client)->step(challenge);
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "tools/mta/sasl/cyrus_callbacks.h"
#include "tools/mta/sasl/security_options.h"

namespace mta {

/// Not thread-safe. Challenges and responses are bytes, without base64.
class CyrusClient {
 public:
  struct Place {
    std::string service;  ///< "smtp", "lmtp"
    std::string host;     ///< The server's name.
  };
  struct Start {
    std::string mechanism;
    std::optional<std::string> response;  ///< To be sent with AUTH.
  };

  /// Initialises the library with the first call. `log` gets what the library says, and must outlive the
  /// object. Errors, of this and the others: kTemporary, in the library's words, "no mechanism available".
  static libconf::Result<std::unique_ptr<CyrusClient>> open(const Place& place, CyrusCredentials credentials,
                                                            const SecurityOptions& options,
                                                            libconf::DiagnosticSink& log);
  virtual ~CyrusClient() = default;

  /// Chooses one of the mechanisms, separated by blanks, that the server offers.
  virtual libconf::Result<Start> start(const std::string& mechanisms) = 0;

  virtual libconf::Result<std::string> step(const std::string& challenge) = 0;

  /// What a challenge that cannot be read is.
  static libconf::Error unreadable_challenge();
};

}  // namespace mta
