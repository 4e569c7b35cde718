#include "tools/mta/sasl/cyrus_callbacks.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "libconf/service_root.h"
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

/// An option that is the path of what the library opens for each session.
struct PathOption {
  std::string_view name;
  std::string_view fallback;  ///< As Debian builds the library; empty: none.
};
constexpr std::array<PathOption, 3> kPathOptions = {{
    {"authdaemond_path", ""},
    {"saslauthd_path", "/var/run/saslauthd/mux"},
    {"sasldb_path", "/etc/sasldb2"},
}};

using AnyFunction = int (*)();

/// The library has one type for callbacks, and casts them back.
template <class Function>
AnyFunction as_callback(Function* function) {
  return reinterpret_cast<AnyFunction>(reinterpret_cast<void (*)()>(function));
}

}  // namespace

CyrusCallbacks::CyrusCallbacks(CyrusOptions options, std::string root)
    : options_(std::move(options)),
      root_(std::move(root)),
      list_({{{SASL_CB_GETOPT, as_callback(&get_option), this},
              {SASL_CB_LOG, as_callback(&log), this},
              {SASL_CB_LIST_END, nullptr, nullptr},
              {SASL_CB_LIST_END, nullptr, nullptr},
              {SASL_CB_LIST_END, nullptr, nullptr}}}) {}

CyrusCallbacks::CyrusCallbacks(CyrusOptions options, CyrusCredentials credentials)
    : CyrusCallbacks(std::move(options)) {
  credentials_ = std::move(credentials);
  list_[2] = {SASL_CB_AUTHNAME, as_callback(&get_name), this};
  list_[3] = {SASL_CB_PASS, as_callback(&get_password), this};
}

int CyrusCallbacks::get_name(void* context, int /*id*/, const char** result, unsigned* length) {
  const std::string& name = static_cast<CyrusCallbacks*>(context)->credentials_.name;
  *result = name.c_str();
  if (length != nullptr) *length = static_cast<unsigned>(name.size());
  return SASL_OK;
}

int CyrusCallbacks::get_password(sasl_conn_t* /*connection*/, void* context, int /*id*/,
                                 sasl_secret_t** secret) {
  CyrusCallbacks& self = *static_cast<CyrusCallbacks*>(context);
  const std::string& password = self.credentials_.password;
  self.secret_.assign(sizeof(sasl_secret_t) + password.size(), 0);
  const unsigned long length = password.size();
  std::memcpy(self.secret_.data() + offsetof(sasl_secret_t, len), &length, sizeof length);
  std::memcpy(self.secret_.data() + offsetof(sasl_secret_t, data), password.data(), password.size());
  *secret = reinterpret_cast<sasl_secret_t*>(self.secret_.data());
  return SASL_OK;
}

const std::string* CyrusCallbacks::rooted_path(std::string_view option, const std::string* value) {
  const auto* const known = std::find_if(kPathOptions.begin(), kPathOptions.end(),
                                         [&](const PathOption& each) { return each.name == option; });
  if (known == kPathOptions.end()) return nullptr;
  const std::string path = value == nullptr ? std::string(known->fallback) : *value;
  if (path.empty()) return nullptr;
  std::string& rooted = rooted_paths_[std::string(option)];
  rooted = libconf::RootedPath{.path = path, .root = root_}.on_host();
  return &rooted;
}

int CyrusCallbacks::get_option(void* context, const char* /*plugin*/, const char* option, const char** result,
                               unsigned* length) {
  CyrusCallbacks& self = *static_cast<CyrusCallbacks*>(context);
  const std::string* value = self.options_.get(option);
  if (!self.root_.empty())
    if (const std::string* const rooted = self.rooted_path(option, value)) value = rooted;
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
