#include "tools/postmulti/instances.h"

#include <algorithm>
#include <array>
#include <utility>

#include "libconf/host.h"
#include "libconf/text.h"
#include "tools/cli/fatal.h"

namespace postmulti {

using cli::fatal;
using libconf::concat;
using libconf::MainCfDocument;
using libconf::Result;

namespace {

/// What no two instances may have in common.
struct Property {
  std::string_view parameter;
  std::string Instance::*value;
};
constexpr std::array kOwnProperties = {
    Property{"queue_directory", &Instance::queue_directory},
    Property{"data_directory", &Instance::data_directory},
    Property{"multi_instance_name", &Instance::name},
};

}  // namespace

Configuration::Configuration(MainCfDocument main_cf, const std::string& directory)
    : main_cf_(std::move(main_cf)), settings_(&main_cf_, libconf::system_host()) {
  settings_.set_config_directory(directory);
}

Result<std::unique_ptr<Configuration>> Configuration::load(const std::string& directory,
                                                           libconf::DiagnosticSink& sink) {
  Result<MainCfDocument> main_cf = MainCfDocument::load(directory + "/main.cf", sink, directory);
  if (!main_cf) return main_cf.error();
  return std::unique_ptr<Configuration>(new Configuration(std::move(*main_cf), directory));
}

bool Selection::has(const Instance& instance) const {
  if (group) return !group->empty() && instance.group == *group;
  if (!name) return true;
  if (*name == "-") return instance.is_primary;
  return instance.config_directory == *name || (!name->empty() && instance.name == *name);
}

Result<Instance> read_instance(const std::string& directory, libconf::DiagnosticSink& sink) {
  Result<std::unique_ptr<Configuration>> configuration = Configuration::load(directory, sink);
  if (!configuration)
    return fatal(concat(configuration.error().message, "\nFailed to obtain all required ", directory,
                        "/main.cf parameters"));
  Instance instance{.config_directory = directory, .configuration = std::move(*configuration)};
  const libconf::Settings& settings = instance.configuration->settings();
  std::string enable;
  for (const auto& [parameter, value] :
       {std::pair<const char*, std::string&>{"queue_directory", instance.queue_directory},
        {"data_directory", instance.data_directory},
        {"multi_instance_name", instance.name},
        {"multi_instance_group", instance.group},
        {"multi_instance_enable", enable}}) {
    Result<std::string> text = settings.get(parameter);
    if (!text) return text.error();
    value = std::move(*text);
  }
  instance.is_enabled = enable == "yes";
  if (!instance.is_enabled && enable != "no")
    return fatal(concat("Unexpected ", directory, "/main.cf entry: multi_instance_enable = ", enable));
  return instance;
}

Result<Instances> Instances::load(const std::string& directory, libconf::DiagnosticSink& sink) {
  Instances instances;
  Result<Instance> primary = read_instance(directory, sink);
  if (!primary) return primary.error();
  primary->is_primary = true;
  const auto others = primary->configuration->settings().get_list("multi_instance_directories");
  if (!others) return others.error();
  // There is nothing that it could be told apart from.
  if (others->empty()) primary->is_enabled = true;
  instances.all_.push_back(std::move(*primary));
  for (const std::string& each : *others) {
    Result<Instance> instance = read_instance(each, sink);
    if (!instance) return instance.error();
    if (Result<void> apart = instances.check_apart(*instance); !apart) return apart.error();
    instances.all_.push_back(std::move(*instance));
  }
  return instances;
}

std::vector<const Instance*> Instances::select(const Selection& selection) const {
  std::vector<const Instance*> selected;
  for (const Instance& each : all_)
    if (selection.has(each)) selected.push_back(&each);
  return selected;
}

Result<void> Instances::check_apart(const Instance& instance) const {
  for (const Instance& other : all_) {
    if (other.config_directory == instance.config_directory) continue;
    for (const Property& each : kOwnProperties) {
      const std::string& value = instance.*each.value;
      if (value.empty() || value != other.*each.value) continue;
      const std::string what = concat(each.parameter, "=", value);
      return fatal(concat("instance ", instance.config_directory, ", ", what, " conflicts with instance ",
                          other.config_directory, ", ", what));
    }
  }
  return {};
}

}  // namespace postmulti
