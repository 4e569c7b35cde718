/// The error that ends a program.
#pragma once

#include <string>
#include <utility>

#include "libconf/result.h"

namespace cli {

/// What is wrong with a command line, or with what it is about; MessagePrinter::fatal() prints it.
inline libconf::Error fatal(std::string message) { return libconf::configuration_error(std::move(message)); }

}  // namespace cli
