#include "libmaps/table_inventory.h"

#include <map>
#include <string_view>
#include <utility>

#include "libconf/main_cf_document.h"
#include "libconf/parameter_table.h"
#include "libconf/table_reference.h"
#include "libconf/text.h"
#include "libmaps/secret_setting.h"

namespace libmaps {
namespace {

using libconf::DiagnosticSink;
using libconf::Result;
using libconf::Settings;

class Finder {
 public:
  explicit Finder(DiagnosticSink& sink) : sink_(sink) {}

  void look_at(const Settings& settings, std::string_view parameter) {
    // Values that Postfix expands with other names than those of parameters name no tables.
    if (libconf::is_raw(parameter)) return;
    libconf::DiagnosticDiscard details;  // Undefined names are postconf's business.
    const auto setting = settings.find(parameter);
    if (!setting) return;
    const Result<std::string> value = settings.expand_text(setting->value, details);
    if (value) {
      is_set_ = settings.explicit_setting(parameter).has_value();
      look_at_value(parameter, *value, "main.cf");
    } else {
      sink_.warn("bad-value", libconf::concat(parameter, ": ", value.error().message));
    }
  }

  std::vector<NamedTable> take() {
    std::vector<NamedTable> tables;
    tables.reserve(tables_.size());
    for (auto& [key, table] : tables_) tables.push_back(std::move(table));
    return tables;
  }

 private:
  void look_at_value(std::string_view parameter, std::string_view value, std::string_view label) {
    libconf::for_each_table(value, label, sink_, [&](std::string_view type, std::string_view name) {
      const auto [entry, is_new] = tables_.try_emplace(std::pair(std::string(type), std::string(name)));
      NamedTable& table = entry->second;
      if (is_new) table = {.type = std::string(type), .name = std::string(name)};
      table.parameters.emplace(parameter);
      const bool is_news = is_new || (is_set_ && !table.is_set);
      table.is_set |= is_set_;
      const bool is_client = !libconf::table_settings(type).empty();
      if (is_news && is_client && name.starts_with('/')) look_at_file(parameter, std::string(name));
    });
  }

  void look_at_file(std::string_view parameter, const std::string& file) {
    const Result<libconf::MainCfDocument> document = libconf::MainCfDocument::load(file);
    if (!document) {
      sink_.warn("unreadable-table", document.error().message);
      return;
    }
    // A password that looks like a table is none, and stays out of messages.
    for (const libconf::MainCfEntry& entry : document->entries())
      if (!is_secret(entry.name, entry.value)) look_at_value(parameter, entry.value, file);
  }

  DiagnosticSink& sink_;
  bool is_set_ = false;  ///< See NamedTable.
  std::map<std::pair<std::string, std::string>, NamedTable> tables_;
};

}  // namespace

std::vector<NamedTable> find_tables(const Settings& settings, const libconf::MasterCf* master_cf,
                                    DiagnosticSink& sink) {
  Finder finder(sink);
  std::set<std::string_view> names;
  for (const libconf::Parameter& parameter : libconf::all_parameters()) names.insert(parameter.name);
  for (const std::string_view name : settings.explicit_names()) names.insert(name);
  for (const std::string_view name : names) finder.look_at(settings, name);
  if (master_cf == nullptr) return finder.take();
  for (const libconf::PlacedService& placed : master_cf->services()) {
    const Settings of_service = settings.for_service(placed, *master_cf);
    for (const libconf::MasterOption& option : placed.service.options())
      finder.look_at(of_service, option.name);
  }
  return finder.take();
}

}  // namespace libmaps
