#include "libconf/lines.h"

#include <algorithm>

#include "libconf/text.h"

namespace libconf {
namespace {

LineKind classify(std::string_view content) {
  const std::string_view visible = trim_left(content);
  if (visible.empty()) return LineKind::kBlank;
  if (visible.front() == '#') return LineKind::kComment;
  return visible.size() == content.size() ? LineKind::kStart : LineKind::kContinuation;
}

std::string_view without_newline(std::string_view line) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  return line;
}

}  // namespace

std::string_view take_line(std::string_view& text, LineKind& kind) {
  const std::size_t newline = text.find('\n');
  const std::string_view line = text.substr(0, newline == std::string_view::npos ? newline : newline + 1);
  text.remove_prefix(line.size());
  kind = classify(without_newline(line));
  return line;
}

Lines::Lines(std::string_view text) : text_(text) {
  physical_.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t offset = text.size() - rest.size();
    LineKind kind{};
    const std::string_view bytes = take_line(rest, kind);
    const std::string_view line = without_newline(bytes);
    const std::size_t index = physical_.size();
    physical_.push_back({offset, bytes.size(), kind});

    if (kind == LineKind::kBlank || kind == LineKind::kComment) continue;
    if (kind == LineKind::kContinuation && !logical_.empty()) {
      LogicalLine& current = logical_.back();
      // A line that is joined already is the last of joined_.
      if (current.first == current.last) joined_.emplace_back(current.text);
      joined_.back() += line;
      current.text = joined_.back();
      current.last = index;
    } else {
      logical_.push_back({.text = line,
                          .first = index,
                          .last = index,
                          .has_nul = false,
                          .is_orphan = kind == LineKind::kContinuation});
    }
  }
  if (text.find('\0') == std::string_view::npos) return;
  for (LogicalLine& line : logical_) {
    const std::size_t nul = line.text.find('\0');
    line.has_nul = nul != std::string_view::npos;
    line.text = line.text.substr(0, nul);
  }
}

std::string_view Lines::content(std::size_t index) const { return without_newline(bytes(index)); }

Position Lines::position(const LogicalLine& line, std::size_t offset) const {
  std::size_t last_text = line.first;
  for (std::size_t i = line.first; i <= line.last; ++i) {
    const LineKind kind = physical_[i].kind;
    if (kind == LineKind::kBlank || kind == LineKind::kComment) continue;
    last_text = i;
    const std::size_t size = content(i).size();
    if (offset < size) break;
    if (i < line.last) offset -= size;
  }
  return {static_cast<int>(last_text) + 1, static_cast<int>(offset) + 1};
}

std::string Lines::text_with_newlines(const LogicalLine& line) const {
  std::string out;
  for (std::size_t i = line.first; i <= line.last; ++i) {
    const LineKind kind = physical_[i].kind;
    if (kind == LineKind::kBlank || kind == LineKind::kComment) continue;
    if (i != line.first) out += '\n';
    out += content(i);
  }
  if (const std::size_t nul = out.find('\0'); nul != std::string::npos) out.resize(nul);
  return out;
}

void Lines::report(std::string_view file, int end, DiagnosticSink& sink) const {
  for (const LogicalLine& line : logical_) {
    const int number = static_cast<int>(line.first) + 1;
    if (end != 0 && number >= end) return;
    if (line.has_nul)
      sink.report({.file = std::string(file),
                   .line = number,
                   .column = static_cast<int>(line.text.size()) + 1,
                   .code = "nul-byte",
                   .message = concat(file, ", line ", std::to_string(number),
                                     ": text after null byte may be ignored")});
    if (line.is_orphan)
      sink.report(
          {.file = std::string(file),
           .line = number,
           .column = 1,
           .code = "indented-first-line",
           .message = concat(file, ": logical line must not start with whitespace: \"", line.text, "\"")});
  }
}

std::string with_final_newline(std::string text, std::string_view original) {
  if (text != original && !text.empty() && text.back() != '\n') text += '\n';
  return text;
}

}  // namespace libconf
