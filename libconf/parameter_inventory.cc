#include "libconf/parameter_inventory.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "libconf/main_cf_document.h"
#include "libconf/parameter_table.h"
#include "libconf/table_reference.h"
#include "libconf/text.h"

namespace libconf {

using Names = std::set<std::string, std::less<>>;

namespace {

constexpr std::string_view kDeprecated = "deprecated-parameter";

}  // namespace

ParameterInventory ParameterInventory::defaults(const Settings& settings) {
  return ParameterInventory(settings);
}

std::optional<ParameterClass> ParameterInventory::class_of(std::string_view name) const {
  if (const Parameter* parameter = find_parameter(name)) {
    if (is_listed(*parameter)) return ParameterClass::kBuiltin;
    if (parameter->type == ParameterType::kLegacy) return ParameterClass::kUser;
  }
  if (settings_->service_parameters().count(name) != 0) return ParameterClass::kService;
  if (user_.count(name) != 0) return ParameterClass::kUser;
  return std::nullopt;
}

std::vector<std::string_view> ParameterInventory::names(ParameterClasses classes) const {
  const auto has = [&](ParameterClass c) { return (classes & static_cast<unsigned>(c)) != 0; };
  std::vector<std::string_view> out;
  // Each source is sorted already.
  const auto add = [&](const std::vector<std::string_view>& more) {
    std::vector<std::string_view> both;
    both.reserve(out.size() + more.size());
    std::set_union(out.begin(), out.end(), more.begin(), more.end(), std::back_inserter(both));
    out = std::move(both);
  };
  std::vector<std::string_view> builtin, service, user, legacy;
  for (const Parameter& parameter : all_parameters()) {
    if (has(ParameterClass::kBuiltin) && is_listed(parameter)) builtin.push_back(parameter.name);
    if (has(ParameterClass::kUser) && parameter.type == ParameterType::kLegacy &&
        settings_->explicit_setting(parameter.name))
      legacy.push_back(parameter.name);
  }
  if (has(ParameterClass::kService))
    for (const auto& [name, value] : settings_->service_parameters()) service.push_back(name);
  if (has(ParameterClass::kUser))
    for (const std::string& name : user_)
      if (settings_->explicit_setting(name)) user.push_back(name);
  for (const std::vector<std::string_view>* source : {&builtin, &service, &user, &legacy}) add(*source);
  return out;
}

void ParameterInventory::report(bool master_only, DiagnosticSink& sink) const {
  bool has_deprecated = false;
  const auto report_all = [&](const std::vector<Diagnostic>& findings) {
    for (const Diagnostic& finding : findings) {
      has_deprecated |= finding.code == kDeprecated;
      sink.report(finding);
    }
  };
  if (!master_only) report_all(main_findings_);
  report_all(master_findings_);
  if (has_deprecated)
    sink.warn(kDeprecated, "See https://www.postfix.org/DEPRECATION_README.html for details");
}

namespace {

/// Passes diagnostics on, with the place of the setting that is being looked at.
class PlacedSink final : public DiagnosticSink {
 public:
  PlacedSink(DiagnosticSink& sink, const Origin& origin) : sink_(sink), origin_(origin) {}
  void report(Diagnostic diagnostic) override {
    if (diagnostic.line == 0 && origin_.line != 0) {
      diagnostic.file = origin_.file;
      diagnostic.line = origin_.line;
    }
    sink_.report(std::move(diagnostic));
  }

 private:
  DiagnosticSink& sink_;
  Origin origin_;
};

}  // namespace

/// One pass over all explicit settings.
class InventoryScan {
 public:
  InventoryScan(const Settings& settings, std::string_view main_cf, const MasterCf* master_cf,
                DiagnosticSink& sink, ParameterInventory::OnError on_error)
      : settings_(settings),
        main_cf_(main_cf),
        master_cf_(master_cf),
        sink_(sink),
        on_error_(on_error),
        inventory_(settings) {
    for (const PlacedService& service : services())
      for (const MasterOption& option : service.service.options()) option_names_.emplace(option.name);
  }

  Result<ParameterInventory> run() {
    if (Result<void> scanned = scan_main(); !scanned) return scanned.error();
    std::vector<ServiceScan> scans;
    for (const PlacedService& service : services()) {
      if (!has_options(service)) continue;
      scans.emplace_back(settings_.for_services_like(service, *master_cf_));
      if (Result<void> scanned = scan_service(service, scans.back()); !scanned) return scanned.error();
    }
    judge_main();
    for (const ServiceScan& scan : scans) judge_service(scan);
    return std::move(inventory_);
  }

 private:
  std::span<const PlacedService> services() const {
    return master_cf_ != nullptr ? std::span(master_cf_->services()) : std::span<const PlacedService>();
  }

