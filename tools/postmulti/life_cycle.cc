#include "tools/postmulti/life_cycle.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "libconf/text.h"
#include "tools/cli/fatal.h"
#include "tools/postmulti/private_files.h"

namespace postmulti {

using cli::fatal;
using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::MainCfEdit;
using libconf::Result;

namespace {

constexpr std::string_view kNamePrefix = "postfix-";

/// A name or a group as main.cf has it.
std::string assigned(const std::string& text) { return text == "-" ? "" : text; }

Result<void> check_new_name(const EditRequest& request) {
  const std::string name = request.new_name ? assigned(*request.new_name) : "";
  if (name.empty()) return {};
  if (!name.starts_with(kNamePrefix))
    return fatal(concat("New instance name must start with '", kNamePrefix, "'"));
  if (name.find('/') != std::string::npos)
    return fatal(concat("Illegal '/' character in new instance name: '", name, "'"));
  return {};
}

/// The instance that exists, which -i must name.
Result<const Instance*> selected(const EditCall& call) {
  if (!call.request.selection.name) return fatal("Select an instance via '-i name'");
  const std::vector<const Instance*> found = call.instances.select(call.request.selection);
  if (found.empty()) return fatal(concat("No instance named ", *call.request.selection.name));
  return found.front();
}

/// Of one that is to go.
Result<const Instance*> removable(const EditCall& call) {
  Result<const Instance*> instance = selected(call);
  if (!instance) return instance;
  if ((*instance)->is_primary) return fatal("Cannot remove the primary instance");
  if ((*instance)->is_enabled) return fatal("Cannot remove enabled instances");
  return instance;
}

/// Whether `postmulti -e init` has been done, or the like.
Result<void> check_is_ready(const EditCall& call) {
  const libconf::Settings& settings = call.instances.primary().configuration->settings();
  const auto refuse = [](std::string_view why) {
    return Error{.kind = ErrorKind::kUnsupported, .message = concat(why, ", run 'postmulti -e init' first.")};
  };
  const Result<std::string> wrapper = settings.get("multi_instance_wrapper");
  if (!wrapper) return wrapper.error();
  if (wrapper->empty()) return refuse("multi_instance_wrapper is empty");
  if (settings.get("multi_instance_enable").value_or("") != "yes")
    return refuse("multi_instance_enable!=yes");
  return {};
}

/// The value of a list of directories.
std::string joined(const std::vector<std::string>& directories) {
  std::string list;
  for (const std::string& each : directories) list += concat(list.empty() ? "" : " ", each);
  return list;
}

std::vector<std::string> secondary_directories(const Instances& instances) {
  std::vector<std::string> directories;
  for (const Instance& each : instances.all())
    if (!each.is_primary) directories.push_back(each.config_directory);
  return directories;
}

Result<std::vector<std::string>> other_directories(const EditCall& call) {
  return call.instances.primary().configuration->settings().get_list("alternate_config_directories");
}

Result<void> set_enabled(const EditCall& call, const char* value) {
  const Result<const Instance*> instance = selected(call);
  if (!instance) return instance.error();
  if (Result<void> ready = check_is_ready(call); !ready) return ready;
  return edit_main_cf(**instance, call.messages,
                      [&](MainCfEdit& edit) { edit.set("multi_instance_enable", value, call.messages); });
}

Result<void> enable(const EditCall& call) { return set_enabled(call, "yes"); }
Result<void> disable(const EditCall& call) { return set_enabled(call, "no"); }

Result<void> initialize(const EditCall& call) {
  return edit_main_cf(call.instances.primary(), call.messages, [&](MainCfEdit& edit) {
    edit.set("multi_instance_enable", "yes", call.messages);
    edit.set("multi_instance_wrapper", "${command_directory}/postmulti -p --", call.messages);
  });
}

/// Has main.cf say what was assigned; `says_none`: also that there is none.
Result<void> write_names(const EditCall& call, const Instance& instance, bool says_none) {
  std::vector<std::pair<const char*, std::string>> values;
  for (const auto& [parameter, text] : {std::pair("multi_instance_name", &call.request.new_name),
                                        std::pair("multi_instance_group", &call.request.new_group)})
    if (*text && (says_none || !assigned(**text).empty())) values.emplace_back(parameter, assigned(**text));
  if (values.empty()) return {};
  return edit_main_cf(instance, call.messages, [&](MainCfEdit& edit) {
    for (const auto& [parameter, value] : values) edit.set(parameter, value, call.messages);
  });
}

Result<void> assign(const EditCall& call) {
  if (Result<void> good = check_new_name(call.request); !good) return good;
  const Result<const Instance*> instance = selected(call);
  if (!instance) return instance.error();
  if (call.request.new_name) {
    const Instance renamed{.config_directory = (*instance)->config_directory,
                           .name = assigned(*call.request.new_name)};
    if (Result<void> apart = call.instances.check_apart(renamed); !apart) return apart;
  }
  if (Result<void> ready = check_is_ready(call); !ready) return ready;
  return write_names(call, **instance, true);
}

/// Takes an instance off the list; its directory is one that programs may still be told to use, where it
/// `stays`.
Result<void> take_off(const EditCall& call, const Instance& instance, bool stays) {
  std::vector<std::string> listed = secondary_directories(call.instances);
  std::erase(listed, instance.config_directory);
  Result<std::vector<std::string>> others = other_directories(call);
  if (!others) return others.error();
  others->push_back(instance.config_directory);
  return edit_main_cf(call.instances.primary(), call.messages, [&](MainCfEdit& edit) {
    edit.set("multi_instance_directories", joined(listed), call.messages);
    if (stays) edit.set("alternate_config_directories", joined(*others), call.messages);
  });
}

Result<void> deport(const EditCall& call) {
  const Result<const Instance*> instance = removable(call);
  if (!instance) return instance.error();
  return take_off(call, **instance, true);
}

Result<void> destroy(const EditCall& call) {
  const Result<const Instance*> instance = removable(call);
  if (!instance) return instance.error();
  if (Result<void> idle = check_is_idle(**instance); !idle) return idle;
  remove_private_files(**instance, call.script_messages);
  return take_off(call, **instance, false);
}

/// The new instance as the command line has it; what is not told follows from its name.
Result<Instance> new_instance(const EditCall& call, const Action& action) {
  const EditRequest& request = call.request;
  if (Result<void> good = check_new_name(request); !good) return good.error();
  Instance instance{.name = request.new_name ? assigned(*request.new_name) : "",
                    .group = request.new_group ? assigned(*request.new_group) : ""};
  const Instance& primary = call.instances.primary();
  const auto derived = [&](const std::string& path) {
    return instance.name.empty() ? "" : concat(path.substr(0, path.rfind('/') + 1), instance.name);
  };
  instance.config_directory = derived(primary.config_directory);
  instance.queue_directory = derived(primary.queue_directory);
  instance.data_directory = derived(primary.data_directory);
  for (const std::string& each : request.parameters) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos) return fatal(concat("Malformed parameter setting '", each, "'"));
    const std::string name(libconf::trim(std::string_view(each).substr(0, equals)));
    const std::string value(libconf::trim(std::string_view(each).substr(equals + 1)));
    if (std::find(action.parameters.begin(), action.parameters.end(), name) == action.parameters.end())
      return fatal(concat("Parameter '", name, "' not valid with action ", action.name));
    if (!value.starts_with('/'))
      return fatal(concat("Parameter setting '", name, "' is not an absolute path"));
    (name == "config_directory"  ? instance.config_directory
     : name == "queue_directory" ? instance.queue_directory
                                 : instance.data_directory) = value;
  }
  if (instance.config_directory.empty()) return fatal("Missing config_directory parameter value");
  for (const Instance& each : call.instances.all())
    if (each.config_directory == instance.config_directory)
      return fatal(concat("new config_directory=", instance.config_directory,
                          " is already in use by instance ", each.config_directory,
                          ", config_directory=", each.config_directory));
  return instance;
}

