/// Replacing a configuration file without ever leaving half of it.
///
///     auto edit = FileEdit::begin("/etc/postfix/main.cf");   // waits for other editors
///     if (!edit) return edit.error();
///     Result<bool> changed = edit->commit(new_text_of(edit->original()));
///
/// The lock is the one that Postfix's own tools take: flock() on FILE.tmp. The new text is written there,
/// synced, and renamed over FILE; owner, group and mode are kept, and a symbolic link stays a link to the
/// changed file. Whatever happens on the way, FILE has its old bytes or its new ones.
#pragma once

#include <string>
#include <string_view>

#include "libconf/handle.h"
#include "libconf/result.h"

namespace libconf {

/// One edit of one file; holds the lock until it ends. Not thread-safe. An edit that is destroyed without
/// commit() or discard() leaves its FILE.tmp behind, as Postfix's tools do when they stop in the middle; the
/// next edit takes it over.
class FileEdit {
 public:
  /// Waits for the lock, then reads the file. Errors: kInputOutput, as Postfix words them: "open FILE.tmp:
  /// REASON", "open FILE for reading: REASON".
  static Result<FileEdit> begin(const std::string& file);

  /// The bytes of the file, which cannot change while the lock is held.
  const std::string& original() const { return original_; }

  /// Makes `text` the file's content, and ends the edit. Returns whether that changed anything: when it does
  /// not, the file is left alone, its inode and time of modification with it.
  Result<bool> commit(std::string_view text);

  /// Ends the edit and removes FILE.tmp.
  void discard();

 private:
  /// A locked FILE.tmp.
  struct Lock {
    std::string path;
    FileDescriptor fd;
  };
  static Result<Lock> take_lock(const std::string& file);

  Result<void> write_and_rename(std::string_view text);

  std::string target_;  ///< What is replaced: the file, or what it links to.
  std::string original_;
  Lock lock_;
  Lock link_lock_;  ///< Beside the symbolic link, when the file is one.
};

}  // namespace libconf
