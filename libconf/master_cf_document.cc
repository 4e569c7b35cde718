#include "libconf/master_cf_document.h"

#include "libconf/file.h"

namespace libconf {

MasterCfDocument MasterCfDocument::parse(std::string text, std::string file) {
  return MasterCfDocument(std::make_unique<Body>(std::move(text), std::move(file)));
}

Result<MasterCfDocument> MasterCfDocument::load(const std::string& file) {
  Result<std::string> text = read_file(file);
  if (!text) return text.error();
  return parse(std::move(*text), file);
}

Result<MasterService> MasterCfDocument::read(const LogicalLine& line, Newlines newlines,
                                             DiagnosticSink& sink) const {
  Result<MasterService> service = newlines == Newlines::kKeep
                                      ? MasterService::parse(lines().text_with_newlines(line), sink)
                                      : MasterService::parse(line.text, sink);
  if (service) return service;
  Error error = service.error();
  error.file = file();
  error.line = static_cast<int>(line.first) + 1;
  // Postfix names the place in this message only; the others quote the entry.
  if (error.message == "bad field count")
    error.message = concat("file ", file(), ": line ", std::to_string(error.line), ": bad field count");
  return error;
}

Result<MasterCf> MasterCf::load(const std::string& file, DiagnosticSink& sink) {
  Result<MasterCfDocument> document = MasterCfDocument::load(file);
  if (!document) return document.error();
  return read(std::move(*document), sink);
}

Result<MasterCf> MasterCf::read(MasterCfDocument document, DiagnosticSink& sink) {
  MasterCf out(std::move(document));
  out.document_.lines().report(out.file(), 0, sink);
  const std::vector<LogicalLine>& lines = out.document_.lines().logical();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].is_orphan) continue;
    Result<MasterService> service = out.document_.read(lines[i], MasterCfDocument::Newlines::kDrop, sink);
    if (!service) return service.error();
    out.services_.push_back({std::move(*service), static_cast<int>(lines[i].first) + 1, i});
  }
  return out;
}

namespace {

using Kind = MasterCfChange::Kind;

bool changes_whole_entry(Kind kind) {
  return kind == Kind::kSetEntry || kind == Kind::kRemoveEntry || kind == Kind::kCommentOutEntry;
}

/// Walks the physical lines once, and writes the new text.
class MasterCfRewriter {
 public:
  MasterCfRewriter(const std::vector<MasterCfChange>& changes, const MasterCfDocument& document,
                   DiagnosticSink& sink)
      : changes_(changes), document_(document), sink_(sink), is_used_(changes.size()) {}

  Result<std::string> run() {
    const Lines& lines = document_.lines();
    std::size_t next_logical = 0;
    for (std::size_t i = 0; i < lines.physical().size(); ++i) {
      const LineKind kind = lines.physical()[i].kind;
      if (next_logical < lines.logical().size() && lines.logical()[next_logical].first == i) {
        if (Result<void> flushed = flush(); !flushed) return flushed.error();
        if (Result<void> begun = begin_entry(lines.logical()[next_logical++]); !begun) return begun.error();
      }
      write_line(lines.bytes(i), kind);
    }
    if (Result<void> flushed = flush(); !flushed) return flushed.error();
    append_new_entries();
    return with_final_newline(std::move(out_), document_.text());
  }

 private:
  enum class Mode { kCopy, kDrop, kCommentOut, kRewrite };

