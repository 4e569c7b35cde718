/// The text that tables are made from, one logical line after the other.
///
///     auto source = SourceReader::open_file("/etc/postfix/virtual");
///     while (std::optional<SourceLine> line = source->next()) use(line->text);
///
/// A line that starts with text begins a logical line; one that starts with white space continues it, blanks
/// and all. Empty lines and lines whose first visible character is '#' are neither, and end nothing
/// (postmap(1), INPUT FILE FORMAT).
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"

namespace libmaps {

/// A logical line. `text` has no newline, and lives until the next call of next().
struct SourceLine {
  std::string_view text;
  int first = 0;  ///< Its first and last physical line, counted from 1.
  int last = 0;

  /// Starts with white space, and continues nothing: it cannot be read.
  bool is_orphan() const;
};

/// Reads a file, or a text in memory. Movable, not copyable, not thread-safe.
class SourceReader {
 public:
  /// Opens and maps a file. A directory reads as empty, as Postfix has it. Errors: kInputOutput,
  /// "open FILE: REASON".
  static libconf::Result<SourceReader> open_file(const std::string& file);

  /// What `type:name` of a table of rules names: the file `name`, or the inline rules `{ {rule}, {rule} }`.
  /// Errors: as open_file() and inline_rules().
  static libconf::Result<SourceReader> open_rules(std::string_view type, std::string_view name);

  /// Reads an open file to its end; `name` is for messages.
  static libconf::Result<SourceReader> read_descriptor(int fd, std::string name);

  /// Reads `text`; `name` is for messages.
  static SourceReader from_text(std::string name, std::string text);

  SourceReader(SourceReader&& other) noexcept;
  SourceReader& operator=(SourceReader&& other) noexcept;
  ~SourceReader();

  /// fstat(2) of the file; zeros for a text in memory.
  const struct stat& status() const { return status_; }

  /// The size of the whole text in bytes.
  std::size_t size() const { return text_.size(); }

  /// The file's name, as messages give it.
  const std::string& name() const { return name_; }

  /// The next logical line, or nothing at the end. A NUL ends the text of a line early, as it does for
  /// Postfix.
  std::optional<SourceLine> next();

  /// Gives the memory of a mapped file back as it is read: for those who keep no views. Views stay valid, but
  /// cost reading the file again.
  void read_once() { is_read_once_ = true; }

  /// Whether `text` lives as long as the reader, not only until the next call of next().
  bool owns(std::string_view text) const {
    return text.data() >= text_.data() && text.data() + text.size() <= text_.data() + text_.size();
  }

  /// What stands before the text of every line: "FILE, line 12".
  std::string place(const SourceLine& line) const;

  /// "FILE: logical line must not start with whitespace: "..."": Postfix's words for an orphan.
  std::string orphan_message(const SourceLine& line) const;

 private:
  SourceReader() = default;
  bool take_physical(std::string_view& content);
  void give_back_memory();

  std::string name_;
  struct stat status_ {};
  std::string owned_;        ///< The text, where it is not mapped.
  void* mapping_ = nullptr;  ///< The file, where it is.
  std::size_t mapped_size_ = 0;
  std::string_view text_;  ///< All of it.
  std::size_t offset_ = 0;
  bool is_read_once_ = false;
  std::size_t given_back_ = 0;  ///< The bytes whose memory is.
  int line_ = 0;
  std::string joined_;  ///< A logical line of several physical ones.
};

/// The text of an inline table `{ {rule}, {rule} }` as if it were a file: a rule a line (cidr_table(5),
/// INLINE SPECIFICATION). `type` is for messages: "pcre map: missing '}' in ...". Errors: kSyntax.
libconf::Result<std::string> inline_rules(std::string_view type, std::string_view braced);

}  // namespace libmaps
