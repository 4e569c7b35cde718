/// The $names that local(8) knows of a recipient: in forward_path, luser_relay and
/// command_execution_directory.
///
///     RecipientNames names{.user = "ann", .home = "/home/ann"};
///     names.expand("$home/.forward", filter, settings);
#pragma once

#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

struct RecipientNames {
  std::string user;
  std::string home = {};
  std::string shell = {};
  std::string recipient;  ///< All of the address, in internal form.
  std::string local;
  std::string extension = {};  ///< Without its delimiter.
  std::string delimiter = {};
  std::string domain = {};

  /// `text` with the names replaced. Characters of values that are not in `filter` become underscores; an
  /// empty filter allows all. Other names are those of `settings`; a name without a value is nothing.
  /// Errors: kSyntax.
  libconf::Result<std::string> expand(std::string_view text, std::string_view filter,
                                      const libconf::Settings& settings) const;
};

/// Characters of `text` that are not in `allowed` become underscores. Pure.
std::string filtered(std::string_view text, std::string_view allowed);

}  // namespace mta
