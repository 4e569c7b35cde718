/// `$name` expressions in parameter values (postconf(5), "the general format of the main.cf file").
///
///     $name  $(name)  ${name}               the value of the parameter, expanded
///     ${name?text}  ${name?{text}}          text when the parameter's value is not empty
///     ${name:text}  ${name:{text}}          text when it is empty
///     ${name?{a}:{b}}                       one or the other
///     ${{a} op {b} ? {x} : {y}}             op: == != < <= > >=, and <level and so on for compatibility
///     levels
///     $$                                    a dollar sign
///
///     auto value = expand("$myhostname ESMTP", scope, sink);
///
/// Errors inside an expression are reported to the sink as Postfix's warnings, and end in the Error "macro
/// processing error". Nesting is bounded: a parameter that refers to itself is an error, not a loop.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/result.h"

namespace libconf {

/// Where the values of `$name` come from.
class ExpansionScope {
 public:
  virtual ~ExpansionScope() = default;

  /// The unexpanded value of `name`, or nothing when it has none. The view must stay valid during the
  /// expansion.
  virtual std::optional<std::string_view> value_of(std::string_view name) const = 0;
};

/// Told of every `$name` that an expansion replaces: its name, unexpanded value (nothing: undefined) and
/// depth (1 for a reference in the text itself).
using ExpansionTrace =
    std::function<void(std::string_view name, std::optional<std::string_view> value, int depth)>;

/// `text` with its expressions replaced; an undefined name gives nothing. Error: kSyntax.
Result<std::string> expand(std::string_view text, const ExpansionScope& scope, DiagnosticSink& sink,
                           const ExpansionTrace& trace = {});

/// Calls `visit` for every name that `text` refers to, in order, in branches that would not be taken too.
/// Problems are reported to the sink, and end the scan.
void scan_references(std::string_view text, const std::function<void(std::string_view)>& visit,
                     DiagnosticSink& sink);

}  // namespace libconf
