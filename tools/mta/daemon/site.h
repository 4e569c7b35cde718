/// The configuration of a mail system, as a process reads it when it starts and at each reload.
///
///     Result<std::unique_ptr<Site>> site = Site::load("/etc/postfix", sink);
///     (*site)->settings().get("myhostname");
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/main_cf_document.h"
#include "libconf/master_cf_document.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

/// main.cf, master.cf, and the view of both. Settings of services refer to it. Not thread-safe, as Settings
/// are not.
class Site {
 public:
  /// Errors: kInputOutput, kSyntax, with file and line. Oddities go to the sink.
  static libconf::Result<std::unique_ptr<Site>> load(const std::string& directory,
                                                     libconf::DiagnosticSink& sink);
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  const libconf::Settings& settings() const { return settings_; }
  const libconf::MasterCf& master_cf() const { return master_cf_; }

  /// The entries that count: of several with the same name and type, the last (master(5)), unless
  /// master_service_disable has it.
  const std::vector<const libconf::PlacedService*>& services() const { return services_; }

 private:
  Site(libconf::MainCfDocument main_cf, libconf::MasterCf master_cf, const std::string& directory);
  libconf::Result<void> choose_services();

  libconf::MainCfDocument main_cf_;
  libconf::MasterCf master_cf_;
  libconf::Settings settings_;
  std::vector<const libconf::PlacedService*> services_;
};

}  // namespace mta
