/// Which parameter names mean something in a configuration, and what is wrong with the others.
///
/// Built-in names come from the parameter table and service-defined names from master.cf. A user-defined name
/// counts when something uses it: a `$name`, a restriction class, a table such as `mysql:name` (which reads
/// name_hosts and so on). A setting that nothing uses is most often a misspelt one.
///
///     auto inventory = ParameterInventory::scan(settings, "main.cf", &master_cf, sink);
///     inventory->class_of("my_networks") == ParameterClass::kUser;
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/master_cf_document.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace libconf {

enum class ParameterClass : unsigned { kBuiltin = 1, kService = 2, kUser = 4 };

/// A set of classes.
using ParameterClasses = unsigned;
inline constexpr ParameterClasses kAllClasses = 7;

class ParameterInventory {
 public:
  /// What a scan does about a value in use that cannot be expanded.
  enum class OnError {
    kStop,  ///< end with its Error, as Postfix's tools do
    kGoOn,  ///< report it to the sink as an error, and go on
  };

  /// Knows built-in and service-defined names only, and looks at no value. `settings` must outlive the
  /// object.
  static ParameterInventory defaults(const Settings& settings);

  /// Looks at every explicit setting of main.cf (called `main_cf` in messages), and of master.cf's services.
  /// Without a master.cf (nullptr), service-defined names pass for misspelt ones. The sink gets, as Postfix
  /// words them: undefined names in values, and problems in the configuration files of tables. Errors:
  /// kSyntax for a value in use that cannot be expanded.
  static Result<ParameterInventory> scan(const Settings& settings, std::string_view main_cf,
                                         const MasterCf* master_cf, DiagnosticSink& sink,
                                         OnError on_error = OnError::kStop);

  /// Unused and deprecated settings of main.cf (unless `master_only`) and master.cf, as Postfix words them.
  void report(bool master_only, DiagnosticSink& sink) const;

  /// Nothing: the name is unknown.
  std::optional<ParameterClass> class_of(std::string_view name) const;

  /// Names of the given classes, sorted. User-defined ones are listed when they are set.
  std::vector<std::string_view> names(ParameterClasses classes) const;

 private:
  friend class InventoryScan;
  explicit ParameterInventory(const Settings& settings) : settings_(&settings) {}

  const Settings* settings_;
  std::set<std::string, std::less<>> user_;
  std::vector<Diagnostic> main_findings_;
  std::vector<Diagnostic> master_findings_;
};

}  // namespace libconf
