#include "tools/mta/daemon/site.h"

#include <map>

#include "libconf/text.h"

namespace mta {

using libconf::Result;

Site::Site(libconf::MainCfDocument main_cf, libconf::MasterCf master_cf, const std::string& directory)
    : main_cf_(std::move(main_cf)),
      master_cf_(std::move(master_cf)),
      settings_(&main_cf_, libconf::system_host()) {
  settings_.set_config_directory(directory);
  settings_.define_service_parameters(master_cf_);
  std::map<std::string, const libconf::PlacedService*> last;
  for (const libconf::PlacedService& each : master_cf_.services()) last[each.service.key()] = &each;
  for (const libconf::PlacedService& each : master_cf_.services())
    if (last[each.service.key()] == &each) services_.push_back(&each);
}

Result<std::unique_ptr<Site>> Site::load(const std::string& directory, libconf::DiagnosticSink& sink) {
  Result<libconf::MainCfDocument> main_cf =
      libconf::MainCfDocument::load(libconf::concat(directory, "/main.cf"), sink, directory);
  if (!main_cf) return main_cf.error();
  Result<libconf::MasterCf> master_cf =
      libconf::MasterCf::load(libconf::concat(directory, "/master.cf"), sink);
  if (!master_cf) return master_cf.error();
  return std::unique_ptr<Site>(new Site(std::move(*main_cf), std::move(*master_cf), directory));
}

}  // namespace mta
