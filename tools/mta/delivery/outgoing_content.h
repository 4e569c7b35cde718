/// The content of a queue file, as it is sent to a server.
///
///     Result<OutgoingContent> content = OutgoingContent::open(message, "4A1B2C3D4E", 998);
///     Result<bool> more = content->read(out, 65536);   // false: that was the end of it
///
/// The file is read in bounded pieces.
#pragma once

#include <memory>
#include <string>

#include "libconf/result.h"
#include "tools/mta/delivery/content_encoder.h"
#include "tools/mta/queue/queue_file_reader.h"

namespace mta {

class GenericAddresses;

/// Not thread-safe. Reads the content once.
class OutgoingContent {
 public:
  /// `message` is the queue file, which stays the caller's; `name` is for messages. Errors: as
  /// QueueFileReader::next().
  static libconf::Result<OutgoingContent> open(int message, std::string name, std::size_t line_length_limit);
  OutgoingContent(OutgoingContent&&) noexcept;
  ~OutgoingContent();

  /// Rewrites addresses in headers; before the first read(). `generic` must outlive the object.
  void rewrite(GenericAddresses& generic);

  /// Appends to `out` until it has at least `enough` bytes, or there are no more: false. Errors: the same,
  /// and those of rewriting; what was appended is not the whole message then.
  libconf::Result<bool> read(std::string& out, std::size_t enough);

  bool has_broken_line() const { return encoder_.has_broken(); }

 private:
  class Headers;
  OutgoingContent(QueueFileReader reader, std::size_t line_length_limit);

  QueueFileReader reader_;
  ContentEncoder encoder_;
  std::unique_ptr<Headers> headers_;  ///< Null: they stay as they are.
};

}  // namespace mta