/// Where in the list of directories a new one goes.
Result<std::vector<std::string>> list_with(const EditCall& call, const Instance& instance) {
  std::vector<std::string> listed = secondary_directories(call.instances);
  auto place = listed.end();
  if (call.request.selection.is_all) place = listed.begin();
  if (call.request.selection.group || call.request.selection.name) {
    std::vector<const Instance*> found = call.instances.select(call.request.selection);
    std::erase_if(found, [](const Instance* each) { return each->is_primary; });
    if (found.empty()) return fatal("No matching secondary instances");
    place = std::find(listed.begin(), listed.end(), found.front()->config_directory);
  }
  listed.insert(place, instance.config_directory);
  return listed;
}

/// Puts an instance on the list whose files are there.
Result<void> take_over(const EditCall& call, Instance instance, const std::vector<std::string>& listed) {
  Result<Instance> told = read_instance(instance.config_directory, call.messages);
  if (!told) return told.error();
  if (call.request.new_name) told->name = instance.name;
  if (Result<void> apart = call.instances.check_apart(*told); !apart) return apart;
  if (Result<void> ready = check_is_ready(call); !ready) return ready;
  if (Result<void> named = write_names(call, *told, false); !named) return named;
  if (Result<void> made = make_directories(*told, call.messages); !made) return made;
  Result<std::vector<std::string>> others = other_directories(call);
  if (!others) return others.error();
  const bool was_other = std::erase(*others, told->config_directory) > 0;
  return edit_main_cf(call.instances.primary(), call.messages, [&](MainCfEdit& edit) {
    edit.set("multi_instance_directories", joined(listed), call.messages);
    if (was_other) edit.set("alternate_config_directories", joined(*others), call.messages);
  });
}

