#include "tools/postconf/migration_plan.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libmaps/index_build.h"
#include "libmaps/secret_setting.h"
#include "libmaps/table_types.h"
#include "tools/postconf/database_types.h"
#include "tools/postmap/build_purpose.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::DiagnosticDiscard;
using libconf::DiagnosticSink;
using libconf::Lines;
using libconf::LogicalLine;
using libconf::MainCfDocument;
using libconf::MainCfEntry;
using libconf::MasterCf;
using libconf::PlacedService;
using libconf::Result;
using libconf::Settings;
using libmaps::NamedTable;

/// Their value is a type, without a name.
constexpr std::array<std::string_view, 2> kTypeParameters = {"default_cache_db_type",
                                                             "default_database_type"};

/// Their tables are made and filled by Postfix itself, and have no source (postconf(5)).
constexpr std::array<std::string_view, 5> kCacheParameters = {
    "address_verify_map", "lmtp_tls_session_cache_database", "postscreen_cache_map",
    "smtp_tls_session_cache_database", "smtpd_tls_session_cache_database"};

constexpr std::string_view kCacheType = "lmdb";

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_cache(std::string_view parameter) {
  return parameter == "default_cache_db_type" || contains(kCacheParameters, parameter);
}

/// The new type of what a parameter names.
std::string_view new_type(std::string_view parameter, std::string_view target) {
  const libmaps::TableType* type = libmaps::find_table_type(target);
  const bool is_changeable = type != nullptr && type->changes == libmaps::Changes::kInPlace;
  return is_cache(parameter) && !is_changeable ? kCacheType : target;
}

/// Finds the edits of one file after the other.
class EditFinder {
 public:
  EditFinder(const Configuration& configuration, std::string_view target)
      : configuration_(configuration), target_(target) {}

  void look_at(const MainCfDocument& document, bool is_main_cf) {
    for (const MainCfEntry& entry : document.entries()) {
      if (entry.fault != libconf::NameValueFault::kNone) continue;
      // As libmaps::find_tables(), which says why.
      if (is_main_cf ? libconf::is_raw(entry.name) : libmaps::is_secret(entry.name, entry.value)) continue;
      const LogicalLine& line = line_of(document.lines(), entry.text);
      const Place place{document.file(), document.lines(), line, std::string(entry.name), entry.name};
      const auto start = static_cast<std::size_t>(entry.value.data() - entry.text.data());
      add_uses(place, entry.value, start, AheadOfTable::kValue);
      if (is_main_cf) add_type(place, entry.value, start);
    }
  }

  void look_at(const MasterCf& master_cf) {
    const Lines& lines = master_cf.document().lines();
    for (const PlacedService& placed : master_cf.services()) {
      const LogicalLine& line = lines.logical()[placed.logical_line];
      const std::vector<libconf::MasterOption> options = placed.service.options();
      const std::size_t command = placed.service.offset(libconf::MasterField::kCommand);
      const auto place_at = [&](std::size_t offset, std::string_view text) {
        const libconf::MasterOption* last = nullptr;
        for (const libconf::MasterOption& option : options)
          if (option.offset <= offset) last = &option;
        // Behind an option there may be other arguments.
        const bool is_in_option = last != nullptr && last->value.find(text) != std::string_view::npos;
        const std::string_view name = is_in_option ? last->name : "";
        return Place{master_cf.file(), lines, line,
                     concat(placed.service.key(), name.empty() ? "" : " ", name), name};
      };
      for (const DatabaseUse& use : database_uses(line.text.substr(command), AheadOfTable::kCommand))
        add(place_at(command + use.offset, use.table), command + use.offset, use.type, use.table);
      for (const libconf::MasterOption& option : options) {
        const std::size_t name = line.text.find(option.name, option.offset);
        const std::size_t equals = line.text.find('=', name);
        if (name == std::string_view::npos || equals == std::string_view::npos || option.value.empty())
          continue;
        const std::size_t value = line.text.find(option.value, equals);
        if (value != std::string_view::npos)
          add_type(place_at(option.offset, option.value), option.value, value);
      }
    }
  }

  /// Defaults that main.cf does not override get their own line there.
  Result<void> look_at_defaults() {
    const std::string file = configuration_.directory().main_cf();
    for (const std::string_view name : kTypeParameters) {
      if (configuration_.settings().explicit_setting(name)) continue;
      const Result<std::string> value = configuration_.settings().get(name);
      if (!value) return value.error();
      if (is_berkeley_db(*value))
        edits_.push_back({.file = file,
                          .parameter = std::string(name),
                          .old_text = *value,
                          .new_text = std::string(new_type(name, target_))});
    }
    return {};
  }

  std::vector<MigrationEdit> take() { return std::move(edits_); }

 private:
  struct Place {
    const std::string& file;
    const Lines& lines;
    const LogicalLine& line;
    std::string label;           ///< For people.
    std::string_view parameter;  ///< Empty: none.
  };

