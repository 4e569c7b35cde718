/// What is the same for every type: how keys and values are treated on their way to a table and back.
#pragma once

#include <memory>

#include "libmaps/table.h"
#include "libmaps/table_context.h"
#include "libmaps/table_types.h"

namespace libmaps {

/// A key on its way to a table. Thread-safe, as the sink is.
class KeyRules {
 public:
  /// `kind` decides whether keys are folded at all.
  KeyRules(KeyKind kind, const TableContext& context)
      : folds_(kind == KeyKind::kFixed && context.options.fold_keys),
        utf8_(context.options.utf8),
        warnings_(context.warnings) {}

  /// Whether `key` can be asked for at all; if not, a warning says why. `table` is the name for messages.
  bool accepts(std::string_view table, std::string_view key) const;

  /// The key as tables have it. `scratch` holds it where it differs.
  std::string_view fold(std::string_view key, std::string& scratch) const;

 private:
  bool folds_;
  bool utf8_;
  libconf::DiagnosticSink& warnings_;
};

/// Asks `inner` by these rules: keys are checked and folded, values checked and, with decode_files, decoded.
std::unique_ptr<Table> check_lookups(std::unique_ptr<Table> inner, KeyKind kind, const TableContext& context);

/// The same for listing. Keys are shown as they are.
std::unique_ptr<IterableTable> check_listing(std::unique_ptr<IterableTable> inner,
                                             const TableContext& context);

/// The same for changing: keys are checked and folded.
std::unique_ptr<WritableTable> check_changes(std::unique_ptr<WritableTable> inner,
                                             const TableContext& context);

}  // namespace libmaps
