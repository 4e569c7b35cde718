#include "tools/mta/sasl/cyrus_library.h"

#include <sasl/sasl.h>

#include <array>
#include <memory>
#include <mutex>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::Result;

// The library's own default is to have no locks.
void* new_mutex() { return std::make_unique<std::mutex>().release(); }
int lock_mutex(void* mutex) {
  static_cast<std::mutex*>(mutex)->lock();
  return SASL_OK;
}
int unlock_mutex(void* mutex) {
  static_cast<std::mutex*>(mutex)->unlock();
  return SASL_OK;
}
void delete_mutex(void* mutex) { const std::unique_ptr<std::mutex> owner(static_cast<std::mutex*>(mutex)); }

/// Servers and clients share them.
void set_mutexes() {
  static std::once_flag once;
  std::call_once(once, [] { sasl_set_mutex(new_mutex, lock_mutex, unlock_mutex, delete_mutex); });
}

Error initialization_error(int status) {
  return libconf::configuration_error(
      libconf::concat("SASL initialization failed: ", sasl_errstring(status, nullptr, nullptr)));
}

struct SecurityFlag {
  bool SecurityOptions::*member;
  unsigned flag;
};
constexpr std::array<SecurityFlag, 6> kSecurityFlags = {{
    {&SecurityOptions::noplaintext, SASL_SEC_NOPLAINTEXT},
    {&SecurityOptions::noactive, SASL_SEC_NOACTIVE},
    {&SecurityOptions::nodictionary, SASL_SEC_NODICTIONARY},
    {&SecurityOptions::noanonymous, SASL_SEC_NOANONYMOUS},
    {&SecurityOptions::forward_secrecy, SASL_SEC_FORWARD_SECRECY},
    {&SecurityOptions::mutual_auth, SASL_SEC_MUTUAL_AUTH},
}};

}  // namespace

unsigned security_flags(const SecurityOptions& options) {
  unsigned flags = 0;
  for (const SecurityFlag& each : kSecurityFlags)
    if (options.*(each.member)) flags |= each.flag;
  return flags;
}

Result<CyrusLibrary*> CyrusLibrary::get(const CyrusOptions& options, libconf::DiagnosticSink& log) {
  static std::mutex lock;
  static CyrusLibrary* library = nullptr;
  const std::lock_guard<std::mutex> guard(lock);
  if (library != nullptr) return library;

  set_mutexes();
  auto callbacks = std::make_unique<CyrusCallbacks>(options);
  const int status = sasl_server_init(callbacks->list(), nullptr);
  callbacks->report(log);
  if (status != SASL_OK) return initialization_error(status);
  // Sessions bring the options of their own service.
  callbacks->forget_options();
  library = std::unique_ptr<CyrusLibrary>(new CyrusLibrary(std::move(callbacks))).release();
  return library;
}

Result<void> CyrusLibrary::start_client(libconf::DiagnosticSink& log) {
  static std::mutex lock;
  static CyrusCallbacks* callbacks = nullptr;  // The library uses them until the process ends.
  const std::lock_guard<std::mutex> guard(lock);
  if (callbacks != nullptr) return {};

  set_mutexes();
  auto own = std::make_unique<CyrusCallbacks>(CyrusOptions());
  const int status = sasl_client_init(own->list());
  own->report(log);
  if (status != SASL_OK) return initialization_error(status);
  callbacks = own.release();
  return {};
}

}  // namespace mta
