// What a postdrop answers, of any bytes: lists come the same however they are divided, and can be written
// again.
#include <string>
#include <vector>

#include "tests/fuzz/property.h"
#include "tools/mta/submission/attribute_list.h"

namespace {

std::vector<mta::AttributeList> read(std::string_view bytes, std::size_t portion) {
  mta::AttributeListReader reader;
  std::vector<mta::AttributeList> lists;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(portion, bytes.size()))) {
    if (!reader.feed(bytes.substr(0, portion))) break;
    while (auto list = reader.take()) lists.push_back(std::move(*list));
  }
  return lists;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = as_text(data, size).substr(0, 60000);
  const std::vector<mta::AttributeList> lists = read(bytes, bytes.size() + 1);
  require(read(bytes, 1) == lists, "the division changes nothing");
  std::string again;
  for (const mta::AttributeList& list : lists) again += mta::format_attribute_list(list);
  require(bytes.starts_with(again), "what is read is written as it was");
  return 0;
}
