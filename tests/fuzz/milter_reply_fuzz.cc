// Bytes that a filter sends: any division gives the same replies, and a session takes any of them in any
// state. The first line of the input says how the bytes are divided: each byte is the size of a chunk.
#include <algorithm>
#include <string>
#include <vector>

#include "libconf/main_cf_document.h"
#include "tests/fuzz/property.h"
#include "tests/tools/mta/milter_edits.h"

namespace {

using mta::MilterPacketReader;
using mta::MilterReply;
using mta::MilterSession;

/// The replies in `bytes` up to the first that is malformed, and whether there was one.
struct Replies {
  std::vector<MilterReply> replies;
  bool is_broken = false;
};

void take_all(MilterPacketReader& reader, Replies& out) {
  while (!out.is_broken) {
    auto reply = reader.next();
    if (!reply) {
      out.is_broken = true;
    } else if (reply->has_value()) {
      out.replies.push_back(std::move(**reply));
    } else {
      return;
    }
  }
}

Replies read(std::string_view bytes, std::string_view sizes) {
  Replies out;
  MilterPacketReader reader;
  for (std::size_t i = 0; !bytes.empty() && !out.is_broken; ++i) {
    const std::size_t wanted =
        sizes.empty() ? bytes.size() : static_cast<unsigned char>(sizes[i % sizes.size()]);
    const std::size_t count = std::clamp<std::size_t>(wanted, 1, bytes.size());
    reader.feed(bytes.substr(0, count));
    take_all(reader, out);
    bytes.remove_prefix(count);
  }
  return out;
}

bool are_equal(const MilterReply& a, const MilterReply& b) {
  return a.code == b.code && a.index == b.index && a.name == b.name && a.text == b.text &&
         a.arguments == b.arguments;
}

/// What a mail server tells, over and over.
std::string tell(MilterSession& session, std::size_t step) {
  const std::vector<std::string> address = {"<a@example.com>"};
  switch (step % 12) {
    case 0:
      return session.connect("client", mta::MilterFamily::kInet, 25, "127.0.0.1");
    case 1:
      return session.helo("client");
    case 2:
      return session.unknown("FOO");
    case 3:
      return session.mail(address);
    case 4:
    case 5:
      return session.recipient(address);
    case 6:
      return session.data();
    case 7:
      return session.header("A", " b");
    case 8:
      return session.end_of_headers();
    case 9:
      return session.body("x\r\n");
    case 10:
      return session.end_of_message();
    default:
      return session.abort();
  }
}

void converse(const std::vector<MilterReply>& replies) {
  const mta::MilterOptions options{.endpoint = "inet:host:1"};
  MilterSession session(options, [](std::string_view) { return std::string("x"); });
  mta::MilterEditRecorder edits;
  require(!session.negotiate().empty() && session.awaits_reply(), "a session begins with an offer");
  std::size_t step = 0;
  for (const MilterReply& reply : replies) {
    for (int silent = 0; !session.awaits_reply() && silent < 12; ++silent) {
      const std::string packets = tell(session, step++);
      require(!session.awaits_reply() || !packets.empty(), "a reply has a command");
    }
    session.take(reply, edits);
    const mta::MilterVerdict& verdict = session.verdict();
    const bool is_refusal =
        verdict.kind == mta::MilterVerdictKind::kReject || verdict.kind == mta::MilterVerdictKind::kClose;
    require(is_refusal == (verdict.reply.size() >= 3), "a refusal has a reply, and nothing else has");
    require(!is_refusal || verdict.reply[0] == '4' || verdict.reply[0] == '5', "a refusal refuses");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes = as_text(data, size);
  const std::string_view sizes = take_first_line(bytes);
  const Replies whole = read(bytes, "");
  const Replies divided = read(bytes, sizes);
  require(whole.is_broken == divided.is_broken &&
              std::equal(whole.replies.begin(), whole.replies.end(), divided.replies.begin(),
                         divided.replies.end(), are_equal),
          "chunks do not matter");
  converse(whole.replies);
  return 0;
}