  /// False for a service whose view of the settings is that of main.cf: most of them.
  bool has_options(const PlacedService& service) const {
    return std::any_of(services().begin(), services().end(), [&](const PlacedService& other) {
      return other.service.matches(service.service.service(), service.service.type()) &&
             !other.service.options().empty();
    });
  }

  /// What is known of one service: its view of the settings, the names that its options set, and those among
  /// them that its options use.
  struct ServiceScan {
    explicit ServiceScan(Settings view) : settings(std::move(view)) {}
    Settings settings;
    std::vector<std::string> names;
    Names used;
  };

  /// Where names are looked up, and where user-defined ones are noted: main.cf, or one service with its
  /// options.
  struct Context {
    const Settings& settings;
    std::string_view file;
    std::string_view label;  ///< What messages about braces call the file.
    Names& names;
    bool is_main_cf() const { return label == "main.cf"; }
  };

  Result<void> scan_main() {
    const Context context{settings_, main_cf_, "main.cf", inventory_.user_};
    if (settings_.explicit_setting("smtpd_restriction_classes"))
      if (Result<void> scanned = scan_classes(context); !scanned) return scanned;
    const std::vector<std::string_view> names = settings_.explicit_names();
    for (std::string_view name : names) scan_names(context, name);
    // A mistake shows in the parameter that Postfix itself reads, rather than in one that this refers to.
    for (const bool want_builtin : {true, false})
      for (std::string_view name : names)
        if ((find_parameter(name) != nullptr) == want_builtin)
          if (Result<void> scanned = scan_tables(context, name); !scanned) return scanned;
    return {};
  }

  Result<void> scan_service(const PlacedService& service, ServiceScan& scan) {
    for (std::string_view name : scan.settings.explicit_names())
      if (is_option(scan, name)) scan.names.emplace_back(name);
    const std::string label = concat("master.cf:", service.service.key());
    const Context context{scan.settings, master_cf_->file(), label, scan.used};
    if (is_option(scan, "smtpd_restriction_classes"))
      if (Result<void> scanned = scan_classes(context); !scanned) return scanned;
    for (const std::string& name : scan.names) scan_names(context, name);
    for (const std::string& name : scan.names)
      if (Result<void> scanned = scan_tables(context, name); !scanned) return scanned;
    return {};
  }

  static bool is_option(const ServiceScan& scan, std::string_view name) {
    const std::optional<Setting> setting = scan.settings.explicit_setting(name);
    return setting && setting->origin.kind == OriginKind::kServiceOption;
  }

  Result<void> scan_classes(const Context& context) {
    Result<std::string> classes = expand_value(context, "smtpd_restriction_classes");
    if (!classes) return classes.error();
    std::string_view rest = *classes;
    PlacedSink sink(sink_, origin(context, "smtpd_restriction_classes"));
    while (const auto name = next_word(rest, kListSeparators)) note_use(context, *name, sink);
    return {};
  }

  static Origin origin(const Context& context, std::string_view name) {
    const std::optional<Setting> setting = context.settings.explicit_setting(name);
    return setting ? setting->origin : Origin{};
  }

  bool is_known(const Context& context, std::string_view name) const {
    return inventory_.class_of(name).has_value() || context.names.count(name) != 0;
  }

  /// Something refers to `name`.
  void note_use(const Context& context, std::string_view name, DiagnosticSink& sink) {
    if (is_known(context, name)) return;
    const std::optional<Setting> setting = context.settings.explicit_setting(name);
    if (setting && setting->origin.kind == OriginKind::kServiceOption) {
      context.names.emplace(name);
    } else if (setting || (context.is_main_cf() && option_names_.count(name) != 0)) {
      inventory_.user_.emplace(name);
    } else {
      sink.report({.file = std::string(context.file),
                   .code = "undefined-parameter",
                   .message = concat(context.file, ": undefined parameter: ", name)});
    }
  }

  /// The expanded value of `name`. One that cannot be expanded is an Error, or reported and empty.
  Result<std::string> expand_value(const Context& context, std::string_view name) {
    const Origin place = origin(context, name);
    PlacedSink sink(sink_, place);
    Result<std::string> value =
        context.settings.expand_text(context.settings.value_of(name).value_or(""), sink);
    if (value || on_error_ == ParameterInventory::OnError::kStop) return value;
    sink.report({.severity = Severity::kError,
                 .file = std::string(context.file),
                 .code = "bad-expression",
                 .message = concat(name, ": ", value.error().message)});
    return std::string();
  }

  /// Notes the names that the value of `name` uses, whether anything uses `name` itself or not.
  void scan_names(const Context& context, std::string_view name) {
    if (is_raw(name)) return;
    const std::string_view value = context.settings.value_of(name).value_or("");
    PlacedSink sink(sink_, origin(context, name));
    scan_references(
        value, [&](std::string_view used) { note_use(context, used, sink); }, sink);
  }

