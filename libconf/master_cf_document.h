/// master.cf, every byte of it (master(5)).
///
///     auto document = MasterCfDocument::load("/etc/postfix/master.cf");
///     auto changed = apply(changes, *document, sink);
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/lines.h"
#include "libconf/master_service.h"
#include "libconf/result.h"

namespace libconf {

/// A service and where it stands: the line that it starts on, and the index of its logical line.
struct PlacedService {
  MasterService service;
  int line = 0;
  std::size_t logical_line = 0;
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

  enum class Newlines {
    kDrop,  ///< for display and evaluation
    kKeep,  ///< for an edit: an argument in braces keeps its lines
  };

  /// The service of one logical line. REQUIRES: not an orphan. Error: kSyntax, worded as Postfix does.
  Result<MasterService> read(const LogicalLine& line, Newlines newlines, DiagnosticSink& sink) const;

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

/// A master.cf whose entries are all well-formed: the document and its services.
///
///     auto master_cf = MasterCf::load("/etc/postfix/master.cf", sink);
///     for (const PlacedService& s : master_cf->services()) use(s.service.key(), s.line);
///
/// Immutable; safe to share between threads.
class MasterCf {
 public:
  /// Errors: kInputOutput; or kSyntax for the first malformed entry. Oddities go to the sink.
  static Result<MasterCf> load(const std::string& file, DiagnosticSink& sink);
  static Result<MasterCf> read(MasterCfDocument document, DiagnosticSink& sink);

  const std::string& file() const { return document_.file(); }
  const MasterCfDocument& document() const { return document_; }
  /// In file order.
  const std::vector<PlacedService>& services() const { return services_; }

  /// Where byte `offset` of a service's text stands: see MasterOption and MasterService::offset().
  Position position(const PlacedService& service, std::size_t offset) const {
    const Lines& lines = document_.lines();
    return lines.position(lines.logical()[service.logical_line], offset);
  }

 private:
  explicit MasterCf(MasterCfDocument document) : document_(std::move(document)) {}

  MasterCfDocument document_;
  std::vector<PlacedService> services_;
};

/// One change to master.cf, as a `postconf -M`, `-F` or `-P` argument asks for it.
struct MasterCfChange {
  enum class Kind {
    kSetEntry,  ///< Replace the first matching entry by `entry` and delete the others; else append it.
    kRemoveEntry,
    kCommentOutEntry,
    kSetField,      ///< `field` becomes `value`.
    kSetParameter,  ///< `-o name=value`
    kRemoveParameter,
  };
  Kind kind;
  std::string service;  ///< "*" matches all.
  std::string type;     ///< "*" matches all.
  MasterService entry = {};
  MasterField field = MasterField::kService;
  std::string name = {};  ///< Of the parameter.
  std::string value = {};
  std::string request = {};  ///< The argument as given, for messages.

  /// True when the change is about the entry of this service.
  bool matches(std::string_view entry_service, std::string_view entry_type) const {
    return (service == "*" || service == entry_service) && (type == "*" || type == entry_type);
  }
};

/// The text of `document` after `changes`, applied in order. Entries that no change matches keep their bytes;
/// a comment inside a rewritten entry moves above it. Warns of field and parameter changes that match
/// nothing. Errors: kSyntax, for entries that cannot be told apart or rewritten.
Result<std::string> apply(const std::vector<MasterCfChange>& changes, const MasterCfDocument& document,
                          DiagnosticSink& sink);

}  // namespace libconf