  Result<void> begin_entry(const LogicalLine& line) {
    mode_ = Mode::kCopy;
    if (line.is_orphan) return {};
    std::string_view rest = line.text;
    const std::string_view service = next_word(rest, kBlanks).value_or("");
    const std::string_view type = next_word(rest, kBlanks).value_or("");
    if (Result<void> checked = check_names(line, service, type); !checked) return checked;
    // Of several changes to the whole entry the last one counts, and of the others those behind it.
    const MasterCfChange* whole = nullptr;
    bool is_first_match = false;
    pending_.clear();
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (!changes_[i].matches(service, type)) continue;
      if (changes_whole_entry(changes_[i].kind)) {
        whole = &changes_[i];
        is_first_match = !is_used_[i];
        pending_.clear();
      } else {
        pending_.push_back(&changes_[i]);
      }
      is_used_[i] = true;
    }
    pending_line_ = nullptr;
    if (whole == nullptr) {
      mode_ = pending_.empty() ? Mode::kCopy : Mode::kRewrite;
      if (mode_ == Mode::kRewrite) pending_line_ = &line;
      return {};
    }
    mode_ = whole->kind == Kind::kCommentOutEntry ? Mode::kCommentOut : Mode::kDrop;
    return whole->kind == Kind::kSetEntry && is_first_match ? write_changed(whole->entry) : Result<void>();
  }

  /// An edit must tell entries apart, and its own arguments use '=' as a separator.
  Result<void> check_names(const LogicalLine& line, std::string_view service, std::string_view type) const {
    const auto error = [&](std::string_view what) {
      const int number = static_cast<int>(line.first) + 1;
      return Error{
          .kind = ErrorKind::kSyntax,
          .message = concat("file ", document_.file(), ": line ", std::to_string(number), ": ", what),
          .file = document_.file(),
          .line = number};
    };
    constexpr std::string_view kUnsupported = "\" is unsupported with -Me, -Fe, -Pe, -X, or -#";
    std::string_view first_line = document_.lines().content(line.first);
    next_word(first_line, kBlanks);
    if (!next_word(first_line, kBlanks)) return error("specify service name and type on the same line");
    if (service.find('=') != std::string_view::npos)
      return error(concat("service name syntax \"", service, kUnsupported));
    if (type.find('=') != std::string_view::npos)
      return error(concat("service type syntax \"", type, kUnsupported));
    return {};
  }

  void write_line(std::string_view bytes, LineKind kind) {
    const bool is_text = kind == LineKind::kStart || kind == LineKind::kContinuation;
    if (is_text && (mode_ == Mode::kDrop || mode_ == Mode::kRewrite)) return;
    if (is_text && mode_ == Mode::kCommentOut) out_ += '#';
    out_ += bytes;
  }

  /// Writes the entry that was being gathered for a rewrite.
  Result<void> flush() {
    if (pending_line_ == nullptr) return {};
    Result<MasterService> service = document_.read(*pending_line_, MasterCfDocument::Newlines::kKeep, sink_);
    pending_line_ = nullptr;
    if (!service) return service.error();
    return write_changed(std::move(*service));
  }

  /// Writes a service with the pending changes.
  Result<void> write_changed(MasterService service) {
    for (const MasterCfChange* change : pending_) {
      if (change->kind == Kind::kSetField) {
        if (Result<void> set = service.set_field(change->field, change->value, sink_); !set) return set;
      } else if (change->kind == Kind::kSetParameter) {
        service.set_option(change->name, change->value);
      } else {
        service.remove_option(change->name);
      }
    }
    write_entry(service);
    return {};
  }

  void write_entry(const MasterService& service) {
    if (!out_.empty() && out_.back() != '\n') out_ += '\n';
    out_ += service.columns(true);
    out_ += '\n';
  }

  void append_new_entries() {
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (is_used_[i]) continue;
      if (changes_[i].kind == Kind::kSetEntry)
        write_entry(changes_[i].entry);
      else if (!changes_whole_entry(changes_[i].kind))
        sink_.warn("unmatched-request", concat("unmatched service_name/type: \"", changes_[i].request, "\""));
    }
  }

  const std::vector<MasterCfChange>& changes_;
  const MasterCfDocument& document_;
  DiagnosticSink& sink_;
  std::vector<bool> is_used_;
  std::string out_;
  Mode mode_ = Mode::kCopy;
  const LogicalLine* pending_line_ = nullptr;
  std::vector<const MasterCfChange*> pending_;
};

}  // namespace

Result<std::string> apply(const std::vector<MasterCfChange>& changes, const MasterCfDocument& document,
                          DiagnosticSink& sink) {
  return MasterCfRewriter(changes, document, sink).run();
}

}  // namespace libconf
