/// What `postconf --migrate-db` would do: how the files of a configuration change, and which indexes are
/// built.
///
///     auto plan = MigrationPlan::make(configuration, "lmdb", warnings);
///     if (!plan) return plan.error();
///     for (const MigrationEdit& edit : plan->edits()) ...
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libmaps/table_inventory.h"
#include "tools/postconf/configuration.h"

namespace postconf {

/// One change of a file.
struct MigrationEdit {
  std::string file;
  int line = 0;           ///< 0: a line that is added at the end.
  std::string parameter;  ///< "virtual_alias_maps", "smtp/inet relay_domains", "smtp/inet".
  std::string old_text;   ///< "hash:/etc/postfix/virtual", "hash"
  std::string new_text;
  std::size_t offset = 0;  ///< Of the type, in the file.
  std::size_t length = 0;  ///< Of the type; 0: the line is added.
};

/// A file before and after.
struct MigrationFile {
  std::string name;
  std::string before;
  std::string after;
};

/// What becomes of the index of a table.
enum class IndexFate {
  kBuild,    ///< It is built from its source.
  kNew,      ///< It is a cache, which Postfix fills again.
  kAbsent,   ///< Neither index nor source is there.
  kNoSource  ///< Its source is not there: its entries would be lost.
};

struct MigrationIndex {
  libmaps::NamedTable table;  ///< With the old type.
  std::string new_type;
  IndexFate fate;
};

/// All of it. Nothing is written.
class MigrationPlan {
 public:
  /// `target` is the new type. Caches, which are changed all the time, become lmdb where it cannot do that.
  /// Errors: kInputOutput, of files; kConfiguration, a table of an old type that no edit can reach.
  static libconf::Result<MigrationPlan> make(const Configuration& configuration, std::string_view target,
                                             libconf::DiagnosticSink& sink);

  const std::vector<MigrationEdit>& edits() const { return edits_; }       ///< By file, and place in it.
  const std::vector<MigrationFile>& files() const { return files_; }       ///< Those that change.
  const std::vector<MigrationIndex>& indexes() const { return indexes_; }  ///< By name.

 private:
  MigrationPlan() = default;

  std::vector<MigrationEdit> edits_;
  std::vector<MigrationFile> files_;
  std::vector<MigrationIndex> indexes_;
};

}  // namespace postconf
