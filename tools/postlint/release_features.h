/// Which release of Postfix has a parameter, with those that stable releases were given later.
#pragma once

#include <string_view>

#include "tools/postlint/version.h"

namespace postlint {

/// Whether `release` has the parameter: it came with that release or an earlier one, or with a patch of it
/// (postconf(5), "This feature is available in Postfix >= 3.9, 3.8.4, ..."). A name that is no parameter is
/// in none. Pure; thread-safe.
bool has_parameter(const Version& release, std::string_view name);

}  // namespace postlint
