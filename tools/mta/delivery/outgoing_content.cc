#include "tools/mta/delivery/outgoing_content.h"

#include "libconf/text.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {

using libconf::Result;

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
    if (!*record || (*record)->type == RecordType::kExtracted) return false;
    encoder_.add(out, (*record)->payload, (*record)->type == RecordType::kLine);
  }
  return true;
}

}  // namespace mta
