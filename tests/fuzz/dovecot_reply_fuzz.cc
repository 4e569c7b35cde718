// What a Dovecot auth server may send: the lines of a handshake, and replies.
#include "tests/fuzz/property.h"
#include "tools/mta/sasl/dovecot_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Kind = mta::SaslAnswer::Kind;
  std::string_view rest = as_text(data, size);
  mta::DovecotHandshake handshake;
  bool is_reading = true;
  std::size_t lines = 0;
  while (!rest.empty()) {
    const std::string_view line = take_first_line(rest);
    if (is_reading) {
      const libconf::Result<bool> is_done = handshake.read(line);
      is_reading = is_done && !*is_done;
      require(!is_reading || ++lines <= mta::kDovecotHandshakeLimit, "a handshake has an end");
    }
    const std::optional<mta::DovecotReply> reply = mta::parse_dovecot_reply(line);
    if (!reply) continue;
    const mta::SaslAnswer& answer = reply->answer;
    require((answer.kind == Kind::kSuccess) == line.starts_with("OK\t") || answer.kind == Kind::kTemporary,
            "only OK is a success");
    if (answer.kind == Kind::kSuccess) {
      require(!answer.username.empty(), "a success has a user");
      for (const char c : answer.username)
        require(static_cast<unsigned char>(c) >= ' ' && c != '\177', "a user name has no control characters");
    }
    if (answer.kind == Kind::kFailure || answer.kind == Kind::kTemporary)
      require(!answer.text.empty(), "a failure has a reason");
    if (answer.kind == Kind::kChallenge) {
      // Our own lines have the form of theirs.
      std::string ours = mta::dovecot_continue_request(reply->id, answer.text);
      ours.pop_back();
      const std::optional<mta::DovecotReply> same = mta::parse_dovecot_reply(ours);
      require(same && same->id == reply->id && same->answer.text == answer.text, "what we write, we read");
    }
  }
  require(handshake.mechanisms().size() <= mta::kDovecotHandshakeLimit, "mechanisms are bounded");
  return 0;
}
