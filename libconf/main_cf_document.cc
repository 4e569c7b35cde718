#include "libconf/main_cf_document.h"

#include <unordered_map>

#include "libconf/file.h"

namespace libconf {

MainCfDocument MainCfDocument::parse(std::string text, std::string file) {
  auto body = std::make_unique<Body>(std::move(text), std::move(file));
  body->entries.reserve(body->lines.logical().size());
  for (const LogicalLine& line : body->lines.logical()) {
    if (line.is_orphan) continue;
    MainCfEntry entry{.text = line.text, .line = static_cast<int>(line.first) + 1};
    NameValue parts;
    entry.fault = split_name_value(line.text, parts);
    if (entry.fault == NameValueFault::kNone) {
      entry.name = parts.name;
      entry.value = parts.value;
      entry.value_place =
          body->lines.position(line, static_cast<std::size_t>(parts.value.data() - line.text.data()));
    }
    body->entries.push_back(entry);
  }
  return MainCfDocument(std::move(body));
}

Result<MainCfDocument> MainCfDocument::load(const std::string& file) {
  Result<std::string> text = read_file(file);
  if (!text) return text.error();
  return parse(std::move(*text), file);
}

Result<MainCfDocument> MainCfDocument::load(const std::string& file, DiagnosticSink& sink,
                                            std::string_view config_directory) {
  Result<MainCfDocument> document = load(file);
  if (!document) return document;
  document->report(sink, config_directory);
  if (const MainCfEntry* const fault = document->first_fault()) return document->fault_error(*fault);
  return document;
}

const MainCfEntry* MainCfDocument::first_fault() const {
  for (const MainCfEntry& entry : entries())
    if (entry.fault != NameValueFault::kNone) return &entry;
  return nullptr;
}

Error MainCfDocument::fault_error(const MainCfEntry& entry) const {
  return {.kind = ErrorKind::kSyntax,
          .message = concat(file(), ", line ", std::to_string(entry.line), ": ", describe(entry.fault),
                            ": \"", entry.text, "\""),
          .file = file(),
          .line = entry.line,
          .column = 1};
}

namespace {

/// `text # more`: Postfix has no comments after text, so this '#' became part of the value. Returns the text
/// from the first such '#' on, or nothing.
std::string_view comment_after_text(std::string_view value) {
  for (std::size_t i = value.find('#'); i != std::string_view::npos; i = value.find('#', i + 1))
    if (i == 0 || is_space(value[i - 1])) return value.substr(i);
  return {};
}

}  // namespace

void MainCfDocument::report(DiagnosticSink& sink, std::string_view config_directory) const {
  const MainCfEntry* const fault = first_fault();
  lines().report(file(), fault != nullptr ? fault->line : 0, sink);
  std::unordered_map<std::string_view, std::string_view> seen;
  if (!config_directory.empty()) seen.emplace("config_directory", config_directory);
  for (const MainCfEntry& entry : entries()) {
    if (&entry == fault) break;
    if (const std::string_view comment = comment_after_text(entry.value); !comment.empty()) {
      std::string_view rest = comment;
      const std::string_view word = *next_word(rest, kBlanks);
      if (!rest.empty()) rest.remove_prefix(1);
      sink.report({.file = file(),
                   .line = entry.line,
                   .column = entry.value_place.column,
                   .code = "comment-after-text",
                   .message = concat(file(), ": #comment after other text is not allowed: ", word, " ",
                                     rest.substr(0, 20), "...")});
    }
    const auto [earlier, is_new] = seen.try_emplace(entry.name, entry.value);
    if (is_new) continue;
    // The same value twice is harmless, and Postfix keeps silent about it.
    if (earlier->second != entry.value)
      sink.report({.file = file(),
                   .line = entry.line,
                   .column = 1,
                   .code = "duplicate-parameter",
                   .message = concat(file(), ", line ", std::to_string(entry.line),
                                     ": overriding earlier entry: ", entry.name, "=", earlier->second)});
    earlier->second = entry.value;
  }
}

void MainCfEdit::set(std::string_view name, std::string_view value, DiagnosticSink& sink) {
  const auto [place, is_new] = changes_.try_emplace(std::string(name));
  Change& change = place->second;
  if (!is_new && change.kind == Kind::kSet && change.value != value)
    sink.warn("request-overridden", concat("ignoring earlier request: '", name, " = ", change.value, "'"));
  change = {Kind::kSet, std::string(value)};
}

std::vector<std::string> MainCfEdit::names_set() const {
  std::vector<std::string> names;
  for (const auto& [name, change] : changes_)
    if (change.kind == Kind::kSet) names.push_back(name);
  return names;
}

std::string MainCfEdit::apply(std::string_view text, std::string_view file, DiagnosticSink& sink) const {
  // A hash beats the ordered map for the lookup of every line's name; the map keeps new names sorted.
  struct Target {
    std::string_view name;
    const Change* change;
    int entries = 0;
  };
  std::unordered_map<std::string_view, Target> targets;
  for (const auto& [name, change] : changes_) targets.emplace(name, Target{name, &change});

  std::string out;
  out.reserve(text.size() + 4096);
  const Change* current = nullptr;  // What happens to the logical line that we are in.
  for (std::string_view rest = text; !rest.empty();) {
    LineKind kind{};
    const std::string_view bytes = take_line(rest, kind);
    if (kind == LineKind::kStart) {
      std::size_t end = 0;
      while (end < bytes.size() && !is_space(bytes[end]) && bytes[end] != '=') ++end;
      const auto match = targets.find(bytes.substr(0, end));
      current = match == targets.end() ? nullptr : match->second.change;
      if (current != nullptr) {
        if (++match->second.entries == 2)
          sink.warn("duplicate-parameter", concat(file, ": multiple entries for \"", match->first, "\""));
        if (current->kind == Kind::kSet) out += concat(match->first, " = ", current->value, "\n");
      }
    }
    const bool is_text = kind == LineKind::kStart || kind == LineKind::kContinuation;
    if (is_text && current != nullptr) {
      if (current->kind == Kind::kCommentOut) out += concat("#", bytes);
      continue;
    }
    out += bytes;
  }

  for (const auto& [name, change] : changes_) {
    if (change.kind != Kind::kSet || targets.at(name).entries != 0) continue;
    if (!out.empty() && out.back() != '\n') out += '\n';
    out += concat(name, " = ", change.value, "\n");
  }
  return with_final_newline(std::move(out), text);
}

}  // namespace libconf
