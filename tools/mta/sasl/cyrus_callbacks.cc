#include "tools/mta/sasl/cyrus_callbacks.h"

#include <algorithm>

#include "libconf/text.h"

namespace mta {
namespace {

/// The levels that are logged. Others are for those who search for errors in the library.
struct LogLevel {
  int level;
  std::string_view label;
};
constexpr std::array<LogLevel, 3> kLogLevels = {{
    {SASL_LOG_ERR, "SASL authentication problem: "},
    {SASL_LOG_FAIL, "SASL authentication failure: "},
    {SASL_LOG_WARN, "SASL authentication warning: "},
}};

constexpr std::size_t kMessageLimit = 100;

using AnyFunction = int (*)();

/// The library has one type for callbacks, and casts them back.
template <class Function>
AnyFunction as_callback(Function* function) {
  return reinterpret_cast<AnyFunction>(reinterpret_cast<void (*)()>(function));
}

}  // namespace

CyrusCallbacks::CyrusCallbacks(CyrusOptions options)
    : options_(std::move(options)),
      list_({{{SASL_CB_GETOPT, as_callback(&get_option), this},
              {SASL_CB_LOG, as_callback(&log), this},
              {SASL_CB_LIST_END, nullptr, nullptr}}}) {}

int CyrusCallbacks::get_option(void* context, const char* /*plugin*/, const char* option, const char** result,
                               unsigned* length) {
  const std::string* value = static_cast<CyrusCallbacks*>(context)->options_.get(option);
  if (value == nullptr) return SASL_FAIL;
  *result = value->c_str();
  if (length != nullptr) *length = static_cast<unsigned>(value->size());
  return SASL_OK;
}

int CyrusCallbacks::log(void* context, int level, const char* message) {
  CyrusCallbacks& self = *static_cast<CyrusCallbacks*>(context);
  const auto* const found = std::find_if(kLogLevels.begin(), kLogLevels.end(),
                                         [&](const LogLevel& each) { return each.level == level; });
  if (found != kLogLevels.end() && message != nullptr && self.messages_.size() < kMessageLimit)
    self.messages_.push_back(libconf::concat(found->label, libconf::printable(message)));
  return SASL_OK;
}

void CyrusCallbacks::report(libconf::DiagnosticSink& log) {
  for (std::string& each : messages_) log.warn("sasl-library", std::move(each));
  messages_.clear();
}

}  // namespace mta
