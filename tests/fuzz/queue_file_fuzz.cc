// Queue files of any bytes: the reader comes to an end, and a message that it accepts is the same when it has
// been written again without the traces of its edits. The queue manager's way of reading comes to an end,
// too, and finds the same recipients, however few it takes at a time.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tests/fuzz/property.h"
#include "tools/mta/queue/queue_file_writer.h"
#include "tools/mta/queue/queue_message.h"

namespace {

class StringOutput : public mta::QueueOutput {
 public:
  libconf::Result<void> write_at(std::uint64_t offset, std::string_view text) override {
    require(offset == bytes.size() || offset == 0, "offsets grow");
    bytes.replace(offset, text.size(), text);
    return {};
  }
  std::string bytes;
};

std::string content_of(mta::QueueFileReader& reader, std::uint64_t offset) {
  std::string content;
  const auto read =
      mta::read_content(reader, offset, [&](std::string_view text, bool ends_line) -> libconf::Result<void> {
        content += text;
        if (ends_line) content += '\n';
        return {};
      });
  require(read.has_value(), "what was read once is read again");
  return content;
}

void write(mta::QueueOutput& output, const mta::QueueMessage& message, std::string_view content) {
  mta::QueueFileWriter writer(output, {.form = mta::QueueFileForm::kQueue, .line_length_limit = 64});
  if (message.sender) writer.put(mta::RecordType::kSender, *message.sender);
  for (const auto& [name, value] : message.attributes) writer.attribute(name, value);
  for (const mta::QueueRecipient& recipient : message.recipients) writer.recipient(recipient);
  writer.begin_content();
  writer.body(content);
  writer.end_content();
  require(writer.finish().has_value(), "writing to memory succeeds");
}

bool is_same_but_for_its_place(mta::QueueRecipient a, const mta::QueueRecipient& b) {
  a.offset = b.offset;
  return a == b;
}

/// What waits, read in steps of `limit`; nothing: the file makes no sense to the queue manager.
std::optional<std::vector<mta::QueueRecipient>> read_in_steps(std::string_view bytes, std::size_t limit) {
  mta::QueueFileReader reader = mta::QueueFileReader::over(bytes);
  auto envelope = mta::read_queue_envelope(reader, limit);
  std::vector<mta::QueueRecipient> recipients;
  mta::QueueMessage message;
  for (bool is_first = true; envelope; is_first = false) {
    if (is_first) message.sizes = envelope->message.sizes;
    require(envelope->message.recipients.size() <= limit, "no more recipients than asked for");
    recipients.insert(recipients.end(), envelope->message.recipients.begin(),
                      envelope->message.recipients.end());
    // Pointers may lead back where steps began.
    if (!envelope->rest || recipients.size() > bytes.size()) return recipients;
    envelope = mta::read_more_recipients(reader, message, *envelope->rest, limit, envelope->unread);
  }
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mta::QueueFileReader reader = mta::QueueFileReader::over(as_text(data, size));
  static_cast<void>(read_in_steps(as_text(data, size), 2));
  const auto message = mta::read_queue_message(reader);
  if (!message) {
    require(message.error().kind == libconf::ErrorKind::kDataCorrupt, "memory can be read");
    return 0;
  }
  std::string content = content_of(reader, message->content_offset);

  StringOutput output;
  write(output, *message, content);
  mta::QueueFileReader again = mta::QueueFileReader::over(output.bytes);
  const auto copy = mta::read_queue_message(again);
  require(copy.has_value(), "what is written is read");
  require(copy->sender == message->sender && copy->attributes == message->attributes, "the envelope stays");
  require(std::equal(copy->recipients.begin(), copy->recipients.end(), message->recipients.begin(),
                     message->recipients.end(), is_same_but_for_its_place),
          "the recipients stay");
  std::vector<mta::QueueRecipient> waiting;
  for (const mta::QueueRecipient& each : copy->recipients)
    if (!each.is_done) waiting.push_back(each);
  for (const std::size_t limit : {std::size_t{1}, std::size_t{3}, std::size_t{1000}})
    require(read_in_steps(output.bytes, limit) == waiting, "all that wait are found");
  if (!content.empty() && content.back() != '\n') content += '\n';
  require(content_of(again, copy->content_offset) == content, "the content stays");
  return 0;
}
