// Records: the same however the bytes are divided, and what was decoded is encoded to the same record. The
// first line of the input says how it is divided: each byte is the size of a chunk.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/fuzz/property.h"
#include "tools/mta/queue/queue_record.h"

namespace {

/// The records as text, and at last the error.
std::vector<std::string> decode(std::string_view sizes, std::string_view bytes) {
  std::vector<std::string> seen;
  mta::RecordDecoder decoder;
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    const std::size_t wanted =
        sizes.empty() ? bytes.size() : static_cast<unsigned char>(sizes[i % sizes.size()]);
    const std::size_t count = std::clamp<std::size_t>(wanted, 1, bytes.size());
    decoder.feed(bytes.substr(0, count));
    bytes.remove_prefix(count);
    for (;;) {
      const auto record = decoder.next();
      if (!record) {
        seen.push_back(record.error().message);
        return seen;
      }
      if (!*record) break;
      std::string again;
      mta::append_record(again, (*record)->type, (*record)->payload);
      const std::uint64_t length = (*record)->end - (*record)->offset;
      require(again.size() <= length, "no encoding is shorter");
      const auto decoded = mta::decode_record(again, 0);
      require(decoded && *decoded && (*decoded)->payload == (*record)->payload, "decoding undoes encoding");
      seen.push_back(std::to_string((*record)->offset) + ' ' + again);
    }
  }
  const auto end = decoder.finish();
  if (!end) seen.push_back(end.error().message);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes = as_text(data, size);
  const std::string_view sizes = take_first_line(bytes);
  require(decode(sizes, bytes) == decode({}, bytes), "chunks do not matter");
  return 0;
}
