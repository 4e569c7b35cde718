#include "tools/mta/daemon/site.h"

#include <map>

#include "libconf/text.h"

namespace mta {

using libconf::Result;

namespace {

/// master_service_disable: the first pattern that matches decides.
bool is_disabled(const libconf::MasterService& service, const std::vector<std::string>& patterns) {
  for (std::string_view pattern : patterns) {
    const bool is_exception = pattern.starts_with('!');
    if (is_exception) pattern.remove_prefix(1);
    const std::size_t slash = pattern.rfind('/');
    const bool has_name = slash != std::string_view::npos;
    const std::string_view type = has_name ? pattern.substr(slash + 1) : pattern;
    if (!libconf::equals_ignoring_case(type, service.type())) continue;
    if (has_name && !libconf::equals_ignoring_case(pattern.substr(0, slash), service.service())) continue;
    return !is_exception;
  }
  return false;
}

}  // namespace

Site::Site(libconf::MainCfDocument main_cf, libconf::MasterCf master_cf, const std::string& directory)
    : main_cf_(std::move(main_cf)),
      master_cf_(std::move(master_cf)),
      settings_(&main_cf_, libconf::system_host()) {
  settings_.set_config_directory(directory);
  settings_.define_service_parameters(master_cf_);
}

Result<void> Site::choose_services() {
  const Result<std::vector<std::string>> disabled = settings_.get_list("master_service_disable");
  if (!disabled) return disabled.error();
  std::map<std::string, const libconf::PlacedService*> last;
  for (const libconf::PlacedService& each : master_cf_.services()) last[each.service.key()] = &each;
  for (const libconf::PlacedService& each : master_cf_.services())
    if (last[each.service.key()] == &each && !is_disabled(each.service, *disabled))
      services_.push_back(&each);
  return {};
}

Result<std::unique_ptr<Site>> Site::load(const std::string& directory, libconf::DiagnosticSink& sink) {
  Result<libconf::MainCfDocument> main_cf =
      libconf::MainCfDocument::load(libconf::concat(directory, "/main.cf"), sink, directory);
  if (!main_cf) return main_cf.error();
  Result<libconf::MasterCf> master_cf =
      libconf::MasterCf::load(libconf::concat(directory, "/master.cf"), sink);
  if (!master_cf) return master_cf.error();
  std::unique_ptr<Site> site(new Site(std::move(*main_cf), std::move(*master_cf), directory));
  if (Result<void> chosen = site->choose_services(); !chosen) return chosen.error();
  return site;
}

}  // namespace mta
