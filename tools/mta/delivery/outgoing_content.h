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
#include "tools/mta/content/mime_parser.h"
#include "tools/mta/delivery/content_encoder.h"
#include "tools/mta/queue/queue_file_reader.h"

namespace mta {

class DeliveryChecks;
class GenericAddresses;

/// What is changed of content on its way out. All must outlive the OutgoingContent.
struct ContentEdits {
  GenericAddresses* generic = nullptr;  ///< For addresses in headers; null: they stay as they are.
  DeliveryChecks* checks = nullptr;     ///< Null: there are none.
  MimeOptions mime = {};                ///< How the message is taken apart, and what is converted.

  bool is_needed() const { return generic != nullptr || checks != nullptr || mime.converts_8bit; }
};

/// Not thread-safe. Reads the content once.
class OutgoingContent {
 public:
  /// `message` is the queue file, which stays the caller's; `name` is for messages. Errors: as
  /// QueueFileReader::next().
  static libconf::Result<OutgoingContent> open(int message, std::string name, std::size_t line_length_limit);
  OutgoingContent(OutgoingContent&&) noexcept;
  ~OutgoingContent();

  /// Has content changed; before the first read().
  void edit(const ContentEdits& edits);

  /// Appends to `out` until it has at least `enough` bytes, or there are no more: false. Errors: the same;
  /// kTemporary, when a table could not tell; kUnsupported, what is wrong with MIME that was to be converted,
  /// as describe() has it. What was appended is the message up to there then.
  libconf::Result<bool> read(std::string& out, std::size_t enough);

  bool has_broken_line() const { return encoder_.has_broken(); }

 private:
  class Editor;
  OutgoingContent(QueueFileReader reader, std::size_t line_length_limit);
  libconf::Result<void> add(std::string& out, std::string_view text, bool ends_line);

  QueueFileReader reader_;
  ContentEncoder encoder_;
  std::unique_ptr<Editor> editor_;  ///< Null: content stays as it is.
  bool is_within_line_ = false;
};

}  // namespace mta
