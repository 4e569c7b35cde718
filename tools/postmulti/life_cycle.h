/// What postmulti(1) does to instances with -e.
///
///     if (const Action* action = find_action("create")) status = perform(*action, call);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "tools/postmulti/instances.h"

namespace postmulti {

/// What is asked for.
struct EditRequest {
  Selection selection = {};
  std::optional<std::string> new_name = {};   ///< "-": none.
  std::optional<std::string> new_group = {};  ///< "-": none.
  std::vector<std::string> parameters = {};   ///< NAME=VALUE
};

/// What an action works with.
struct EditCall {
  const Instances& instances;
  const EditRequest& request;
  libconf::DiagnosticSink& messages;
  libconf::DiagnosticSink& script_messages;  ///< Of what is done to files.
};

struct Action {
  enum class Names : std::uint8_t { kNone, kOptional, kNeeded };
  std::string_view name;
  Names new_names;                               ///< Whether it takes EditRequest::new_name and new_group.
  std::span<const std::string_view> parameters;  ///< Those that it takes.
  /// Errors: kConfiguration, why not; others: what went wrong with files.
  libconf::Result<void> (*perform)(const EditCall& call);
};

/// All of them.
std::span<const Action> actions();

/// Null: there is none of that name.
const Action* find_action(std::string_view name);

}  // namespace postmulti
