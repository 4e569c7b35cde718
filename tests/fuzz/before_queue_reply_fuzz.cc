// What a before-queue filter may reply: whatever it is, the client gets one reply, of one code, that can be
// shown.
#include <algorithm>

#include "libconf/text.h"
#include "tests/fuzz/property.h"
#include "tools/mta/smtp/proxy_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = as_text(data, size);
  const std::size_t length = mta::proxy_reply_length(input);
  require(length <= size, "a reply is not longer than what was sent");
  if (length == 0) return 0;
  require(input[length - 1] == '\n', "a reply ends with a line");
  const std::string clean = mta::clean_proxy_reply(input.substr(0, length));
  for (const std::string& name : mta::offered_attributes(clean))
    require(!name.empty() && name.find_first_of(" \t\r\n") == std::string::npos, "a name is one word");
  if (!mta::is_proxy_reply(clean)) return 0;

  std::string sent;
  mta::reply_of_proxy(clean).append_to(sent);
  require(mta::proxy_reply_length(sent) == sent.size(), "the client gets one reply");
  for (std::string_view rest = sent; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(line.size() + 2, rest.size()));
    require(line.substr(0, 3) == std::string_view(clean).substr(0, 3),
            "all lines have the code of the first");
    require(
        std::none_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }),
        "a line has nothing that cannot be shown");
  }
  return 0;
}
