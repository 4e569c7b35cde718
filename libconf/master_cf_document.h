/// master.cf, every byte of it (master(5)).
///
///     auto document = MasterCfDocument::load("/etc/postfix/master.cf");
///     auto services = document->services(sink);
///     for (const PlacedService& s : *services) use(s.service.key(), s.line);
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/lines.h"
#include "libconf/master_service.h"
#include "libconf/result.h"

namespace libconf {

/// A service and the line that it starts on.
struct PlacedService {
  MasterService service;
  int line = 0;
};

/// Immutable once parsed; safe to share between threads.
class MasterCfDocument {
 public:
  /// Any bytes are accepted; `file` names the document in messages.
  static MasterCfDocument parse(std::string text, std::string file);

  /// Reads `file`. Errors: kInputOutput, "open FILE: REASON".
  static Result<MasterCfDocument> load(const std::string& file);

  const std::string& file() const { return body_->file; }
  const std::string& text() const { return body_->text; }
  const Lines& lines() const { return body_->lines; }

  /// All services, in file order. The first malformed one is the Error, worded as Postfix does. Oddities are reported.
  Result<std::vector<PlacedService>> services(DiagnosticSink& sink) const;

  /// The service of one logical line. REQUIRES: not an orphan.
  Result<MasterService> read(const LogicalLine& line, DiagnosticSink& sink) const;

 private:
  struct Body {
    Body(std::string t, std::string f) : file(std::move(f)), text(std::move(t)), lines(text) {}
    std::string file;
    std::string text;
    Lines lines;
  };
  explicit MasterCfDocument(std::unique_ptr<Body> body) : body_(std::move(body)) {}

  std::unique_ptr<Body> body_;
};

/// One change to master.cf, as a `postconf -M`, `-F` or `-P` argument asks for it.
struct MasterCfChange {
  enum class Kind {
    kSetEntry,         ///< Replace the first matching entry by `entry` and delete the others; else append it.
    kRemoveEntry,
    kCommentOutEntry,
    kSetField,         ///< `field` becomes `value`.
    kSetParameter,     ///< `-o name=value`
    kRemoveParameter,
  };
  Kind kind;
  std::string service;  ///< "*" matches all.
  std::string type;     ///< "*" matches all.
  MasterService entry = {};
  MasterField field = MasterField::kService;
  std::string name = {};   ///< Of the parameter.
  std::string value = {};
  std::string request = {};  ///< The argument as given, for messages.
};

/// The text of `document` after `changes`, applied in order. Entries that no change matches keep their bytes; a comment
/// inside a rewritten entry moves above it. Warns of field and parameter changes that match nothing. Errors: kSyntax, for
/// entries that cannot be told apart or rewritten.
Result<std::string> apply(const std::vector<MasterCfChange>& changes, const MasterCfDocument& document,
                          DiagnosticSink& sink);

}  // namespace libconf
