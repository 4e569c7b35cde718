#include "tools/mta/delivery/outgoing_content.h"

#include "libconf/text.h"
#include "tools/mta/content/mime_parser.h"
#include "tools/mta/delivery/generic_addresses.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {

using libconf::Result;

/// Takes a message apart, and writes it again.
class OutgoingContent::Headers final : public MessageSink {
 public:
  explicit Headers(GenericAddresses& generic)
      : generic_(generic), parser_(*this, {.is_mime_enabled = false}) {}

  /// `text` is a piece of a line. Errors: those of rewriting.
  Result<void> add(std::string& out, ContentEncoder& encoder, std::string_view text, bool ends_line) {
    out_ = &out;
    encoder_ = &encoder;
    parser_.feed(text);
    if (ends_line) parser_.feed("\n");
    if (error_) return *error_;
    return {};
  }

  Result<void> finish(std::string& out, ContentEncoder& encoder) {
    out_ = &out;
    encoder_ = &encoder;
    parser_.finish();
    if (error_) return *error_;
    return {};
  }

  // MessageSink
  void header(HeaderKind kind, std::string_view text) override {
    std::string header(text);
    if (kind == HeaderKind::kPrimary) {
      const Result<void> done = generic_.rewrite_header(header);
      if (!done && !error_) error_ = done.error();
    }
    std::string_view rest = header;
    for (;;) {
      const std::size_t end = rest.find('\n');
      encoder_->add(*out_, rest.substr(0, end), true);
      if (end == std::string_view::npos) return;
      rest.remove_prefix(end + 1);
    }
  }
  void end_of_headers() override {}
  void body_line(std::string_view text) override { encoder_->add(*out_, text, true); }
  void body_piece(std::string_view text) override { encoder_->add(*out_, text, false); }

 private:
  GenericAddresses& generic_;
  MimeParser parser_;
  std::string* out_ = nullptr;
  ContentEncoder* encoder_ = nullptr;
  std::optional<libconf::Error> error_;
};

OutgoingContent::OutgoingContent(QueueFileReader reader, std::size_t line_length_limit)
    : reader_(std::move(reader)), encoder_(line_length_limit) {}
OutgoingContent::OutgoingContent(OutgoingContent&&) noexcept = default;
OutgoingContent::~OutgoingContent() = default;

void OutgoingContent::rewrite(GenericAddresses& generic) { headers_ = std::make_unique<Headers>(generic); }

Result<OutgoingContent> OutgoingContent::open(int message, std::string name, std::size_t line_length_limit) {
  Result<QueueFileReader> reader = QueueFileReader::open(message, std::move(name));
  if (!reader) return reader.error();
  const auto record = reader->next();
  if (!record) return record.error();
  std::optional<MessageSizes> sizes;
  if (*record && (*record)->type == RecordType::kSize) sizes = MessageSizes::from_payload((*record)->payload);
  if (!sizes || sizes->content_offset <= 0)
    return libconf::Error{.kind = libconf::ErrorKind::kDataCorrupt,
                          .message = libconf::concat(reader->name(), ": no sizes at the start")};
  reader->seek(static_cast<std::uint64_t>(sizes->content_offset), RecordGroup::kContent);
  return OutgoingContent(std::move(*reader), line_length_limit);
}

Result<bool> OutgoingContent::read(std::string& out, std::size_t enough) {
  while (out.size() < enough) {
    const auto record = reader_.next();
    if (!record) return record.error();
    const bool is_end = !*record || (*record)->type == RecordType::kExtracted;
    if (headers_) {
      const Result<void> done =
          is_end ? headers_->finish(out, encoder_)
                 : headers_->add(out, encoder_, (*record)->payload, (*record)->type == RecordType::kLine);
      if (!done) return done.error();
    }
    if (is_end) return false;
    if (!headers_) encoder_.add(out, (*record)->payload, (*record)->type == RecordType::kLine);
  }
  return true;
}

}  // namespace mta
