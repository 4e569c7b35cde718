/// A configuration directory, loaded for display.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "libconf/main_cf_document.h"
#include "libconf/master_cf_document.h"
#include "libconf/parameter_inventory.h"
#include "libconf/settings.h"
#include "tools/postconf/command_line.h"

namespace postconf {

/// The directory that -c, MAIL_CONFIG or the built-in default names; `is_explicit` for the first two.
struct ConfigDirectory {
  std::string path;
  bool is_explicit = false;
  std::string main_cf() const { return path + "/main.cf"; }
  std::string master_cf() const { return path + "/master.cf"; }
};
ConfigDirectory config_directory(const Options& options);

/// What load() reads, and in which order: Postfix reports the first file that fails.
enum class Loading {
  kMainCf,    ///< main.cf, then master.cf; no master.cf is a warning
  kMasterCf,  ///< master.cf, then main.cf; both are needed
  kDefaults,  ///< master.cf only, for the names of services; values are defaults
};

/// Documents, services and settings of one directory. Not copyable: the parts refer to one another.
class Configuration {
 public:
  /// Reads the files that `loading` says. Errors: a file that cannot be read or parsed, or a bad -o.
  static libconf::Result<std::unique_ptr<Configuration>> load(const Options& options, Loading loading,
                                                              libconf::DiagnosticSink& sink);

  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;

  const ConfigDirectory& directory() const { return directory_; }
  const libconf::MainCfDocument* main_cf() const { return main_cf_ ? &*main_cf_ : nullptr; }
  const libconf::MasterCf* master_cf() const { return master_cf_ ? &*master_cf_ : nullptr; }
  std::span<const libconf::PlacedService> services() const {
    return master_cf_ ? std::span(master_cf_->services()) : std::span<const libconf::PlacedService>();
  }
  const libconf::Settings& settings() const { return *settings_; }

  /// True when main.cf changed in this or the last second: Postfix reads it again then, after a pause, and no
  /// longer knows the directory that it was given. Its postconf then shows config_directory as not set.
  bool hides_directory() const { return hides_directory_; }

  /// The names in use, with warnings of those that are not.
  libconf::Result<libconf::ParameterInventory> inventory(
      libconf::DiagnosticSink& sink,
      libconf::ParameterInventory::OnError on_error = libconf::ParameterInventory::OnError::kStop) const;

  /// The settings that `service` sees.
  libconf::Settings settings_of(const libconf::PlacedService& service) const {
    return settings_->for_services_like(service, *master_cf_);
  }

 private:
  Configuration() = default;
  libconf::Result<void> load_main(libconf::DiagnosticSink& sink);
  libconf::Result<void> load_master(bool required, libconf::DiagnosticSink& sink);
  libconf::Result<void> make_settings(const Options& options, Loading loading);

  ConfigDirectory directory_;
  bool hides_directory_ = false;
  std::optional<libconf::MainCfDocument> main_cf_;
  std::optional<libconf::MasterCf> master_cf_;
  std::optional<libconf::Settings> settings_;
};

}  // namespace postconf
