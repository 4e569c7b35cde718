#include "tools/mta/queue/queue_file_writer.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace mta {
namespace {

using libconf::Result;

constexpr std::size_t kFlushSize = std::size_t{64} << 10;

}  // namespace

QueueFileWriter::QueueFileWriter(QueueOutput& output, const QueueFileOptions& options)
    : output_(output), options_(options) {
  assert(options.line_length_limit > 0 && options.line_length_limit <= kLongestPayload);
  if (options_.form == QueueFileForm::kQueue) append(RecordType::kSize, sizes_.to_payload());
}

/// All records pass here.
void QueueFileWriter::append(RecordType type, std::string_view payload) {
  if (error_) return;
  append_record(buffer_, type, payload);
  if (buffer_.size() >= kFlushSize) flush();
}

void QueueFileWriter::flush() {
  const Result<void> written = output_.write_at(buffer_start_, buffer_);
  if (!written) error_ = written.error();
  buffer_start_ += buffer_.size();
  buffer_.clear();
}

void QueueFileWriter::put(RecordType type, std::string_view payload) {
  assert(group_ != RecordGroup::kContent);
  assert(find_record_type(static_cast<char>(type))->is_allowed_in(group_));
  append(type, payload);
}

void QueueFileWriter::attribute(std::string_view name, std::string_view value) {
  std::string payload(name);
  payload += '=';
  payload += value;
  put(RecordType::kAttribute, payload);
}

void QueueFileWriter::arrival_time(QueueTime time) { put(RecordType::kTime, arrival_time_payload(time)); }

void QueueFileWriter::recipient(const QueueRecipient& recipient) {
  write_recipient(recipient, Origin::kRequested);
}

void QueueFileWriter::automatic_recipient(const QueueRecipient& recipient) {
  write_recipient(recipient, Origin::kAutomatic);
}

void QueueFileWriter::write_recipient(const QueueRecipient& recipient, Origin origin) {
  if (recipient.notify != 0) attribute("notify_flags", std::to_string(recipient.notify));
  if (!recipient.dsn_original.empty()) attribute("dsn_orig_rcpt", recipient.dsn_original);
  if (!recipient.original.empty()) put(RecordType::kOriginalRecipient, recipient.original);
  put(recipient.is_done ? RecordType::kDone : RecordType::kRecipient, recipient.address);
  ++sizes_.recipient_count;
  if (origin == Origin::kRequested) sizes_.queue_manager_flags |= std::int64_t{recipient.notify} << 1;
}

void QueueFileWriter::begin_content() {
  assert(group_ == RecordGroup::kEnvelope);
  append(RecordType::kContent, {});
  group_ = RecordGroup::kContent;
  sizes_.content_offset = static_cast<std::int64_t>(buffer_start_ + buffer_.size());
}

void QueueFileWriter::header(std::string_view lines) {
  assert(group_ == RecordGroup::kContent && line_.empty() && !is_cut_);
  for (;;) {
    const std::size_t end = lines.find('\n');
    std::string_view line = lines.substr(0, end);
    for (; line.size() > options_.line_length_limit; line.remove_prefix(options_.line_length_limit))
      append(RecordType::kPartialLine, line.substr(0, options_.line_length_limit));
    append(RecordType::kLine, line);
    if (end == std::string_view::npos) return;
    lines.remove_prefix(end + 1);
  }
}

void QueueFileWriter::body(std::string_view bytes) {
  assert(group_ == RecordGroup::kContent);
  while (!bytes.empty()) {
    const std::size_t room = options_.line_length_limit - line_.size();
    const std::size_t end = bytes.substr(0, room).find('\n');
    const bool is_line = end != std::string_view::npos;
    std::string_view text = bytes.substr(0, std::min(end, room));
    bytes.remove_prefix(text.size() + (is_line ? 1 : 0));
    if (!is_line && text.size() < room) {
      line_ += text;
      return;
    }
    if (!line_.empty()) {
      line_ += text;
      text = line_;
    }
    append(is_line ? RecordType::kLine : RecordType::kPartialLine, text);
    line_.clear();
    is_cut_ = !is_line;
  }
}

void QueueFileWriter::line(std::string_view text) {
  if (line_.empty() && text.size() < options_.line_length_limit) {
    append(RecordType::kLine, text);
    is_cut_ = false;
    return;
  }
  body(text);
  body("\n");
}

void QueueFileWriter::end_content() {
  assert(group_ == RecordGroup::kContent);
  if (!line_.empty()) {
    append(RecordType::kPartialLine, line_);
    line_.clear();
    is_cut_ = true;
  }
  if (is_cut_ && options_.form == QueueFileForm::kQueue) append(RecordType::kLine, {});
  is_cut_ = false;
  sizes_.content_size = static_cast<std::int64_t>(content_size());
  sizes_.content_length = sizes_.content_size;
  append(RecordType::kExtracted, {});
  group_ = RecordGroup::kExtracted;
}

std::uint64_t QueueFileWriter::content_size() const {
  if (group_ == RecordGroup::kEnvelope) return 0;
  if (group_ == RecordGroup::kExtracted) return static_cast<std::uint64_t>(sizes_.content_size);
  return buffer_start_ + buffer_.size() - static_cast<std::uint64_t>(sizes_.content_offset);
}

Result<MessageSizes> QueueFileWriter::finish() {
  assert(group_ == RecordGroup::kExtracted);
  append(RecordType::kEnd, {});
  std::string size_record;
  if (options_.form == QueueFileForm::kQueue)
    append_record(size_record, RecordType::kSize, sizes_.to_payload());
  const bool is_all_in_buffer = buffer_start_ == 0;
  if (is_all_in_buffer) buffer_.replace(0, size_record.size(), size_record);
  if (!error_ && !buffer_.empty()) flush();
  if (!error_ && !is_all_in_buffer && !size_record.empty()) {
    const Result<void> written = output_.write_at(0, size_record);
    if (!written) error_ = written.error();
  }
  if (error_) return *error_;
  return sizes_;
}

}  // namespace mta
