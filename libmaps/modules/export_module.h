/// How a module exports its entry; see libmaps/module.h.
#pragma once

#include "libmaps/client_table.h"
#include "libmaps/module.h"

/// Once per module, outside of namespaces.
#define POSTKIT_EXPORT_MODULE(type, open)                                                      \
  extern "C" __attribute__((visibility("default"))) const libmaps::ModuleEntry postkit_module; \
  const libmaps::ModuleEntry postkit_module = {libmaps::kModuleAbi, type, open}

/// The same for a type with a .cf file; `make` is a ClientMaker.
#define POSTKIT_EXPORT_CLIENT(type, make)                                                       \
  POSTKIT_EXPORT_MODULE(type, [](std::string_view name, const libmaps::TableContext& context) { \
    return libmaps::open_client(type, name, context, make);                                     \
  })
