#include "tools/mta/smtp/content_reader.h"

#include <algorithm>

namespace mta {

void ContentWriter::write(std::string_view text, LineEnd end) {
  constexpr std::uint64_t kLineEndSize = 2;
  drop(end);
  if (summary_.is_too_big) return;
  const std::uint64_t size = text.size() + kLineEndSize;
  if (limits_.message_size_limit > 0 && summary_.size + size > limits_.message_size_limit) {
    summary_.is_too_big = true;
    return;
  }
  summary_.size += size;
  sink_.line(text, end == LineEnd::kNone);
}

void ContentWriter::end_line() {
  if (!summary_.is_too_big) sink_.line({}, false);
}

// Of a line that is a dot.
bool DataReader::is_end(LineEnd end) const {
  return writer_.limits().bare_newline == BareNewline::kAllow ||
         (previous_end_ == LineEnd::kCrLf && end == LineEnd::kCrLf);
}

bool DataReader::read(std::string_view& input) {
  while (const std::optional<LinePiece> piece = splitter_.next(input)) {
    std::string_view text = piece->text;
    if (previous_end_ != LineEnd::kNone && text.starts_with('.')) {
      text.remove_prefix(1);
      if (text.empty() && piece->end != LineEnd::kNone) {
        if (is_end(piece->end)) return true;
        previous_end_ = piece->end;
        writer_.drop(piece->end);
        continue;
      }
    }
    previous_end_ = piece->end;
    writer_.write(text, piece->end);
  }
  return false;
}

void ChunkReader::start(std::uint64_t size, bool is_last) {
  left_ = size;
  is_last_ = is_last;
}

bool ChunkReader::read(std::string_view& input) {
  std::string_view chunk =
      input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
  input.remove_prefix(chunk.size());
  left_ -= chunk.size();
  received_ += chunk.size();
  while (const std::optional<LinePiece> piece = splitter_.next(chunk)) {
    previous_end_ = piece->end;
    writer_.write(piece->text, piece->end);
  }
  if (left_ > 0) return false;
  if (is_last_) finish();
  return true;
}

void ChunkReader::finish() {
  if (!splitter_.pending().empty()) {
    writer_.write(splitter_.pending(), LineEnd::kCrLf);
  } else if (previous_end_ == LineEnd::kNone) {
    writer_.end_line();
  }
  splitter_.clear();
}

bool ChunkReader::fits(std::uint64_t size) const {
  const std::uint64_t limit = writer_.limits().message_size_limit;
  return limit == 0 || size <= limit - std::min(limit, summary().size);
}

bool ChunkSkipper::read(std::string_view& input) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  input.remove_prefix(count);
  left_ -= count;
  return left_ == 0;
}

}  // namespace mta
