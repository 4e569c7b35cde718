#include "tools/postconf/configuration.h"

#include <sys/stat.h>

#include <cstdlib>
#include <ctime>

#include "libconf/parameter_table.h"
#include "libconf/text.h"

namespace postconf {

using libconf::concat;
using libconf::DiagnosticSink;
using libconf::Result;

ConfigDirectory config_directory(const Options& options) {
  if (options.config_directory) return {*options.config_directory, true};
  const char* environment =
      std::getenv("MAIL_CONFIG");  // NOLINT(concurrency-mt-unsafe): read once, at the start.
  if (environment != nullptr) return {environment, true};
  return {std::string(libconf::find_parameter("config_directory")->default_value), false};
}

namespace {

bool is_just_written(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 && status.st_mtime >= std::time(nullptr) - 1;
}

}  // namespace

Result<std::unique_ptr<Configuration>> Configuration::load(const Options& options, Loading loading,
                                                           DiagnosticSink& sink) {
  std::unique_ptr<Configuration> out(new Configuration);
  out->directory_ = config_directory(options);
  out->hides_directory_ = is_just_written(out->directory_.main_cf());
  const bool master_first = loading == Loading::kMasterCf;
  if (master_first)
    if (Result<void> loaded = out->load_master(true, sink); !loaded) return loaded.error();
  if (loading != Loading::kDefaults)
    if (Result<void> loaded = out->load_main(sink); !loaded) return loaded.error();
  if (!master_first)
    if (Result<void> loaded = out->load_master(false, sink); !loaded) return loaded.error();
  if (Result<void> made = out->make_settings(options, loading); !made) return made.error();
  return out;
}

Result<void> Configuration::load_main(DiagnosticSink& sink) {
  Result<libconf::MainCfDocument> document = libconf::MainCfDocument::load(
      directory_.main_cf(), sink,
      directory_.is_explicit && !hides_directory_ ? std::string_view(directory_.path) : std::string_view());
  if (!document) return document.error();
  main_cf_.emplace(std::move(*document));
  return {};
}

Result<void> Configuration::load_master(bool required, DiagnosticSink& sink) {
  Result<libconf::MasterCf> master_cf = libconf::MasterCf::load(directory_.master_cf(), sink);
  if (master_cf) {
    master_cf_.emplace(std::move(*master_cf));
    return {};
  }
  if (required || master_cf.error().kind != libconf::ErrorKind::kInputOutput) return master_cf.error();
  sink.report({.file = directory_.master_cf(), .code = "no-master-cf", .message = master_cf.error().message});
  return {};
}

Result<void> Configuration::make_settings(const Options& options, Loading loading) {
  settings_.emplace(main_cf(), libconf::system_host());
  if (master_cf_) settings_->define_service_parameters(*master_cf_);
  if (loading == Loading::kDefaults) return {};
  if (directory_.is_explicit) settings_->set_config_directory(directory_.path);
  for (const std::string& override_text : options.overrides) {
    libconf::NameValue parts;
    const libconf::NameValueFault fault = libconf::split_name_value(override_text, parts);
    if (fault != libconf::NameValueFault::kNone)
      return libconf::configuration_error(
          concat("invalid parameter override: ", override_text, ": ", describe(fault)));
    settings_->override_value(parts.name, parts.value);
  }
  return {};
}

Result<libconf::ParameterInventory> Configuration::inventory(
    DiagnosticSink& sink, libconf::ParameterInventory::OnError on_error) const {
  return libconf::ParameterInventory::scan(*settings_, directory_.main_cf(), master_cf(), sink, on_error);
}

}  // namespace postconf
