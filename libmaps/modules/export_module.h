/// How a module exports its entry; see libmaps/module.h.
#pragma once

#include "libmaps/module.h"

/// Once per module, outside of namespaces.
#define POSTKIT_EXPORT_MODULE(type, open)                                                      \
  extern "C" __attribute__((visibility("default"))) const libmaps::ModuleEntry postkit_module; \
  const libmaps::ModuleEntry postkit_module = {libmaps::kModuleAbi, type, open}
