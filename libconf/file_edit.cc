#include "libconf/file_edit.h"

#include <unistd.h>

#include <cerrno>

#include "libconf/file.h"
#include "libconf/text.h"

namespace libconf {

Result<FileEdit> FileEdit::begin(const std::string& file) {
  Result<FileReplacement> replacement = FileReplacement::begin(file);
  if (!replacement) return replacement.error();
  Result<std::string> text = read_file(replacement->target());
  if (!text) {
    replacement->discard();
    Error error = text.error();
    const std::string opening = concat("open ", replacement->target());
    if (error.message.starts_with(opening))
      error.message = concat("open ", file, " for reading", error.message.substr(opening.size()));
    return error;
  }
  return FileEdit(std::move(*replacement), std::move(*text));
}

Result<bool> FileEdit::commit(std::string_view text) {
  if (text == original_) {
    discard();
    return false;
  }
  Result<void> written = write(text);
  if (!written) {
    discard();
    return written.error();
  }
  // The file was there to be read: it has a mode.
  written = replacement_.commit({.if_new = 0600});
  if (!written) return written.error();
  return true;
}

Result<void> FileEdit::write(std::string_view text) {
  if (::ftruncate(replacement_.fd(), 0) != 0) return io_error("truncate ", replacement_.temporary(), errno);
  if (const int error = write_all(replacement_.fd(), text); error != 0)
    return io_error("write ", replacement_.temporary(), error);
  return {};
}

}  // namespace libconf
