#include "tools/postconf/migrate.h"

#include <algorithm>
#include <array>
#include <memory>

#include "libconf/file_edit.h"
#include "libconf/text.h"
#include "libmaps/index_build.h"
#include "libmaps/open.h"
#include "tools/cli/console.h"
#include "tools/postconf/edit.h"
#include "tools/postconf/migration_plan.h"
#include "tools/postmap/build_purpose.h"
#include "tools/postmap/compare.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::FileEdit;
using libconf::json_quote;
using libconf::Result;

/// What indexes can become; hash and btree themselves are what is left behind.
constexpr std::array<std::string_view, 2> kTargets = {"cdb", "lmdb"};

struct Fate {
  std::string_view name;  ///< In JSON.
  std::string_view text;
};
/// In the order of IndexFate.
constexpr Fate kFates[] = {{"build", "to be built"},
                           {"new", "a cache, which Postfix fills anew"},
                           {"absent", "not there, as before"},
                           {"no-source", "cannot be built: there is no source"}};

const Fate& describe(IndexFate fate) { return kFates[static_cast<std::size_t>(fate)]; }

std::string table_text(const MigrationIndex& index) { return concat(index.new_type, ":", index.table.name); }

/// Whether an index with that name is ahead of `index`: hash:x and btree:x become the same.
bool is_repeated(const MigrationPlan& plan, const MigrationIndex& index) {
  const auto first =
      std::find_if(plan.indexes().begin(), plan.indexes().end(),
                   [&](const MigrationIndex& each) { return table_text(each) == table_text(index); });
  return &*first != &index;
}

void report_text(const MigrationPlan& plan, std::string& out) {
  for (const MigrationEdit& edit : plan.edits()) {
    const bool is_added = edit.length == 0;
    out += concat(edit.file, is_added ? "" : ":", is_added ? "" : std::to_string(edit.line), ": ",
                  edit.parameter, ": ", edit.old_text, is_added ? " (default)" : "", " -> ", edit.new_text,
                  "\n");
  }
  for (const MigrationIndex& index : plan.indexes()) {
    if (is_repeated(plan, index)) continue;
    const std::string_view note =
        index.fate == IndexFate::kBuild ? postmap::purpose_of(index.table).note : "";
    out += concat(table_text(index), ": ", describe(index.fate).text, note, "\n");
  }
}

void report_json(const MigrationPlan& plan, std::string& out) {
  for (const MigrationEdit& edit : plan.edits()) {
    out += concat("{\"file\": ", json_quote(edit.file));
    if (edit.length != 0) out += concat(", \"line\": ", std::to_string(edit.line));
    out += concat(", \"parameter\": ", json_quote(edit.parameter), ", \"old\": ", json_quote(edit.old_text),
                  ", \"new\": ", json_quote(edit.new_text), "}\n");
  }
  for (const MigrationIndex& index : plan.indexes()) {
    if (is_repeated(plan, index)) continue;
    out += concat("{\"index\": ", json_quote(table_text(index)),
                  ", \"fate\": ", json_quote(describe(index.fate).name), "}\n");
  }
}

/// Errors: entries would be lost.
Result<void> check_sources(const MigrationPlan& plan) {
  std::string lost;
  for (const MigrationIndex& index : plan.indexes())
    if (index.fate == IndexFate::kNoSource)
      lost += concat(lost.empty() ? "" : ", ", index.table.type, ":", index.table.name);
  if (lost.empty()) return {};
  return configuration_error(concat("these indexes have no source: ", lost, "; nothing was changed"));
}

/// Says nothing until the settings are read: what of them is odd was said before.
class BuildMessages final : public cli::MessagePrinter {
 public:
  explicit BuildMessages(std::ostream& err) : MessagePrinter("postconf", err) {}
  void begin() { is_silent_ = false; }
  void report(libconf::Diagnostic diagnostic) override {
    if (!is_silent_) MessagePrinter::report(std::move(diagnostic));
  }

 private:
  bool is_silent_ = true;
};

/// Builds the new indexes. What old ones have beside their sources stays behind, which is told.
class IndexBuilder {
 public:
  static Result<IndexBuilder> create(const MigrationPlan& plan, const ConfigDirectory& directory,
                                     Console& console) {
    IndexBuilder builder(plan, console);
    postmap::Options options;
    options.config_directory = directory.path;
    auto session = postmap::Session::start(postmap::kPostmap, std::move(options),
                                           {-1, *builder.unused_, *builder.messages_});
    if (!session) return session.error();
    builder.session_ = std::move(*session);
    builder.messages_->begin();
    return builder;
  }

