/// The mail systems that share one set of programs (postfix-wrapper(5)): the primary one, whose main.cf names
/// the others in multi_instance_directories.
///
///     Result<Instances> instances = Instances::load("/etc/postfix", messages);
///     for (const Instance* each : instances->select({.group = "msa"})) ...
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/main_cf_document.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace postmulti {

/// main.cf of a directory, and what it says.
class Configuration {
 public:
  /// Errors: kInputOutput, kSyntax. Oddities go to the sink.
  static libconf::Result<std::unique_ptr<Configuration>> load(const std::string& directory,
                                                              libconf::DiagnosticSink& sink);
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;

  const libconf::Settings& settings() const { return settings_; }

 private:
  Configuration(libconf::MainCfDocument main_cf, const std::string& directory);

  libconf::MainCfDocument main_cf_;
  libconf::Settings settings_;
};

struct Instance {
  std::string config_directory = {};
  std::string queue_directory = {};
  std::string data_directory = {};
  std::string name = {};   ///< Empty: it has none.
  std::string group = {};  ///< Likewise.
  bool is_enabled = false;
  bool is_primary = false;
  std::unique_ptr<Configuration> configuration = {};  ///< Null: it is to be made.

  /// "main.cf" of the directory, with its path.
  std::string main_cf() const { return config_directory + "/main.cf"; }
};

/// Which instances an operation is for; all, where nothing is said.
struct Selection {
  bool is_all = false;  ///< That it was said.
  std::optional<std::string> group = {};
  std::optional<std::string> name = {};  ///< Or the directory, or "-": the primary one.

  bool is_given() const { return is_all || group || name; }
  bool has(const Instance& instance) const;
};

/// Not thread-safe.
class Instances {
 public:
  /// Reads all of them. Errors: as Configuration::load(); kConfiguration, for values that make no sense, and
  /// for instances that have a name or a directory in common.
  static libconf::Result<Instances> load(const std::string& directory, libconf::DiagnosticSink& sink);

  const Instance& primary() const { return all_.front(); }
  const std::vector<Instance>& all() const { return all_; }

  /// In the order of main.cf.
  std::vector<const Instance*> select(const Selection& selection) const;

  /// Whether another instance than `instance` has what it has. Errors: kConfiguration, which.
  libconf::Result<void> check_apart(const Instance& instance) const;

 private:
  std::vector<Instance> all_;
};

/// What main.cf says of an instance. Errors: kConfiguration.
libconf::Result<Instance> read_instance(const std::string& directory, libconf::DiagnosticSink& sink);

}  // namespace postmulti
