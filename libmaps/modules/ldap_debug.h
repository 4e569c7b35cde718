/// The debug messages of libldap, which has one level and one outlet for the whole process.
#pragma once

#include "libconf/diagnostic.h"

namespace libmaps {

/// While it lives, messages of `level` (`debuglevel`, a sum of flags) go to a sink, when they come from this
/// thread. Scopes nest.
class LdapDebugScope {
 public:
  LdapDebugScope(int level, libconf::DiagnosticSink& sink);
  LdapDebugScope(const LdapDebugScope&) = delete;
  LdapDebugScope& operator=(const LdapDebugScope&) = delete;
  ~LdapDebugScope();

 private:
  int level_before_;
  libconf::DiagnosticSink* sink_before_;
};

}  // namespace libmaps