  /// Expands the value of a name in use, and notes the names that its tables use.
  Result<void> scan_tables(const Context& context, std::string_view name) {
    if (is_raw(name) || !is_known(context, name)) return {};
    Result<std::string> expanded = expand_value(context, name);
    if (!expanded) return expanded.error();
    std::optional<Error> error;
    PlacedSink sink(sink_, origin(context, name));
    for_each_table(*expanded, context.label, sink, [&](std::string_view type, std::string_view table) {
      if (!error) error = scan_table(context, type, table);
    });
    if (error) return *error;
    return {};
  }

  /// A table with a network client reads its settings from main.cf (`mysql:name`), or from a file of its own.
  std::optional<Error> scan_table(const Context& context, std::string_view type, std::string_view table) {
    const std::span<const DerivedParameter> suffixes = table_settings(type);
    if (suffixes.empty()) return std::nullopt;
    if (table.starts_with('/') || table.starts_with('.')) return scan_table_file(type, table, suffixes);
    for (const DerivedParameter& row : suffixes) {
      const std::string name = concat(table, row.suffix);
      const bool is_set =
          context.settings.explicit_setting(name) || (context.is_main_cf() && option_names_.count(name) != 0);
      if (is_set) note_use(context, name, sink_);
    }
    return std::nullopt;
  }

  std::optional<Error> scan_table_file(std::string_view type, std::string_view table,
                                       std::span<const DerivedParameter> suffixes) {
    if (!table_files_.insert(concat(type, ":", table)).second) return std::nullopt;
    const std::string file(table);
    Result<MainCfDocument> document = MainCfDocument::load(file);
    if (!document) {
      const std::string& message = document.error().message;
      const std::size_t reason = message.rfind(": ");
      sink_.report(
          {.file = file,
           .code = "table-file",
           .message = concat("open \"", type, "\" configuration \"", file, "\"", message.substr(reason))});
      return std::nullopt;
    }
    document->report(sink_);
    if (const MainCfEntry* fault = document->first_fault()) return document->fault_error(*fault);
    std::map<std::string_view, const MainCfEntry*> last_entries;
    for (const MainCfEntry& entry : document->entries()) last_entries[entry.name] = &entry;
    for (const auto& [name, entry] : last_entries) {
      if (!has_table_setting(suffixes, name))
        sink_.report({.file = file,
                      .line = entry->line,
                      .code = "unused-parameter",
                      .message = concat(type, ":", file, ": unused parameter: ", name, "=", entry->value)});
    }
    return std::nullopt;
  }

  void judge_main() {
    for (std::string_view name : settings_.explicit_names()) {
      const Setting setting = *settings_.explicit_setting(name);
      judge_name(main_cf_, name, setting, inventory_.class_of(name).has_value(), inventory_.main_findings_);
    }
  }

  void judge_service(const ServiceScan& scan) {
    for (const std::string& name : scan.names)
      judge_name(master_cf_->file(), name, *scan.settings.explicit_setting(name),
                 inventory_.class_of(name).has_value() || scan.used.count(name) != 0,
                 inventory_.master_findings_);
  }

  static void judge_name(std::string_view file, std::string_view name, const Setting& setting, bool is_known,
                         std::vector<Diagnostic>& findings) {
    Diagnostic finding{.file = std::string(file), .line = setting.origin.line, .code = {}, .message = {}};
    const Parameter* parameter = find_parameter(name);
    if (parameter != nullptr && !parameter->deprecated_since.empty()) {
      finding.code = kDeprecated;
      finding.message = concat(file, ": support for parameter \"", name, "\" will be removed; instead, ",
                               advice(*parameter));
    } else if (!is_known) {
      finding.code = "unused-parameter";
      finding.message = concat(file, ": unused parameter: ", name, "=", setting.value);
    } else {
      return;
    }
    findings.push_back(std::move(finding));
  }

  static std::string advice(const Parameter& parameter) {
    if (parameter.replacement == "-") return "do not specify";
    if (parameter.replacement == "(default)") return "do not specify (leave at default)";
    return concat("specify \"", parameter.replacement, "\"");
  }

  const Settings& settings_;
  std::string_view main_cf_;
  const MasterCf* master_cf_;
  DiagnosticSink& sink_;
  ParameterInventory::OnError on_error_;
  ParameterInventory inventory_;
  Names option_names_;  ///< Of all services: main.cf may use a name that only services set.
  Names table_files_;
};

Result<ParameterInventory> ParameterInventory::scan(const Settings& settings, std::string_view main_cf,
                                                    const MasterCf* master_cf, DiagnosticSink& sink,
                                                    OnError on_error) {
  return InventoryScan(settings, main_cf, master_cf, sink, on_error).run();
}

}  // namespace libconf
