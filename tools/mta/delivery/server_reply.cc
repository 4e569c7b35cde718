#include "tools/mta/delivery/server_reply.h"

#include <algorithm>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {
namespace {

/// line_length_limit; what is beyond it in a line says nothing new.
constexpr std::size_t kLongestLine = 2048;

/// What is kept of a reply that goes on without end.
constexpr std::size_t kLongestReply = 65536;

/// The status of a reply. One that does not fit its code is none.
std::string status_of(int code, std::string_view line) {
  const char digit = static_cast<char>('0' + code / 100);
  // What is neither yes nor no is no answer to anything but DATA.
  if (digit != '2' && digit != '4' && digit != '5') return digit == '3' ? "2.0.0" : "5.5.0";
  const std::size_t length = status_length(line);
  if (length > 0 && line[0] == digit) return std::string(line.substr(0, length));
  return std::string{digit} + ".0.0";
}

}  // namespace

bool ServerReplyReader::take_line(std::string_view line) {
  if (lines_ == nullptr) return add_line(line);
  const auto replacement = lines_->replacement(line);
  has_failed_ = !replacement;
  if (has_failed_) return false;
  return add_line(*replacement ? std::string_view(**replacement) : line);
}

bool ServerReplyReader::add_line(std::string_view line) {
  constexpr std::size_t kCodeLength = 3;
  const std::string_view code = line.substr(0, kCodeLength);
  const bool is_reply = code.size() == kCodeLength && libconf::is_all_digits(code) &&
                        (line.size() == kCodeLength || line[kCodeLength] == ' ' || line[kCodeLength] == '-');
  const bool is_kept = reply_.text.size() < kLongestReply;
  const std::string_view rest = line.substr(std::min(kCodeLength + 1, line.size()));
  if (is_kept) {
    if (has_text_) reply_.text += ' ';
    has_text_ = true;
    reply_.text += libconf::printable(line);
  }
  if (!is_reply) {
    if (lines_ != nullptr) lines_->note_stray_line(line);
    return false;
  }
  if (is_kept) reply_.lines.emplace_back(rest);
  if (line.size() > kCodeLength && line[kCodeLength] == '-') return false;
  reply_.code = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  reply_.status = status_of(reply_.code, rest);
  // A reply has a line, however long what came before it was.
  if (reply_.lines.empty()) reply_.lines.emplace_back(rest);
  has_text_ = false;
  return true;
}

std::optional<ServerReply> ServerReplyReader::read(std::string_view input) {
  input_ += input;
  std::size_t taken = 0;
  bool is_complete = false;
  while (!is_complete && !has_failed_) {
    const std::size_t end = input_.find('\n', taken);
    if (end == std::string::npos) break;
    std::string_view line(input_.data() + taken, end - taken);
    while (line.ends_with('\r')) line.remove_suffix(1);
    taken = end + 1;
    is_complete = take_line(line.substr(0, std::min(kLongestLine, line.find('\0'))));
  }
  input_.erase(0, taken);
  // Of a line that does not end only the start counts.
  if (!is_complete && input_.size() > kLongestLine) input_.resize(kLongestLine);
  if (!is_complete) return std::nullopt;
  return std::exchange(reply_, {});
}

}  // namespace mta
