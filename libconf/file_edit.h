/// Replacing a configuration file without ever leaving half of it.
///
///     auto edit = FileEdit::begin("/etc/postfix/main.cf");   // waits for other editors
///     if (!edit) return edit.error();
///     Result<bool> changed = edit->commit(new_text_of(edit->original()));
///
/// See libconf/file_replacement.h for lock, atomicity, links, owner and mode.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "libconf/file_replacement.h"
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
  void discard() { replacement_.discard(); }

 private:
  FileEdit(FileReplacement replacement, std::string original)
      : replacement_(std::move(replacement)), original_(std::move(original)) {}

  Result<void> write(std::string_view text);

  FileReplacement replacement_;
  std::string original_;
};

}  // namespace libconf
