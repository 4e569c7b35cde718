#include "tools/mta/delivery/outgoing_content.h"

#include "libconf/text.h"
#include "tools/mta/content/mime_parser.h"
#include "tools/mta/delivery/delivery_checks.h"
#include "tools/mta/delivery/generic_addresses.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

/// Takes a message apart, and writes it again.
class OutgoingContent::Editor final : public MessageSink {
 public:
  Editor(const ContentEdits& edits, std::string queue_id)
      : edits_(edits), queue_id_(std::move(queue_id)), parser_(*this, edits_.mime) {}

  /// `text` is a piece of a line. Errors: those of tables.
  Result<void> add(std::string& out, ContentEncoder& encoder, std::string_view text, bool ends_line) {
    out_ = &out;
    encoder_ = &encoder;
    parser_.feed_piece(text, ends_line);
    return outcome();
  }

  Result<void> finish(std::string& out, ContentEncoder& encoder) {
    out_ = &out;
    encoder_ = &encoder;
    parser_.finish();
    return outcome();
  }

  // MessageSink
  void header(HeaderKind kind, std::string_view text) override {
    const CheckAction action = check(class_of(kind), text);
    if (error_ || action.kind == CheckActionKind::kIgnore) return;
    if (action.kind == CheckActionKind::kPrepend) write_lines(action.text);
    std::string header(action.kind == CheckActionKind::kReplace ? std::string_view(action.text) : text);
    if (kind == HeaderKind::kPrimary && edits_.generic != nullptr) {
      const Result<void> done = rewrite(text.substr(0, text.find(':')), header);
      if (!done) return note(done.error());
    }
    write_lines(header);
  }
  void end_of_headers() override {}
  void body_line(std::string_view text) override { body(text, true); }
  void body_piece(std::string_view text) override { body(text, false); }
  void fault(MimeFault fault, std::string_view) override {
    // The header that has it still goes out.
    fault_ = Error{.kind = ErrorKind::kUnsupported, .message = std::string(describe(fault))};
  }

 private:
  /// Of a header that was replaced, Postfix looks for addresses behind the name that was there: they are
  /// found where the new one is as long.
  Result<void> rewrite(std::string_view name, std::string& header) {
    if (header.size() <= name.size() || header[name.size()] != ':') return {};
    std::string rewritten = libconf::concat(name, std::string_view(header).substr(name.size()));
    const Result<void> done = edits_.generic->rewrite_header(rewritten);
    if (done) header.replace(name.size(), std::string::npos, rewritten, name.size());
    return done;
  }
  Result<void> outcome() {
    if (!error_) error_ = fault_;
    if (error_) return *error_;
    return {};
  }
  void body(std::string_view text, bool ends_line) {
    const CheckAction action = check(CheckClass::kBody, text);
    if (error_ || action.kind == CheckActionKind::kIgnore) return;
    if (action.kind == CheckActionKind::kPrepend) encoder_->add(*out_, action.text, true);
    encoder_->add(*out_, action.kind == CheckActionKind::kReplace ? action.text : text, ends_line);
  }
  CheckAction check(CheckClass check_class, std::string_view text) {
    if (edits_.checks == nullptr || error_) return {};
    Result<CheckAction> action = edits_.checks->check(check_class, text, queue_id_);
    if (action) return std::move(*action);
    note(action.error());
    return {};
  }
  void note(Error error) {
    if (!error_) error_ = std::move(error);
  }
  void write_lines(std::string_view text) {
    for (;;) {
      const std::size_t end = text.find('\n');
      encoder_->add(*out_, text.substr(0, end), true);
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  const ContentEdits edits_;
  std::string queue_id_;
  MimeParser parser_;
  std::string* out_ = nullptr;
  ContentEncoder* encoder_ = nullptr;
  std::optional<Error> fault_;
  std::optional<Error> error_;  ///< Nothing is written any more.
};

OutgoingContent::OutgoingContent(QueueFileReader reader, std::size_t line_length_limit)
    : reader_(std::move(reader)), encoder_(line_length_limit) {}
OutgoingContent::OutgoingContent(OutgoingContent&&) noexcept = default;
OutgoingContent::~OutgoingContent() = default;

void OutgoingContent::edit(const ContentEdits& edits) {
  ContentEdits active = edits;
  // For addresses alone Postfix does not look into parts.
  active.mime.is_mime_enabled = edits.checks != nullptr || edits.mime.converts_8bit;
  active.mime.strictness.nesting = edits.mime.converts_8bit;
  editor_ = std::make_unique<Editor>(active, reader_.name());
}

Result<OutgoingContent> OutgoingContent::open(int message, std::string name, std::size_t line_length_limit) {
  Result<QueueFileReader> reader = QueueFileReader::open(message, std::move(name));
  if (!reader) return reader.error();
  const auto record = reader->next();
  if (!record) return record.error();
  std::optional<MessageSizes> sizes;
  if (*record && (*record)->type == RecordType::kSize) sizes = MessageSizes::from_payload((*record)->payload);
  if (!sizes || sizes->content_offset <= 0)
    return Error{.kind = ErrorKind::kDataCorrupt,
                 .message = libconf::concat(reader->name(), ": no sizes at the start")};
  reader->seek(static_cast<std::uint64_t>(sizes->content_offset), RecordGroup::kContent);
  return OutgoingContent(std::move(*reader), line_length_limit);
}

Result<void> OutgoingContent::add(std::string& out, std::string_view text, bool ends_line) {
  if (editor_) return editor_->add(out, encoder_, text, ends_line);
  encoder_.add(out, text, ends_line);
  return {};
}

Result<bool> OutgoingContent::read(std::string& out, std::size_t enough) {
  while (out.size() < enough) {
    const auto record = reader_.next();
    if (!record) return record.error();
    const bool is_end = !*record || (*record)->type == RecordType::kExtracted;
    const std::string_view text = is_end ? std::string_view() : (*record)->payload;
    const bool ends_line = is_end || (*record)->type == RecordType::kLine;
    // The dot that ends the message needs a line of its own, whatever the last record is.
    if (!is_end || is_within_line_) {
      const Result<void> done = add(out, text, ends_line);
      if (!done) return done.error();
    }
    is_within_line_ = !ends_line;
    if (!is_end) continue;
    if (!editor_) return false;
    const Result<void> done = editor_->finish(out, encoder_);
    if (!done) return done.error();
    return false;
  }
  return true;
}

}  // namespace mta
