/// The state that libsasl2 keeps for a process: plugins and locks; and the threads that its calls run on.
///
///     Result<CyrusLibrary*> library = CyrusLibrary::get(options, log);
///     asio::post((*library)->threads(), [] { sasl_server_start(...); });
#pragma once

#include <asio/thread_pool.hpp>
#include <memory>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "tools/mta/sasl/cyrus_callbacks.h"
#include "tools/mta/sasl/cyrus_options.h"
#include "tools/mta/sasl/security_options.h"

namespace mta {

class CyrusLibrary {
 public:
  /// Initialises the library with the first call. Plugins that read options when they are loaded (sql,
  /// ldapdb) see those of the first caller. `log` gets what plugins say while they are loaded. Thread-safe.
  /// Errors: kConfiguration, when the library cannot be initialised.
  static libconf::Result<CyrusLibrary*> get(const CyrusOptions& options, libconf::DiagnosticSink& log);

  /// Initialises the library for clients with the first call. Thread-safe. The same errors.
  static libconf::Result<void> start_client(libconf::DiagnosticSink& log);

  /// Calls that verify a password may wait for a server, such as saslauthd, without end. The threads are
  /// never joined: a process that ends does not wait for them.
  asio::thread_pool& threads() { return threads_; }

 private:
  static constexpr std::size_t kThreads = 8;
  explicit CyrusLibrary(std::unique_ptr<CyrusCallbacks> callbacks)
      : callbacks_(std::move(callbacks)), threads_(kThreads) {}

  std::unique_ptr<CyrusCallbacks> callbacks_;  ///< The library uses them until the process ends.
  asio::thread_pool threads_;
};

/// SASL_SEC_*, for SASL_SEC_PROPS. Pure.
unsigned security_flags(const SecurityOptions& options);

}  // namespace mta
