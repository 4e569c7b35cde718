// What deliver_as(8) reads, and what it answers, of any bytes: what is accepted is what would be written for
// the same thing, so nothing else has been understood, and no length was believed. The first byte says what
// it is.
#include <string>

#include "tests/fuzz/property.h"
#include "tools/mta/delivery/user_action_wire.h"

namespace {

template <class Value>
void check(const std::optional<Value>& value, std::string_view bytes) {
  if (value) require(encode(*value) == bytes, "what is read is what is written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view bytes = as_text(data + 1, size - 1);
  std::string_view rest = bytes;
  if (const auto header = mta::decode_header(rest))
    require(encode(*header) == bytes.substr(0, mta::kActionHeaderSize), "a header is read as it stands");
  switch (data[0] % 6) {
    case 0:
      check(mta::decode_delivery(bytes), bytes);
      break;
    case 1:
      check(mta::decode_command(bytes), bytes);
      break;
    case 2:
      check(mta::decode_result(bytes), bytes);
      break;
    case 3:
      check(mta::decode_command_result(bytes), bytes);
      break;
    case 4:
      check(mta::decode_text(bytes), bytes);
      break;
    default:
      if (const auto path = mta::decode_path(bytes))
        require(mta::encode_path(*path) == bytes, "a path is read as it stands");
  }
  return 0;
}
