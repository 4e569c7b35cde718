#include "tools/postmap/message_keys.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "libconf/file.h"

namespace postmap {
namespace {

using libconf::Result;

constexpr std::size_t kBlockSize = 65536;

class KeySink final : public mta::MessageSink {
 public:
  KeySink(MessageKeys keys, const KeyVisitor& visit) : keys_(keys), visit_(visit) {}

  void header(mta::HeaderKind, std::string_view text) override {
    if (keys_.headers) visit(text);
  }
  void end_of_headers() override {}
  void body_line(std::string_view text) override {
    if (keys_.body) visit(text.substr(0, text.find('\0')));
  }

  const Result<void>& outcome() const { return outcome_; }

 private:
  void visit(std::string_view key) {
    if (outcome_) outcome_ = visit_(key);
  }

  MessageKeys keys_;
  const KeyVisitor& visit_;
  Result<void> outcome_;
};

}  // namespace

Result<void> for_each_message_key(int input, MessageKeys keys, const mta::MimeOptions& limits,
                                  const BlockGuard& around, const KeyVisitor& visit) {
  mta::MimeOptions options = limits;
  options.is_mime_enabled = keys.mime;
  KeySink sink(keys, visit);
  mta::MimeParser parser(sink, options);
  std::array<char, kBlockSize> block;
  for (ssize_t count = 1; count != 0;) {
    count = ::read(input, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return libconf::io_error("read ", "standard input", errno);
    Result<void> done = around([&] {
      if (count > 0) {
        parser.feed({block.data(), static_cast<std::size_t>(count)});
      } else {
        parser.finish();
      }
      return sink.outcome();
    });
    if (!done) return done;
  }
  return {};
}

}  // namespace postmap