  void warn_of_surplus() const {
    for (const MigrationIndex& index : plan_.indexes()) {
      if (index.fate != IndexFate::kBuild) continue;
      // An old index that is not there, or cannot be read, has nothing to be missed.
      static_cast<void>(postmap::compare_index(
          *session_, {index.table.type, index.table.name}, recipe_of(index),
          [&](std::string_view name, postmap::Difference difference, std::string_view key) {
            if (difference == postmap::Difference::kNotInSource)
              messages_->warn("surplus-entry", concat(name, ": ", to_string(difference), ": ", key));
          }));
    }
  }

  Result<void> build() const {
    for (const MigrationIndex& index : plan_.indexes()) {
      if (index.fate != IndexFate::kBuild || is_repeated(plan_, index)) continue;
      Result<void> built =
          postmap::build_index(*session_, {index.new_type, index.table.name}, recipe_of(index));
      if (!built) return built;
    }
    return {};
  }

 private:
  IndexBuilder(const MigrationPlan& plan, Console& console)
      : plan_(plan),
        unused_(std::make_unique<cli::Output>(console.err)),
        messages_(std::make_unique<BuildMessages>(console.err)) {}

  postmap::Recipe recipe_of(const MigrationIndex& index) const {
    return postmap::recipe_for(postmap::purpose_of(index.table), *session_);
  }

  const MigrationPlan& plan_;
  std::unique_ptr<cli::Output> unused_;
  std::unique_ptr<BuildMessages> messages_;
  std::unique_ptr<postmap::Session> session_;
};

/// The files, locked until they are replaced.
class LockedFiles {
 public:
  LockedFiles() = default;
  LockedFiles(const LockedFiles&) = delete;
  LockedFiles& operator=(const LockedFiles&) = delete;
  ~LockedFiles() {
    for (FileEdit& edit : edits_) edit.discard();
  }

  /// Errors: kInputOutput; a file that is not as it was when the plan was made.
  Result<void> lock(const std::vector<MigrationFile>& files) {
    for (const MigrationFile& file : files) {
      Result<FileEdit> edit = FileEdit::begin(file.name);
      if (!edit) return edit.error();
      edits_.push_back(std::move(*edit));
      if (edits_.back().original() != file.before)
        return Error{.message = concat(file.name, " was changed meanwhile; nothing was written to it")};
    }
    return {};
  }

  /// Each as a whole. main.cf, without which the others mean nothing, is the last.
  Result<void> replace(const std::vector<MigrationFile>& files, std::string_view main_cf) {
    for (const bool is_main_cf : {false, true})
      for (std::size_t i = 0; i < files.size(); ++i) {
        if ((files[i].name == main_cf) != is_main_cf) continue;
        if (const Result<bool> committed = edits_[i].commit(files[i].after); !committed)
          return committed.error();
      }
    edits_.clear();
    return {};
  }

 private:
  std::vector<FileEdit> edits_;
};

Result<void> apply(const MigrationPlan& plan, const IndexBuilder& indexes, const ConfigDirectory& directory) {
  LockedFiles files;
  if (Result<void> locked = files.lock(plan.files()); !locked) return locked;
  // An index that nobody names does no harm; the other way round mail would be refused.
  if (Result<void> built = indexes.build(); !built) {
    Error error = built.error();
    error.message += "; main.cf and master.cf were not changed";
    return error;
  }
  return files.replace(plan.files(), directory.main_cf());
}

}  // namespace

std::span<const std::string_view> migration_targets() { return kTargets; }

Result<int> migrate_databases(const Options& options, Console& console) {
  const std::string& target = *options.migrate_db;
  if (std::find(kTargets.begin(), kTargets.end(), target) == kTargets.end())
    return configuration_error(concat("--migrate-db ", target, ": need ", kTargets[1], " or ", kTargets[0]));
  auto configuration = Configuration::load(options, Loading::kMainCf, console.warnings);
  if (!configuration) return configuration.error();
  const Result<MigrationPlan> plan = MigrationPlan::make(**configuration, target, console.warnings);
  if (!plan) return plan.error();
  const bool is_json = options.has('j');
  if (plan->edits().empty()) {
    if (!is_json) console.out += "nothing to do: no table is of type hash or btree\n";
    return 0;
  }
  (is_json ? report_json : report_text)(*plan, console.out);
  if (Result<void> checked = check_sources(*plan); !checked) return checked.error();
  const ConfigDirectory& directory = (*configuration)->directory();
  const Result<IndexBuilder> indexes = IndexBuilder::create(*plan, directory, console);
  if (!indexes) return indexes.error();
  indexes->warn_of_surplus();
  if (options.apply)
    if (Result<void> applied = apply(*plan, *indexes, directory); !applied) return applied.error();
  if (!is_json) console.out += options.apply ? "done\n" : "nothing was changed: --apply does it\n";
  return options.changed ? kStatusChanged : 0;
}

}  // namespace postconf
