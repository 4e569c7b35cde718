/// Makes the bytes of a queue file as Postfix's cleanup(8) writes them: envelope, content, extracted
/// information.
///
///     mta::QueueFileWriter writer(output, {.form = mta::QueueFileForm::kQueue, .line_length_limit = limit});
///     writer.put(mta::RecordType::kSender, "ann@example.org");
///     writer.recipient({.address = "bob@example.com", .original = "bob@example.com"});
///     writer.begin_content();
///     writer.header("Subject: hello");
///     writer.body("\nfirst line\nsecond line\n");
///     writer.end_content();
///     auto sizes = writer.finish();        // errors on the way are told here
///
/// A message of less than 64 KiB is one write. What has been written of a longer one is no valid queue file
/// before finish(). Pointer records, which let Postfix's cleanup(8) apply the edits of milters in place, are
/// not written: nothing that reads queue files needs them, and a message is edited before it comes here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {

/// Where the bytes go.
class QueueOutput {
 public:
  virtual ~QueueOutput() = default;
  /// Writes all of `bytes` from `offset` on. Offsets grow, but for one write at 0 at last. An error ends all
  /// writing.
  virtual libconf::Result<void> write_at(std::uint64_t offset, std::string_view bytes) = 0;
};

enum class QueueFileForm {
  kQueue,     ///< With the sizes in front.
  kMaildrop,  ///< As sendmail(1) submits it by postdrop(1): without.
};

struct QueueFileOptions {
  QueueFileForm form;
  std::size_t line_length_limit;  ///< The parameter of that name, in bytes; 1 to kLongestPayload.
};

/// Writes one file. Not thread-safe; `output` must live longer. After an error of the output the other
/// functions do nothing, and finish() returns it.
class QueueFileWriter {
 public:
  QueueFileWriter(QueueOutput& output, const QueueFileOptions& options);

  /// A record of the envelope, or after end_content() of the extracted information, in the caller's order;
  /// recipients have a function of their own. REQUIRES: the type is allowed in the group, the payload not too
  /// long (see append_record()).
  void put(RecordType type, std::string_view payload);

  /// put() of "NAME=VALUE".
  void attribute(std::string_view name, std::string_view value);

  /// The arrival time.
  void arrival_time(QueueTime time);

  /// A recipient, and the records before it that say what is known of it. Its offset does not matter.
  void recipient(const QueueRecipient& recipient);

  /// As recipient(), for one that nobody asked for (always_bcc): its NOTIFY flags do not count for the sizes.
  void automatic_recipient(const QueueRecipient& recipient);

  /// Ends the envelope.
  void begin_content();

  /// A logical header: one or several lines with newlines between them. Follows Postfix's rule for headers: a
  /// line is cut as long as it is longer than the limit.
  void header(std::string_view lines);

  /// The next bytes of the message as received, divided in any way; lines end with a newline. Follows
  /// Postfix's rule for what it receives: a line is cut as soon as it has reached the limit.
  void body(std::string_view bytes);

  /// The same as body() with that text and a newline. REQUIRES: there is no newline in it.
  void line(std::string_view text);

  /// What the SMTPUTF8 flags of the sizes are to be: MessageSizes::send_options.
  void send_options(std::int64_t flags) { sizes_.send_options = flags; }

  /// Ends the content. A last line without a newline gets one, but for QueueFileForm::kMaildrop: there the
  /// next reader does that.
  void end_content();

  /// Adds to the flags of notifications in the sizes, for a recipient that is not written: it came again.
  void count_notify(int flags) { sizes_.queue_manager_flags |= std::int64_t{flags} << 1; }

  /// Bytes of the file so far.
  std::uint64_t size() const { return buffer_start_ + buffer_.size(); }

  /// Ends the file. Errors: those of the output.
  libconf::Result<MessageSizes> finish();

  /// Bytes of content so far, as Postfix counts them: with what its records need beside text.
  std::uint64_t content_size() const;

  /// The error of the output, or null.
  const libconf::Error* error() const { return error_ ? &*error_ : nullptr; }

 private:
  enum class Origin { kRequested, kAutomatic };

  void write_recipient(const QueueRecipient& recipient, Origin origin);
  void append(RecordType type, std::string_view payload);
  void flush();

  QueueOutput& output_;
  QueueFileOptions options_;
  MessageSizes sizes_;
  RecordGroup group_ = RecordGroup::kEnvelope;
  std::string buffer_;
  std::uint64_t buffer_start_ = 0;  ///< Where buffer_ goes in the file.
  std::string line_;                ///< Of the body; shorter than the limit.
  bool is_cut_ = false;             ///< A piece of that line has been written.
  std::optional<libconf::Error> error_;
};

}  // namespace mta
