/// A message's content while filters look at it and change it: the headers one by one, and the body.
///
///     StagedMessage message(queue);
///     message.header("Subject: hello");
///     message.body("\nfirst line\n");
///     message.insert_header(0, "X-Spam", " no");
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/queue/queue_file_writer.h"
#include "tools/mta/queue/spill_buffer.h"

namespace mta {

/// Not thread-safe; `queue` must outlive it. With a queue, the body is no burden on memory.
class StagedMessage {
 public:
  StagedMessage() = default;
  explicit StagedMessage(const QueueDirectory& queue) : body_(queue) {}

  /// A header, folds and all, without its last newline. REQUIRES: no body() before.
  void header(std::string_view text) { headers_.emplace_back(text); }

  /// The next bytes behind the headers, divided in any way; the line that separates them from the body comes
  /// first.
  void body(std::string_view bytes);

  bool has_body() const { return has_separator_ || body_.size() > 0; }

  /// The headers as filters see them: the server's own Received: is hidden, as Postfix has it, and what is no
  /// header.
  std::vector<std::string> visible_headers() const;

  /// As SpillBuffer::read(), of the body without the line in front of it.
  libconf::Result<std::string> read_body(std::uint64_t offset, std::size_t length) const {
    return body_.read(offset, length);
  }
  std::uint64_t body_size() const { return body_.size(); }

  /// Edits, as MilterEdits has them.
  void add_header(std::string text) { headers_.push_back(std::move(text)); }
  void insert_header(std::uint32_t index, std::string text);
  void change_header(std::uint32_t index, std::string_view name, std::string text);
  void delete_header(std::uint32_t index, std::string_view name);
  void clear_body();

  /// Writes all of it as content. Errors: as SpillBuffer::read().
  libconf::Result<void> write(QueueFileWriter& writer) const;

 private:
  std::vector<std::string>::iterator find(std::uint32_t index, std::string_view name);
  std::size_t own_received() const;

  std::vector<std::string> headers_;
  SpillBuffer body_;
  bool has_separator_ = false;
};

/// A header as a filter gives it: a newline that no blank follows is given one, so that it does not end the
/// header. Pure; thread-safe.
std::string header_from_filter(std::string_view name, std::string_view value);

}  // namespace mta
