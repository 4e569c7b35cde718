/// main.cf, every byte of it (postconf(5)).
///
///     auto document = MainCfDocument::load("/etc/postfix/main.cf");
///     if (!document) return document.error();
///     for (const MainCfEntry& entry : document->entries()) use(entry.name, entry.value);
///
/// The document never changes the file: MainCfEdit makes a new text, and libconf/file_edit.h replaces the
/// file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/lines.h"
#include "libconf/result.h"
#include "libconf/text.h"

namespace libconf {

/// One logical line of main.cf. Views point into the document.
struct MainCfEntry {
  std::string_view name;   ///< Empty when `fault` is set.
  std::string_view value;  ///< As written, joined over its lines, without blanks at both ends. Not expanded.
  std::string_view text;   ///< The whole logical line.
  int line = 0;            ///< Where the entry, and its name, starts; in column 1.
  Position value_place;    ///< Where the value starts.
  NameValueFault fault = NameValueFault::kNone;
};

/// Immutable once parsed; safe to share between threads. Moves are cheap, and keep all views valid.
class MainCfDocument {
 public:
  /// Any bytes are accepted; what is wrong with a line is told in its entry. `file` names it in messages.
  static MainCfDocument parse(std::string text, std::string file);

  /// Reads `file`. Errors: kInputOutput, "open FILE: REASON".
  static Result<MainCfDocument> load(const std::string& file);

  /// The same for who wants the parameters: reports as report() does. Errors: those of load(); kSyntax, the
  /// first malformed line.
  static Result<MainCfDocument> load(const std::string& file, DiagnosticSink& sink,
                                     std::string_view config_directory = {});

  const std::string& file() const { return body_->file; }
  const std::string& text() const { return body_->text; }
  const Lines& lines() const { return body_->lines; }
  const std::vector<MainCfEntry>& entries() const { return body_->entries; }

  /// What reading the file warns of, up to its first malformed line: ignored lines, `# comment` after other
  /// text, earlier entries overridden. A `config_directory` that is not empty counts as an entry ahead of the
  /// file.
  void report(DiagnosticSink& sink, std::string_view config_directory = {}) const;

  /// The first malformed entry as Postfix words it ("FILE, line N: missing '=' after ..."), or nothing.
  const MainCfEntry* first_fault() const;
  Error fault_error(const MainCfEntry& entry) const;

 private:
  struct Body {
    Body(std::string t, std::string f) : file(std::move(f)), text(std::move(t)), lines(text) {}
    std::string file;
    std::string text;
    Lines lines;
    std::vector<MainCfEntry> entries;
  };
  explicit MainCfDocument(std::unique_ptr<Body> body) : body_(std::move(body)) {}

  std::unique_ptr<Body> body_;
};

/// A set of changes to main.cf.
///
///     MainCfEdit edit;
///     edit.set("relayhost", "[gw.example.net]", sink);
///     std::string changed = edit.apply(text, "/etc/postfix/main.cf", sink);
///
/// A change touches the lines of its own entries only; comments inside an entry stay. New names go to the
/// end, sorted.
class MainCfEdit {
 public:
  /// The last value given for a name counts; an earlier, different one is warned of.
  void set(std::string_view name, std::string_view value, DiagnosticSink& sink);
  void remove(std::string_view name) { changes_[std::string(name)] = {Kind::kRemove, {}}; }
  void comment_out(std::string_view name) { changes_[std::string(name)] = {Kind::kCommentOut, {}}; }

  /// The names that get a value, sorted.
  std::vector<std::string> names_set() const;

  /// The main.cf that `text` becomes; `file` names it in messages. Warns of names that have several entries:
  /// all of them are changed.
  std::string apply(std::string_view text, std::string_view file, DiagnosticSink& sink) const;

 private:
  enum class Kind { kSet, kRemove, kCommentOut };
  struct Change {
    Kind kind = Kind::kSet;
    std::string value;
  };
  std::map<std::string, Change, std::less<>> changes_;
};

}  // namespace libconf
