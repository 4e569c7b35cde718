#include "tools/deliver_as/copy_message.h"

#include <unistd.h>

#include <cstring>

#include "libconf/text.h"
#include "tools/mta/queue/queue_message.h"

namespace deliver_as {
namespace {

using libconf::Result;

constexpr std::size_t kBlock = std::size_t{64} << 10;

class Copier {
 public:
  Copier(const mta::MessageCopy& copy, const TextOutput& output) : copy_(copy), output_(output) {}

  void add(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= kBlock) flush();
  }
  void add_piece(std::string_view text, bool ends_line) {
    if (is_at_start_) {
      if (copy_.quotes_from && text.starts_with("From ")) add(">");
      if (copy_.stuffs_dots && text.starts_with('.')) add(".");
    }
    add(text);
    if (ends_line) add(copy_.end_of_line);
    is_at_start_ = ends_line;
  }
  void flush() {
    if (error_ == 0 && !buffer_.empty()) error_ = output_(buffer_);
    buffer_.clear();
  }
  int error() const { return error_; }

 private:
  const mta::MessageCopy& copy_;
  const TextOutput& output_;
  std::string buffer_;
  bool is_at_start_ = true;
  int error_ = 0;
};

}  // namespace

std::optional<CopyFault> copy_message(int message, const mta::MessageCopy& copy, const TextOutput& output) {
  auto reader = mta::QueueFileReader::open(message, "message");
  if (!reader) return CopyFault{reader.error().message, 0};
  Copier copier(copy, output);
  copier.add(copy.head);
  const Result<void> done = mta::read_content(*reader, copy.content_offset,
                                              [&](std::string_view text, bool ends_line) -> Result<void> {
                                                copier.add_piece(text, ends_line);
                                                if (copier.error() != 0)
                                                  return libconf::Error{.message = "output"};
                                                return {};
                                              });
  if (done) copier.add(copy.tail);
  if (done) copier.flush();
  if (copier.error() != 0)
    return CopyFault{libconf::concat("error writing message: ", std::strerror(copier.error())),
                     copier.error()};
  if (!done) return CopyFault{libconf::concat("error reading message: ", done.error().message), 0};
  return std::nullopt;
}

}  // namespace deliver_as
