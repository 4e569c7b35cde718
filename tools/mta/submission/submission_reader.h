/// Reads a message from the bytes of a file in maildrop/, which anybody may have written.
///
///     struct Printer : SubmissionSink { ... } printer;
///     SubmissionReader reader(line_length_limit, printer);
///     while (read(block)) if (Result<void> fed = reader.feed(block); !fed) return fed.error();
///     Result<void> whole = reader.finish();
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/queue/queue_id.h"
#include "tools/mta/queue/queue_message.h"
#include "tools/mta/submission/submission_records.h"

namespace mta {

/// What the file says before the content. Addresses are in internal form.
struct SubmissionEnvelope {
  std::optional<QueueTime> arrival = {};  ///< When postdrop(1) took it.
  std::optional<std::string> sender = {};
  std::string full_name = {};
  std::optional<std::string> rewrite_context = {};  ///< "local" or "remote".
  std::string envelope_id = {};
  int return_flags = 0;       ///< A ReturnFlag.
  std::string encoding = {};  ///< "7bit" or "8bit"; empty: not given.
  std::optional<int> trace_flags = {};
  std::string verp_delimiters = {};             ///< Two characters, or empty.
  std::vector<QueueRecipient> recipients = {};  ///< `original` is empty.
};

/// What a reader calls, in this order. Views are valid during the call only. Errors end the reading.
class SubmissionSink {
 public:
  virtual ~SubmissionSink() = default;
  virtual libconf::Result<void> envelope(SubmissionEnvelope envelope) = 0;
  /// A line of the content without its end, or a piece of one that `is_continued` by the next call.
  virtual libconf::Result<void> line(std::string_view text, bool is_continued) = 0;
  /// A recipient that stood in the headers.
  virtual libconf::Result<void> recipient(QueueRecipient recipient) = 0;
};

/// Not thread-safe; `sink` must live longer.
class SubmissionReader {
 public:
  /// `line_length_limit`: no record is longer, in bytes.
  SubmissionReader(std::size_t line_length_limit, SubmissionSink& sink)
      : decoder_(line_length_limit), sink_(sink) {}

  /// Takes the next bytes of the file, divided in any way. What comes behind the end record is passed over.
  /// Errors: kDataCorrupt; those of the sink. Call nothing afterwards.
  libconf::Result<void> feed(std::string_view bytes);

  /// The file has ended. Errors: kDataCorrupt, for one that is not complete.
  libconf::Result<void> finish() const;

 private:
  libconf::Result<void> take(const QueueRecord& record);
  libconf::Result<void> take_attribute(std::string_view payload);
  libconf::Result<void> end_recipient(std::string_view address);
  void set_notify(std::string_view value);

  RecordDecoder decoder_;
  SubmissionSink& sink_;
  SubmissionRules rules_{SubmissionForm::kMaildrop};
  SubmissionEnvelope envelope_;
  QueueRecipient recipient_;  ///< What is known of the next one.
};

}  // namespace mta
