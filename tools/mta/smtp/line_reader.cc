#include "tools/mta/smtp/line_reader.h"

#include "libconf/text.h"

namespace mta {

namespace {

struct BareNewlineName {
  std::string_view name;
  BareNewline mode;
};
constexpr BareNewlineName kBareNewlineNames[] = {
    {"no", BareNewline::kAllow},      {"normalize", BareNewline::kNormalize}, {"note", BareNewline::kNote},
    {"reject", BareNewline::kReject}, {"yes", BareNewline::kNormalize},
};

}  // namespace

std::optional<BareNewline> parse_bare_newline(std::string_view value) {
  for (const BareNewlineName& known : kBareNewlineNames) {
    if (libconf::equals_ignoring_case(value, known.name)) return known.mode;
  }
  return std::nullopt;
}

// The length of the first piece in `bytes`, its end included; nothing when more bytes must come. A piece may
// have one byte more than the limit: the <LF> of a <CR><LF> that the limit would divide.
std::optional<std::size_t> LineSplitter::piece_length(std::string_view bytes, bool& is_complete) const {
  const std::size_t newline = bytes.substr(0, limit_ + 1).find('\n');
  is_complete = newline < limit_ || (newline == limit_ && bytes[limit_ - 1] == '\r');
  if (is_complete) return newline + 1;
  if (bytes.size() > limit_ || (bytes.size() == limit_ && bytes.back() != '\r')) return limit_;
  return std::nullopt;
}

LinePiece LineSplitter::finish(std::string_view line) const {
  line.remove_suffix(1);
  if (!line.ends_with('\r')) return {line, LineEnd::kLf};
  line.remove_suffix(1);
  while (strips_all_cr_ && line.ends_with('\r')) line.remove_suffix(1);
  return {line, LineEnd::kCrLf};
}

std::optional<LinePiece> LineSplitter::next(std::string_view& input) {
  if (is_pending_taken_) clear();
  std::string_view bytes = input;
  std::size_t before = 0;
  if (!pending_.empty()) {
    before = pending_.size();
    const std::string_view more = input.substr(0, limit_ + 1 - before);
    const std::size_t newline = more.find('\n');
    pending_ += newline == std::string_view::npos ? more : more.substr(0, newline + 1);
    bytes = pending_;
  }
  bool is_complete = false;
  const std::optional<std::size_t> length = piece_length(bytes, is_complete);
  if (!length) {
    if (before == 0) pending_ = input;
    input = {};
    return std::nullopt;
  }
  input.remove_prefix(*length - before);
  if (before != 0) {
    pending_.resize(*length);
    is_pending_taken_ = true;
    bytes = pending_;
  }
  const std::string_view piece = bytes.substr(0, *length);
  return is_complete ? finish(piece) : LinePiece{piece};
}

void LineSplitter::clear() {
  pending_.clear();
  is_pending_taken_ = false;
}

std::optional<CommandInput> CommandReader::read(std::string_view& input) {
  if (is_long_taken_) is_long_ = is_long_taken_ = false;
  while (const std::optional<LinePiece> piece = splitter_.next(input)) {
    const std::string_view text = piece->text.substr(0, piece->text.find('\0'));
    if (piece->end == LineEnd::kNone) {
      if (!is_long_) long_line_ = is_utf8_ ? libconf::printable_utf8(text) : libconf::printable(text);
      is_long_ = true;
      continue;
    }
    is_long_taken_ = is_long_;
    if (is_long_) return CommandInput{.text = long_line_, .is_too_long = true};
    return CommandInput{text, piece->end == LineEnd::kLf};
  }
  return std::nullopt;
}

}  // namespace mta
