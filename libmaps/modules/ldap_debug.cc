#include "libmaps/modules/ldap_debug.h"

#include <lber.h>
#include <ldap.h>

#include <string_view>
#include <utility>

#include "libconf/text.h"

namespace libmaps {
namespace {

thread_local libconf::DiagnosticSink* current_sink = nullptr;

void report(const char* text) {
  if (current_sink == nullptr) return;
  std::string_view line(text);
  while (!line.empty() && libconf::is_space(line.back())) line.remove_suffix(1);
  current_sink->report({.severity = libconf::Severity::kInfo,
                        .code = "ldap-debug",
                        .message = libconf::concat("dict_ldap_debug: ", line)});
}

int current_level() {
  int level = 0;
  ::ldap_get_option(nullptr, LDAP_OPT_DEBUG_LEVEL, &level);
  return level;
}

void set_level(int level) {
  ::ldap_set_option(nullptr, LDAP_OPT_DEBUG_LEVEL, &level);
  ::ber_set_option(nullptr, LBER_OPT_DEBUG_LEVEL, &level);
}

/// Initialises the library before it has a level: what it says of its own files is beside the point.
bool prepare() {
  int version = 0;
  ::ldap_get_option(nullptr, LDAP_OPT_PROTOCOL_VERSION, &version);
  return ::ber_set_option(nullptr, LBER_OPT_LOG_PRINT_FN, reinterpret_cast<void*>(&report)) ==
         LBER_OPT_SUCCESS;
}

}  // namespace

LdapDebugScope::LdapDebugScope(int level, libconf::DiagnosticSink& sink) {
  static const bool is_prepared = prepare();
  level_before_ = current_level();
  sink_before_ = std::exchange(current_sink, is_prepared ? &sink : nullptr);
  if (level != level_before_) set_level(level);
}

LdapDebugScope::~LdapDebugScope() {
  if (current_level() != level_before_) set_level(level_before_);
  current_sink = sink_before_;
}

}  // namespace libmaps
