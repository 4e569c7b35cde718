#include "tools/postconf/edit.h"

#include <algorithm>
#include <functional>

#include "libconf/file.h"
#include "libconf/file_edit.h"
#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/postconf/configuration.h"
#include "tools/postconf/edit_request.h"
#include "tools/postconf/unified_diff.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::DiagnosticDiscard;
using libconf::Error;
using libconf::ErrorKind;
using libconf::MainCfDocument;
using libconf::MasterCf;
using libconf::MasterCfChange;
using libconf::MasterCfDocument;
using libconf::PlacedService;
using libconf::Result;
using libconf::Settings;

Error refuse(std::string_view message) {
  return libconf::configuration_error(concat(message, " (--strict; nothing was changed)"));
}

/// Holds the result of an edit against the parameter table, as --strict demands.
class StrictCheck {
 public:
  explicit StrictCheck(const ConfigDirectory& directory) : directory_(directory) {}

  Result<void> main_cf(const MainCfDocument& document, const std::vector<std::string>& names) {
    DiagnosticDiscard discard;
    Result<MasterCf> master = MasterCf::load(directory_.master_cf(), discard);
    if (!master && master.error().kind != ErrorKind::kInputOutput) return master.error();
    return check(&document, master ? &*master : nullptr,
                 [&](const Settings& settings, const auto& inventory) {
                   for (const std::string& name : names)
                     if (Result<void> good = check_setting(settings, inventory, name); !good) return good;
                   return Result<void>();
                 });
  }

  /// `before` is what `changes` made `after` of.
  Result<void> master_cf(const MasterCfDocument& before, MasterCfDocument after,
                         const std::vector<MasterCfChange>& changes) {
    for (const MasterCfChange& change : changes)
      if (Result<void> good = check_service(change, before); !good) return good;
    DiagnosticDiscard discard;
    Result<MainCfDocument> main = MainCfDocument::load(directory_.main_cf());
    if (!main) return main.error();
    const Result<MasterCf> master = MasterCf::read(std::move(after), discard);
    if (!master) return master.error();
    return check(&*main, &*master, [&](const Settings& settings, const auto& inventory) {
      for (const MasterCfChange& change : changes)
        if (Result<void> good = check_change(change, settings, inventory, *master); !good) return good;
      return Result<void>();
    });
  }

 private:
  using Check = std::function<Result<void>(const Settings&, const libconf::ParameterInventory&)>;

  Result<void> check(const MainCfDocument* main, const MasterCf* master, const Check& check_all) {
    Settings settings(main, libconf::system_host());
    if (directory_.is_explicit) settings.set_config_directory(directory_.path);
    if (master != nullptr) settings.define_service_parameters(*master);
    DiagnosticDiscard discard;
    // Other parameters are not this edit's business.
    const auto inventory = libconf::ParameterInventory::scan(settings, directory_.main_cf(), master, discard,
                                                             libconf::ParameterInventory::OnError::kGoOn);
    if (!inventory) return inventory.error();
    return check_all(settings, *inventory);
  }

  /// Only a new entry may name a service that is not there.
  Result<void> check_service(const MasterCfChange& change, const MasterCfDocument& before) const {
    if (change.kind == MasterCfChange::Kind::kSetEntry) return {};
    for (const libconf::LogicalLine& line : before.lines().logical()) {
      std::string_view rest = line.text;
      const std::string_view service = libconf::next_word(rest, libconf::kBlanks).value_or("");
      const std::string_view type = libconf::next_word(rest, libconf::kBlanks).value_or("");
      if (!line.is_orphan && change.matches(service, type)) return {};
    }
    return refuse(concat(directory_.master_cf(), ": no such service: ", change.service, "/", change.type));
  }

  Result<void> check_change(const MasterCfChange& change, const Settings& settings,
                            const libconf::ParameterInventory& inventory, const MasterCf& master) {
    const bool is_entry = change.kind == MasterCfChange::Kind::kSetEntry;
    for (const PlacedService& service : master.services()) {
      const bool is_match = is_entry ? service.service.key() == change.entry.key()
                                     : service.service.matches(change.service, change.type);
      if (!is_match) continue;
      const Settings local = settings.for_services_like(service, master);
      for (const libconf::MasterOption& option : service.service.options()) {
        if (change.kind == MasterCfChange::Kind::kSetParameter && option.name != change.name) continue;
        if (Result<void> good = check_setting(local, inventory, option.name); !good) return good;
      }
    }
    return {};
  }

