#include "libconf/settings.h"

#include <unistd.h>

#include <algorithm>

#include "libconf/compatibility_level.h"
#include "libconf/parameter_table.h"
#include "libconf/service_parameters.h"
#include "libconf/text.h"
#include "libconf/value.h"

namespace libconf {

std::string to_string(const Origin& origin) {
  switch (origin.kind) {
    case OriginKind::kDefault:
      return "default";
    case OriginKind::kHost:
      return "default (host)";
    case OriginKind::kDirectory:
      return "-c or MAIL_CONFIG";
    case OriginKind::kMainCf:
    case OriginKind::kServiceEntry:
      return concat(origin.file, ":", std::to_string(origin.line));
    case OriginKind::kOverride:
      return "-o";
    case OriginKind::kServiceOption:
      return concat(origin.file, ":", std::to_string(origin.line), " (-o)");
  }
  return "";
}

Settings::Settings(const MainCfDocument* document, Host host)
    : document_(document),
      host_(std::make_shared<const Host>(std::move(host))),
      service_defaults_(std::make_shared<const ServiceDefaults>()) {
  MainCfEntries entries;
  if (document != nullptr) {
    entries.reserve(document->entries().size());
    for (const MainCfEntry& entry : document->entries())
      if (entry.fault == NameValueFault::kNone) entries[entry.name] = &entry;
  }
  main_cf_ = std::make_shared<const MainCfEntries>(std::move(entries));
}

void Settings::set_config_directory(std::string_view directory) {
  config_directory_ = directory;
  expanded_.clear();
  host_defaults_.clear();
}

void Settings::override_value(std::string_view name, std::string_view value) {
  overrides_[std::string(name)] = {std::string(value), {.kind = OriginKind::kOverride}};
  expanded_.clear();
  host_defaults_.clear();
}

void Settings::define_service_parameters(const MasterCf& master_cf) {
  ServiceDefaults defaults = *service_defaults_;
  for (const PlacedService& service : master_cf.services())
    for_each_service_parameter(service.service,
                               [&](const std::string& name, const std::string& default_value) {
                                 defaults.try_emplace(name, default_value);
                               });
  service_defaults_ = std::make_shared<const ServiceDefaults>(std::move(defaults));
  master_cf_ = &master_cf;
}

Settings Settings::service_view(const PlacedService& service, const MasterCf& master_cf) const {
  Settings view = *this;
  view.expanded_.clear();
  view.host_defaults_.clear();
  if (!site_overrides_) view.site_overrides_ = std::make_shared<const Overrides>(overrides_);
  view.chroot_field_ = service.service.field(MasterField::kChroot);
  view.overrides_["service_name"] = {
      service.service.service(),
      {.kind = OriginKind::kServiceEntry, .file = master_cf.file(), .line = service.line}};
  return view;
}

void Settings::take_options(const PlacedService& service, const MasterCf& master_cf) {
  for (const MasterOption& option : service.service.options())
    overrides_[std::string(option.name)] = {std::string(option.value),
                                            {.kind = OriginKind::kServiceOption,
                                             .file = master_cf.file(),
                                             .line = master_cf.position(service, option.offset).line}};
}

Settings Settings::for_service(const PlacedService& service, const MasterCf& master_cf) const {
  Settings view = service_view(service, master_cf);
  view.take_options(service, master_cf);
  return view;
}

Settings Settings::for_services_like(const PlacedService& service, const MasterCf& master_cf) const {
  Settings view = service_view(service, master_cf);
  bool has_options = false;
  for (const PlacedService& entry : master_cf.services()) {
    if (!entry.service.matches(service.service.service(), service.service.type())) continue;
    has_options = has_options || !entry.service.options().empty();
    if (entry.line >= service.line && !has_options) break;
    view.take_options(entry, master_cf);
  }
  return view;
}

Settings Settings::of_peer(std::string_view parameter) const {
  Settings site = *this;
  site.expanded_.clear();
  site.host_defaults_.clear();
  site.chroot_field_.assign(1, 'n');
  if (site_overrides_) site.overrides_ = *site_overrides_;
  const Result<std::string> name = get(parameter);
  if (!name || master_cf_ == nullptr) return site;
  const auto& services = master_cf_->services();
  const auto found = std::find_if(services.rbegin(), services.rend(), [&](const PlacedService& placed) {
    return placed.service.type() == "unix" && placed.service.service() == *name;
  });
  return found == services.rend() ? site : site.for_service(*found, *master_cf_);
}

bool Settings::is_confined() const {
  if (chroot_field_ != "-") return chroot_field_ == "y";
  const Result<std::string> text = get("compatibility_level");
  const std::optional<CompatibilityLevel> level =
      text ? parse_compatibility_level(*text) : std::optional<CompatibilityLevel>();
  return level && level->major < 1;
}

std::optional<Setting> Settings::explicit_setting(std::string_view name) const {
  if (const auto found = overrides_.find(name); found != overrides_.end())
    return Setting{found->second.value, found->second.origin};
  if (const auto found = main_cf_->find(name); found != main_cf_->end())
    return Setting{found->second->value,
                   {.kind = OriginKind::kMainCf, .file = document_->file(), .line = found->second->line}};
  if (config_directory_ && name == "config_directory")
    return Setting{*config_directory_, {.kind = OriginKind::kDirectory}};
  return std::nullopt;
}

std::optional<Setting> Settings::find(std::string_view name) const {
  if (std::optional<Setting> setting = explicit_setting(name)) return setting;
  return default_setting(name);
}

std::optional<Setting> Settings::default_setting(std::string_view name) const {
  if (const Parameter* parameter = find_parameter(name)) {
    if (const std::optional<std::string_view> value = host_default(name))
      return Setting{*value, {.kind = OriginKind::kHost}};
    return Setting{parameter->default_value, {}};
  }
  if (const auto found = service_defaults_->find(name); found != service_defaults_->end())
    return Setting{found->second, {}};
  return std::nullopt;
}

std::vector<std::string_view> Settings::explicit_names() const {
  std::vector<std::string_view> names;
  names.reserve(main_cf_->size() + overrides_.size() + 1);
  for (const auto& [name, entry] : *main_cf_) names.push_back(name);
  for (const auto& [name, value] : overrides_) names.push_back(name);
  if (config_directory_) names.push_back("config_directory");
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::optional<std::string_view> Settings::value_of(std::string_view name) const {
  const std::optional<Setting> setting = find(name);
  return setting ? std::optional(setting->value) : std::nullopt;
}

std::optional<std::string_view> Settings::host_default(std::string_view name) const {
  if (name != "myhostname" && name != "mydomain" && name != "mynetworks" && name != "process_id")
    return std::nullopt;
  auto place = host_defaults_.find(name);
  if (place == host_defaults_.end()) {
    // The placeholder ends a cycle such as `myhostname = mail.$mydomain`: mydomain is empty while it is
    // computed.
    place = host_defaults_.emplace(name, HostDefault{}).first;
    Result<std::string> value = compute_host_default(name);
    if (value)
      place->second.value = std::move(*value);
    else
      place->second.error = value.error();
  }
  if (place->second.error) host_error_ = place->second.error;
  return place->second.value;
}

Result<std::string> Settings::compute_host_default(std::string_view name) const {
  DiagnosticDiscard discard;
  const auto expanded = [&](std::string_view parameter) {
    return expand(value_of(parameter).value_or(""), *this, discard);
  };
  if (name == "process_id") return std::to_string(::getpid());
  if (name == "myhostname") {
    if (!explicit_setting("mydomain")) return default_myhostname(host_->name, "");
    Result<std::string> domain = expanded("mydomain");
    if (!domain) return domain;
    return default_myhostname(host_->name, *domain);
  }
  if (name == "mydomain") {
    if (!explicit_setting("myhostname")) return default_mydomain(default_myhostname(host_->name, ""));
    Result<std::string> hostname = expanded("myhostname");
    if (!hostname) return hostname;
    return default_mydomain(*hostname);
  }
  Result<std::string> interfaces = expanded("inet_interfaces");
  if (!interfaces) return interfaces;
  Result<std::string> protocols = expanded("inet_protocols");
  if (!protocols) return protocols;
  Result<std::string> style = expanded("mynetworks_style");
  if (!style) return style;
  return default_mynetworks({*interfaces, *protocols, *style}, *host_);
}

Result<std::string> Settings::expand_text(std::string_view text, DiagnosticSink& sink,
                                          const ExpansionTrace& trace) const {
  host_error_.reset();
  Result<std::string> value = expand(text, *this, sink, trace);
  if (value && host_error_) return *host_error_;
  return value;
}

Result<std::string> Settings::get(std::string_view name) const {
  if (const auto found = expanded_.find(name); found != expanded_.end()) return found->second;
  host_error_.reset();
  const std::string_view raw = value_of(name).value_or("");
  if (host_error_) return *host_error_;
  DiagnosticDiscard discard;
  Result<std::string> value = expand_text(raw, discard);
  if (value) expanded_.emplace(name, *value);
  return value;
}

Result<std::string> Settings::checked(std::string_view name) const {
  Result<std::string> value = get(name);
  if (!value) return value;
  const Parameter* parameter = find_parameter(name);
  std::optional<Error> error = parameter != nullptr ? check_value(*parameter, *value) : std::nullopt;
  if (!error) return value;
  if (const std::optional<Setting> setting = explicit_setting(name)) {
    error->file = setting->origin.file;
    error->line = setting->origin.line;
  }
  return *error;
}

Result<bool> Settings::get_bool(std::string_view name) const {
  const Result<std::string> value = checked(name);
  if (!value) return value.error();
  return parse_bool(name, *value);
}

Result<std::int64_t> Settings::get_int(std::string_view name) const {
  const Result<std::string> value = checked(name);
  if (!value) return value.error();
  return parse_long(name, *value);
}

Result<std::chrono::seconds> Settings::get_duration(std::string_view name) const {
  const Result<std::string> value = checked(name);
  if (!value) return value.error();
  const Parameter* parameter = find_parameter(name);
  return parse_duration(name, *value, parameter != nullptr ? default_time_unit(*parameter) : 's');
}

Result<std::vector<std::string>> Settings::get_list(std::string_view name) const {
  const Result<std::string> value = checked(name);
  if (!value) return value.error();
  return parse_list(*value);
}

}  // namespace libconf
