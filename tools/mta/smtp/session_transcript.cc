#include "tools/mta/smtp/session_transcript.h"

#include <algorithm>

namespace mta {
namespace {

/// Nothing that goes out begins with it.
constexpr char kMark = '<';

}  // namespace

void SessionTranscript::received(std::string_view line) {
  if (wanted_.is_empty()) return;
  make_room(line.size() + 2);
  record_ += kMark;
  record_ += line;
  record_ += '\n';
}

void SessionTranscript::sent(std::string_view lines) {
  if (wanted_.is_empty()) return;
  make_room(lines.size());
  record_ += lines;
}

void SessionTranscript::make_room(std::size_t size) {
  if (record_.size() + size <= kLimit) return;
  // Half of it at a time, so that a long session does not move all of it for every line.
  const std::size_t end = record_.find('\n', record_.size() / 2);
  record_.erase(0, end == std::string::npos ? end : end + 1);
  is_cut_ = true;
}

void SessionTranscript::restart() {
  record_.clear();
  seen_ = {};
  is_cut_ = false;
}

void SessionTranscript::for_each_line(
    const std::function<void(Direction direction, std::string_view line)>& show) const {
  std::string_view rest = record_;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const Direction direction = line.starts_with(kMark) ? Direction::kIn : Direction::kOut;
    if (direction == Direction::kIn) {
      line.remove_prefix(1);
    } else if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    show(direction, line);
  }
}

}  // namespace mta
