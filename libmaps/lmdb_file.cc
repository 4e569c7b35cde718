#include "libmaps/lmdb_file.h"

#include <fcntl.h>

#include <cerrno>

#include "libmaps/system_error.h"

namespace libmaps {

Result<LmdbFile> LmdbFile::open(const std::string& path) {
  libconf::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno);
  return adopt(std::move(fd));
}

Result<LmdbFile> LmdbFile::adopt(libconf::FileDescriptor fd) {
  Result<MappedFile> mapped = MappedFile::adopt(std::move(fd));
  if (!mapped) return mapped.error();
  LmdbFile file(std::move(*mapped));
  if (!file.tree_) return file.tree_.error();
  return file;
}

Result<void> LmdbFile::refresh() {
  const Result<void> mapped = file_.refresh();
  tree_ = mapped ? LmdbTree::over(file_.bytes()) : mapped.error();
  if (!tree_) return tree_.error();
  return {};
}

Result<std::optional<std::string_view>> LmdbFile::find(std::string_view key) const {
  if (!tree_) return tree_.error();
  return tree_->find(key);
}

Result<void> LmdbFile::for_each(const EntryVisitor& visit) const {
  if (!tree_) return tree_.error();
  return tree_->for_each(visit);
}

Result<void> LmdbFile::check() const {
  if (!tree_) return tree_.error();
  return tree_->check();
}

}  // namespace libmaps
