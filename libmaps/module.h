/// Table types that live in a shared library of their own, so that a program loads a database's client only
/// when a table asks for it: `sqlite:` is in libmaps-sqlite.so.
///
///     Result<std::unique_ptr<Table>> table = open_module_table("sqlite", "/etc/postfix/aliases.cf",
///     context);
///
/// A module holds its own copy of the static libraries, and exports one symbol. Objects cross between program
/// and module by their headers only: virtual functions, and inline members of standard types. Both sides are
/// therefore of the same build, which the entry is checked for. Each may have a C++ runtime of its own:
/// memory is malloc()'s on both sides, and exceptions do not cross.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// What must be equal on both sides: the layout of the classes that cross (bumped when it changes), the
/// compiler, and the library's choice of std::string.
#define POSTKIT_STRINGIFY_(x) #x
#define POSTKIT_STRINGIFY(x) POSTKIT_STRINGIFY_(x)
inline constexpr char kModuleAbi[] =
    "postkit module 3, " __VERSION__ ", cxx11 abi " POSTKIT_STRINGIFY(_GLIBCXX_USE_CXX11_ABI);

/// What a module exports: `extern "C" const ModuleEntry postkit_module`. The texts are C strings, so that a
/// module of any other build can still be told apart.
struct ModuleEntry {
  const char* abi;   ///< kModuleAbi of the module's build; first, whatever else changes.
  const char* type;  ///< "sqlite"
  Result<std::unique_ptr<Table>> (*open)(std::string_view name, const TableContext& context);
};

inline constexpr char kModuleEntryName[] = "postkit_module";

/// Where modules are looked for, in order: beside the running program, in ../lib and in the installed place
/// as seen from there, and in the place that this build installs to.
std::vector<std::string> module_directories();

/// The file of a type's module, or nothing when none is installed.
std::optional<std::string> find_module(std::string_view type);

/// Opens a table of a type that is in a module, which is loaded on first use and stays. Thread-safe. Errors:
/// kUnsupported, when the module is missing ("unsupported dictionary type: TYPE. Is the postkit-TYPE package
/// installed? ..."), cannot be loaded or is of another build ("unsupported dictionary type: TYPE (FILE:
/// REASON)"); those of the type.
Result<std::unique_ptr<Table>> open_module_table(std::string_view type, std::string_view name,
                                                 const TableContext& context);

}  // namespace libmaps
