// What an SMTP server may send to our client, in any portions.
#include "tests/fuzz/property.h"
#include "tools/mta/delivery/server_features.h"
#include "tools/mta/delivery/server_reply.h"

namespace {

/// Reads `bytes` in portions of `size`, and gives all texts, a line each.
std::string texts_of(std::string_view bytes, std::size_t size) {
  mta::ServerReplyReader reader;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    for (auto reply = reader.read(bytes.substr(at, size)); reply; reply = reader.read("")) {
      require(reply->code >= 0 && reply->code <= 999, "a code has three digits");
      require(!reply->lines.empty(), "a reply has a line");
      require(!reply->status.empty(), "a reply has a status");
      const int digit = reply->code / 100;
      const bool has_class = digit == 2 || digit == 4 || digit == 5;
      require(!has_class || reply->status[0] == '0' + digit, "the status is of the code's class");
      for (const char c : reply->text) require(c >= ' ' && c <= '~', "the text can be logged");
      const mta::ServerFeatures features(*reply, mta::DiscardedKeywords::parse("dsn"));
      require(!features.has(mta::EhloKeyword::kDsn), "what is discarded was not said");
      require(features.size_limit() == 0 || features.has(mta::EhloKeyword::kSize), "a limit has a keyword");
      out += reply->text + '\n';
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = as_text(data, size);
  require(texts_of(bytes, 1) == texts_of(bytes, bytes.size() + 1), "portions make no difference");
  return 0;
}