  static const LogicalLine& line_of(const Lines& lines, std::string_view text) {
    return *std::find_if(lines.logical().begin(), lines.logical().end(),
                         [&](const LogicalLine& line) { return line.text.data() == text.data(); });
  }

  void add_uses(const Place& place, std::string_view text, std::size_t start, AheadOfTable ahead) {
    for (const DatabaseUse& use : database_uses(text, ahead))
      add(place, start + use.offset, use.type, use.table);
  }

  /// Values that are a type, or the start of a table that `$name` goes on with.
  void add_type(const Place& place, std::string_view value, std::size_t offset) {
    const bool has_colon = value.ends_with(':');
    const std::string_view type = value.substr(0, value.size() - (has_colon ? 1 : 0));
    if (!is_berkeley_db(type)) return;
    const bool is_type =
        contains(kTypeParameters, place.parameter) || (libconf::find_parameter(place.parameter) == nullptr &&
                                                       is_referred_to(place.parameter, has_colon ? "" : ":"));
    if (is_type) add(place, offset, type, value);
  }

  bool is_referred_to(std::string_view name, std::string_view suffix) const {
    return refers_to(configuration_.main_cf()->text(), name, suffix) ||
           (configuration_.master_cf() != nullptr &&
            refers_to(configuration_.master_cf()->document().text(), name, suffix));
  }

  /// `offset` counts in the text of the logical line.
  void add(const Place& place, std::size_t offset, std::string_view type, std::string_view old_text) {
    const libconf::Position position = place.lines.position(place.line, offset);
    const auto index = static_cast<std::size_t>(position.line - 1);
    const std::string_view new_name = new_type(place.parameter, target_);
    edits_.push_back(
        {.file = place.file,
         .line = position.line,
         .parameter = place.label,
         .old_text = std::string(old_text),
         .new_text = concat(new_name, old_text.substr(type.size())),
         .offset = place.lines.physical()[index].offset + static_cast<std::size_t>(position.column - 1),
         .length = type.size()});
  }

  const Configuration& configuration_;
  std::string_view target_;
  std::vector<MigrationEdit> edits_;
};

/// The settings files of table clients, such as mysql:/etc/postfix/users.cf: each once, whatever links lead
/// to it.
std::set<std::string> client_files(const std::vector<NamedTable>& tables) {
  std::set<std::string> files;
  for (const NamedTable& table : tables) {
    if (libconf::table_settings(table.type).empty() || !table.name.starts_with('/')) continue;
    std::error_code failure;
    const std::filesystem::path file = std::filesystem::canonical(table.name, failure);
    if (!failure) files.insert(file);
  }
  return files;
}

/// The text of one file with its edits, which are sorted.
std::string edited(std::string_view text, std::span<const MigrationEdit> edits) {
  std::string out;
  std::size_t done = 0;
  DiagnosticDiscard discard;
  libconf::MainCfEdit added;
  for (const MigrationEdit& edit : edits) {
    if (edit.length == 0) {
      added.set(edit.parameter, edit.new_text, discard);
      continue;
    }
    out += text.substr(done, edit.offset - done);
    out += edit.new_text.substr(0, edit.new_text.find(':'));
    done = edit.offset + edit.length;
  }
  out += text.substr(done);
  return added.names_set().empty() ? out : added.apply(out, edits.front().file, discard);
}

/// Adds the tables that the configuration has, but that nothing asks at present: in arguments of commands,
/// and in a `${name?{...}}` that does not hold.
void add_dormant_tables(const std::vector<MigrationEdit>& edits, const Settings& settings,
                        std::vector<NamedTable>& tables) {
  DiagnosticDiscard discard;
  for (const MigrationEdit& edit : edits) {
    const Result<std::string> text = settings.expand_text(edit.old_text, discard);
    const std::string& table = text ? *text : edit.old_text;
    const std::size_t colon = table.find(':');
    if (colon == std::string::npos || colon + 1 == table.size()) continue;
    NamedTable found{.type = table.substr(0, colon), .name = table.substr(colon + 1), .is_set = true};
    const bool is_known = std::any_of(tables.begin(), tables.end(), [&](const NamedTable& each) {
      return each.type == found.type && each.name == found.name;
    });
    if (is_known) continue;
    found.parameters.insert(edit.parameter.substr(edit.parameter.rfind(' ') + 1));
    tables.push_back(std::move(found));
  }
}

IndexFate fate_of(const NamedTable& table, bool is_a_cache) {
  const libmaps::TableType& type = *libmaps::find_table_type(table.type);
  if (::access(table.name.c_str(), F_OK) == 0) return IndexFate::kBuild;
  if (is_a_cache) return IndexFate::kNew;
  const bool has_index = ::access(libmaps::index_path(type, table.name).c_str(), F_OK) == 0;
  return has_index ? IndexFate::kNoSource : IndexFate::kAbsent;
}