  Result<void> check_setting(const Settings& settings, const libconf::ParameterInventory& inventory,
                             std::string_view name) {
    if (!inventory.class_of(name)) return refuse(concat("unknown parameter: ", name));
    if (libconf::is_raw(name)) return {};
    DiagnosticDiscard discard;
    std::string undefined;
    libconf::scan_references(
        settings.value_of(name).value_or(""),
        [&](std::string_view used) {
          if (!inventory.class_of(used) && !settings.value_of(used)) undefined = used;
        },
        discard);
    if (!undefined.empty()) return refuse(concat(name, ": undefined parameter: ", undefined));
    const Result<std::string> value = settings.get(name);
    if (!value) return refuse(concat(name, ": ", value.error().message));
    const libconf::Parameter* parameter = libconf::find_parameter(name);
    if (parameter == nullptr) return {};
    if (std::optional<Error> error = libconf::check_value(*parameter, *value)) return refuse(error->message);
    return {};
  }

  const ConfigDirectory& directory_;
};

/// Runs one edit of `file`: `change` makes the new text, or says why not.
Result<int> run_edit(const Options& options, const std::string& file, Console& console,
                     const std::function<Result<std::string>(const std::string& text)>& change) {
  if (options.dry_run) {
    const Result<std::string> text = libconf::read_file(file);
    if (!text) return text.error();
    const Result<std::string> changed = change(*text);
    if (!changed) return changed.error();
    console.out += unified_diff(*text, *changed, file, file);
    return options.changed && *text != *changed ? kStatusChanged : 0;
  }
  Result<libconf::FileEdit> edit = libconf::FileEdit::begin(file);
  if (!edit) return edit.error();
  const Result<std::string> changed = change(edit->original());
  if (!changed) {
    // A text that cannot be edited leaves FILE.tmp to the next edit, as in Postfix; a refused one leaves
    // nothing.
    if (changed.error().kind != ErrorKind::kSyntax) edit->discard();
    return changed.error();
  }
  const Result<bool> committed = edit->commit(*changed);
  if (!committed) return committed.error();
  return options.changed && *committed ? kStatusChanged : 0;
}

/// --origin with an edit: the settings that it made, and where they stand now.
void show_edited(const MainCfDocument& document, const std::vector<std::string>& names, Console& console) {
  for (const libconf::MainCfEntry& entry : document.entries()) {
    if (!std::binary_search(names.begin(), names.end(), entry.name)) continue;
    append_setting(console.out, entry.name, entry.value, {});
    console.out.pop_back();
    console.out += concat("  # ", document.file(), ":", std::to_string(entry.line), " (edit)\n");
  }
}

Result<int> edit_main_cf(const Options& options, Console& console) {
  const Result<libconf::MainCfEdit> edit = main_cf_request(options, console);
  if (!edit) return edit.error();
  const ConfigDirectory directory = config_directory(options);
  const std::vector<std::string> names = edit->names_set();
  std::string changed;
  Result<int> status =
      run_edit(options, directory.main_cf(), console, [&](const std::string& text) -> Result<std::string> {
        changed = edit->apply(text, directory.main_cf(), console.warnings);
        if (!options.strict) return changed;
        const MainCfDocument document = MainCfDocument::parse(changed, directory.main_cf());
        const Result<void> good = StrictCheck(directory).main_cf(document, names);
        if (!good) return good.error();
        return changed;
      });
  if (status && options.origin)
    show_edited(MainCfDocument::parse(changed, directory.main_cf()), names, console);
  return status;
}

Result<int> edit_master_cf(const Options& options, Console& console) {
  const Result<std::vector<MasterCfChange>> changes = master_cf_request(options, console);
  if (!changes) return changes.error();
  const ConfigDirectory directory = config_directory(options);
  return run_edit(options, directory.master_cf(), console,
                  [&](const std::string& text) -> Result<std::string> {
                    const MasterCfDocument before = MasterCfDocument::parse(text, directory.master_cf());
                    Result<std::string> changed = apply(*changes, before, console.warnings);
                    if (!changed || !options.strict) return changed;
                    const Result<void> good = StrictCheck(directory).master_cf(
                        before, MasterCfDocument::parse(*changed, directory.master_cf()), *changes);
                    if (!good) return good.error();
                    return changed;
                  });
}

}  // namespace

Result<int> edit_files(const Options& options, Console& console) {
  return options.first_of("MFP") != '\0' ? edit_master_cf(options, console) : edit_main_cf(options, console);
}

}  // namespace postconf
