/// An LMDB file, and our view of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libmaps/lmdb_tree.h"
#include "libmaps/mapped_file.h"
#include "libmaps/table.h"

namespace libmaps {

class LmdbFile {
 public:
  static Result<LmdbFile> open(const std::string& path) {
    Result<MappedFile> file = MappedFile::open(path);
    if (!file) return file.error();
    Result<LmdbTree> tree = LmdbTree::over(file->bytes());
    if (!tree) return tree.error();
    return LmdbFile(std::move(*file), std::move(*tree));
  }

  /// To be called after the file changed; after an error, nothing else may be.
  Result<void> refresh() {
    if (Result<void> mapped = file_.refresh(); !mapped) return mapped;
    Result<LmdbTree> tree = LmdbTree::over(file_.bytes());
    if (!tree) return tree.error();
    tree_ = std::move(*tree);
    return {};
  }

  Result<std::optional<std::string_view>> find(std::string_view key) const { return tree_.find(key); }
  Result<void> for_each(const EntryVisitor& visit) const { return tree_.for_each(visit); }
  Result<void> check() const { return tree_.check(); }

 private:
  LmdbFile(MappedFile file, LmdbTree tree) : file_(std::move(file)), tree_(std::move(tree)) {}

  MappedFile file_;
  LmdbTree tree_;
};

}  // namespace libmaps