/// Whether the new configuration still names a table of an old type, other than in files of table clients,
/// which are not looked at again. Errors: it does.
Result<void> check_reach(const Configuration& configuration, const std::vector<MigrationFile>& files,
                         const std::vector<MigrationEdit>& edits) {
  const auto text_of = [&](const std::string& name, const std::string& old_text) {
    const auto file = std::find_if(files.begin(), files.end(),
                                   [&](const MigrationFile& each) { return each.name == name; });
    return file == files.end() ? old_text : file->after;
  };
  DiagnosticDiscard discard;
  const MainCfDocument& old_main = *configuration.main_cf();
  const MainCfDocument main_cf =
      MainCfDocument::parse(text_of(old_main.file(), old_main.text()), old_main.file());
  std::optional<MasterCf> master_cf;
  if (configuration.master_cf() != nullptr) {
    const libconf::MasterCfDocument& old_master = configuration.master_cf()->document();
    Result<MasterCf> read = MasterCf::read(
        libconf::MasterCfDocument::parse(text_of(old_master.file(), old_master.text()), old_master.file()),
        discard);
    if (!read) return read.error();
    master_cf.emplace(std::move(*read));
  }
  Settings settings(&main_cf, libconf::system_host());
  if (configuration.directory().is_explicit) settings.set_config_directory(configuration.directory().path);
  for (const NamedTable& table : libmaps::find_tables(settings, master_cf ? &*master_cf : nullptr, discard)) {
    // "hash: " in a text for people is no table.
    if (!is_berkeley_db(table.type) || table.name.empty()) continue;
    const std::string text = concat(table.type, ":", table.name);
    const bool is_in_client_file = std::any_of(
        edits.begin(), edits.end(), [&](const MigrationEdit& edit) { return edit.old_text == text; });
    if (is_in_client_file) continue;
    // Not proxy_read_maps, whose default has the names of many.
    const auto setter = std::find_if(table.parameters.begin(), table.parameters.end(), [&](const auto& name) {
      return settings.explicit_setting(name).has_value();
    });
    return libconf::configuration_error(
        concat(setter != table.parameters.end() ? *setter : *table.parameters.begin(), ": ", text,
               " is put together in a way that cannot be edited: nothing was changed"));
  }
  return {};
}

}  // namespace

Result<MigrationPlan> MigrationPlan::make(const Configuration& configuration, std::string_view target,
                                          DiagnosticSink& sink) {
  EditFinder finder(configuration, target);
  std::map<std::string, std::string> texts;
  const auto look_at = [&](const MainCfDocument& document, bool is_main_cf) {
    texts[document.file()] = document.text();
    finder.look_at(document, is_main_cf);
  };
  look_at(*configuration.main_cf(), true);
  if (Result<void> looked = finder.look_at_defaults(); !looked) return looked.error();
  if (const MasterCf* master_cf = configuration.master_cf()) {
    texts[master_cf->file()] = master_cf->document().text();
    finder.look_at(*master_cf);
  }
  std::vector<NamedTable> tables =
      libmaps::find_tables(configuration.settings(), configuration.master_cf(), sink);
  for (const std::string& file : client_files(tables)) {
    const Result<MainCfDocument> document = MainCfDocument::load(file);
    if (!document) return document.error();
    look_at(*document, false);
  }

  MigrationPlan plan;
  plan.edits_ = finder.take();
  // What is added comes last.
  const auto key = [](const MigrationEdit& edit) {
    return std::tuple(std::string_view(edit.file), edit.length == 0, edit.offset,
                      std::string_view(edit.parameter));
  };
  std::sort(plan.edits_.begin(), plan.edits_.end(),
            [&](const MigrationEdit& a, const MigrationEdit& b) { return key(a) < key(b); });
  for (auto first = plan.edits_.begin(); first != plan.edits_.end();) {
    const auto last = std::find_if(first, plan.edits_.end(),
                                   [&](const MigrationEdit& each) { return each.file != first->file; });
    const std::string& text = texts[first->file];
    plan.files_.push_back({first->file, text, edited(text, {first, last})});
    first = last;
  }
  add_dormant_tables(plan.edits_, configuration.settings(), tables);
  for (const NamedTable& table : tables) {
    if (!is_berkeley_db(table.type) || table.name.empty() || postmap::is_start_of_names(table)) continue;
    const auto cache = std::find_if(table.parameters.begin(), table.parameters.end(), is_cache);
    const bool is_a_cache = cache != table.parameters.end();
    const IndexFate fate = fate_of(table, is_a_cache);
    // Defaults are there whether or not somebody wants them.
    if (!table.is_set && fate != IndexFate::kBuild && fate != IndexFate::kNoSource) continue;
    plan.indexes_.push_back({table, std::string(is_a_cache ? new_type(*cache, target) : target), fate});
  }
  std::sort(plan.indexes_.begin(), plan.indexes_.end(), [](const MigrationIndex& a, const MigrationIndex& b) {
    return std::tie(a.table.name, a.new_type) < std::tie(b.table.name, b.new_type);
  });
  if (Result<void> checked = check_reach(configuration, plan.files_, plan.edits_); !checked)
    return checked.error();
  return plan;
}

}  // namespace postconf
