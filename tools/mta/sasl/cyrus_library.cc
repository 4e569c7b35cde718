#include "tools/mta/sasl/cyrus_library.h"

#include <sasl/sasl.h>

#include <memory>
#include <mutex>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
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

}  // namespace

Result<CyrusLibrary*> CyrusLibrary::get(const CyrusOptions& options, libconf::DiagnosticSink& log) {
  static std::mutex lock;
  static CyrusLibrary* library = nullptr;
  const std::lock_guard<std::mutex> guard(lock);
  if (library != nullptr) return library;

  sasl_set_mutex(new_mutex, lock_mutex, unlock_mutex, delete_mutex);
  auto callbacks = std::make_unique<CyrusCallbacks>(options);
  const int status = sasl_server_init(callbacks->list(), nullptr);
  callbacks->report(log);
  if (status != SASL_OK) {
    return Error{
        .kind = ErrorKind::kConfiguration,
        .message = libconf::concat("SASL initialization failed: ", sasl_errstring(status, nullptr, nullptr))};
  }
  // Sessions bring the options of their own service.
  callbacks->forget_options();
  library = std::unique_ptr<CyrusLibrary>(new CyrusLibrary(std::move(callbacks))).release();
  return library;
}

}  // namespace mta