Result<void> import(const EditCall& call) {
  Result<Instance> instance = new_instance(call, *find_action("import"));
  if (!instance) return instance.error();
  const Result<std::vector<std::string>> listed = list_with(call, *instance);
  if (!listed) return listed.error();
  return take_over(call, std::move(*instance), *listed);
}

Result<void> create(const EditCall& call) {
  Result<Instance> instance = new_instance(call, *find_action("create"));
  if (!instance) return instance.error();
  const bool is_there = has_configuration(*instance);
  for (const auto& [parameter, value] : {std::pair("queue_directory", &instance->queue_directory),
                                         std::pair("data_directory", &instance->data_directory)})
    if (!is_there && value->empty()) return fatal(concat("Missing ", parameter, " parameter value"));
  const Result<std::vector<std::string>> listed = list_with(call, *instance);
  if (!listed) return listed.error();
  if (!is_there) {
    if (Result<void> apart = call.instances.check_apart(*instance); !apart) return apart;
    if (Result<void> ready = check_is_ready(call); !ready) return ready;
    if (Result<void> made = make_configuration(*instance, call.instances.primary(), call.script_messages);
        !made)
      return made;
  }
  return take_over(call, std::move(*instance), *listed);
}

constexpr std::array<std::string_view, 1> kImportParameters = {"config_directory"};
constexpr std::array<std::string_view, 3> kCreateParameters = {"config_directory", "queue_directory",
                                                               "data_directory"};

constexpr std::array kActions = {
    Action{"create", Action::Names::kOptional, kCreateParameters, create},
    Action{"destroy", Action::Names::kNone, {}, destroy},
    Action{"import", Action::Names::kOptional, kImportParameters, import},
    Action{"deport", Action::Names::kNone, {}, deport},
    Action{"enable", Action::Names::kNone, {}, enable},
    Action{"disable", Action::Names::kNone, {}, disable},
    Action{"assign", Action::Names::kNeeded, {}, assign},
    Action{"init", Action::Names::kNone, {}, initialize},
};

}  // namespace

std::span<const Action> actions() { return kActions; }

const Action* find_action(std::string_view name) {
  const auto* const found =
      std::find_if(kActions.begin(), kActions.end(), [&](const Action& each) { return each.name == name; });
  return found == kActions.end() ? nullptr : found;
}

}  // namespace postmulti
