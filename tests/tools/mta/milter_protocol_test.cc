// Commands are those that the stock smtpd sends; replies are taken from the description of the protocol.
#include "tools/mta/content/milter_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mta {
namespace {

using namespace std::string_literals;

/// A packet with its length, which is short here.
std::string packet(const std::string& text) { return "\0\0\0"s + static_cast<char>(text.size()) + text; }

TEST(MilterProtocol, WritesCommands) {
  EXPECT_EQ(encode_negotiation({.version = 6, .actions = 0x1FF, .protocol = 0x1FFFFF}),
            packet("O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff"s));
  EXPECT_EQ(encode_macros(MilterCommand::kConnect, {{"j", "h.example.com"}, {"{client_name}", ""}}),
            packet("DCj\0h.example.com\0{client_name}\0\0"s));
  EXPECT_EQ(encode_macros(MilterCommand::kHelo, {}), packet("DH"));
  EXPECT_EQ(encode_connect("[127.0.0.1]", MilterFamily::kInet, 0x8078, "127.0.0.1"),
            packet("C[127.0.0.1]\0"s + "4\x80x127.0.0.1\0"s));
  EXPECT_EQ(encode_connect("localhost", MilterFamily::kUnknown, 25, "x"), packet("Clocalhost\0U"s));
  EXPECT_EQ(encode_helo("me.example"), packet("Hme.example\0"s));
  const std::vector<std::string> mail = {"<s@example.com>", "SIZE=100"};
  EXPECT_EQ(encode_envelope(MilterCommand::kMail, mail), packet("M<s@example.com>\0SIZE=100\0"s));
  EXPECT_EQ(encode_unknown("FOO"), packet("UFOO\0"s));
  EXPECT_EQ(encode_header("X-A", "\ty\n z"), packet("LX-A\0\ty\n z\0"s));
  EXPECT_EQ(encode_header("X\0A"s, "b"), packet("LX\0b\0"s));
  EXPECT_EQ(encode_body("a\0b\r\n"s), packet("Ba\0b\r\n"s));
  EXPECT_EQ(encode_bare(MilterCommand::kData), packet("T"));
  EXPECT_EQ(encode_body(std::string(kMilterChunkSize, 'x')).substr(0, 5), "\0\x01\0\0B"s);
}

TEST(MilterProtocol, OffersWhatAVersionHas) {
  EXPECT_EQ(milter_protocol::all(2), 0x7FU);
  EXPECT_EQ(milter_protocol::all(3), 0x17FU);
  EXPECT_EQ(milter_protocol::all(4), 0x37FU);
  EXPECT_EQ(milter_protocol::all(6), 0x1FFFFFU);
}

TEST(MilterProtocol, ReadsReplies) {
  using Code = MilterReplyCode;
  struct Case {
    std::string data;
    Code code;
    std::uint32_t index;
    std::string name;
    std::string text;
    std::vector<std::string> arguments;
  };
  const Case cases[] = {
      {"a", Code::kAccept, 0, "", "", {}},
      {"cignored", Code::kContinue, 0, "", "", {}},
      {"bnew\0body"s, Code::kReplaceBody, 0, "", "new\0body"s, {}},
      {"hX-A\0v\n w\0"s, Code::kAddHeader, 0, "X-A", "v\n w", {}},
      {"i\0\0\x01\x02X-A\0v\0"s, Code::kInsertHeader, 258, "X-A", "v", {}},
      {"m\0\0\0\x01X-A\0\0"s, Code::kChangeHeader, 1, "X-A", "", {}},
      {"+<a@b>\0"s, Code::kAddRecipient, 0, "", "", {"<a@b>"}},
      {"-<a@b>\0"s, Code::kDeleteRecipient, 0, "", "", {"<a@b>"}},
      {"2<a@b>\0NOTIFY=NEVER\0"s, Code::kAddRecipientWithArguments, 0, "", "", {"<a@b>", "NOTIFY=NEVER"}},
      {"e<>\0"s, Code::kChangeSender, 0, "", "", {"<>"}},
      {"qreason\0"s, Code::kQuarantine, 0, "", "reason", {}},
      {"y550 5.7.1 no\0rest"s, Code::kReplyCode, 0, "", "550 5.7.1 no", {}},
      {"y550 5.7.1 no", Code::kReplyCode, 0, "", "550 5.7.1 no", {}},
  };
  for (const Case& c : cases) {
    const auto reply = decode_milter_reply(c.data);
    ASSERT_TRUE(reply) << c.data;
    EXPECT_EQ(reply->code, c.code) << c.data;
    EXPECT_EQ(reply->index, c.index) << c.data;
    EXPECT_EQ(reply->name, c.name) << c.data;
    EXPECT_EQ(reply->text, c.text) << c.data;
    EXPECT_EQ(reply->arguments, c.arguments) << c.data;
  }
  const auto negotiation = decode_milter_reply("O\0\0\0\x06\0\0\0\x01\0\0\x04\0\0\0\0\x02i v\0\0\0\0\x09\0"s);
  ASSERT_TRUE(negotiation);
  EXPECT_EQ(negotiation->negotiation.version, 6U);
  EXPECT_EQ(negotiation->negotiation.actions, milter_action::kAddHeaders);
  EXPECT_EQ(negotiation->negotiation.protocol, milter_protocol::kSkip);
  EXPECT_EQ(negotiation->negotiation.macro_lists,
            (std::vector<std::pair<std::uint32_t, std::string>>{{2, "i v"}, {9, ""}}));
}

TEST(MilterProtocol, RefusesMalformedReplies) {
  for (const std::string& data : {"hX-A"s, "hX-A\0v"s, "+"s, "+<a@b>"s, "2<a@b>\0x"s, "i\0\0\0\0X\0v"s,
                                  "O\0\0\0\x06\0\0\0\x01\0\0\x04\0\0\0\0\x02i"s}) {
    const auto reply = decode_milter_reply(data);
    ASSERT_FALSE(reply) << data;
    EXPECT_EQ(reply.error().message, "missing string null terminator") << data;
  }
  for (const std::string& data :
       {"iab"s, "m"s, "O"s, "O\0\0\0\x06\0\0\0\x01"s, "O\0\0\0\x06\0\0\0\x01\0\0\x04\0\0\0"s}) {
    const auto reply = decode_milter_reply(data);
    ASSERT_FALSE(reply) << data;
    EXPECT_EQ(reply.error().message, "input packet too short for network long") << data;
  }
  EXPECT_FALSE(decode_milter_reply(""));
}

TEST(MilterProtocol, NamesCodes) {
  EXPECT_EQ(name_of(MilterCommand::kMail), "SMFIC_MAIL");
  EXPECT_EQ(name_of(MilterReplyCode::kConnectionFailure), "SMFIR_CONN_FAIL");
  EXPECT_EQ(name_of(static_cast<MilterReplyCode>('Z')), "(unknown filter reply)");
}

TEST(MilterProtocol, PutsPacketsTogether) {
  MilterPacketReader reader;
  const std::string bytes = packet("c") + packet("qx\0"s) + packet("hA\0b\0"s);
  std::string codes;
  for (const char byte : bytes) {
    reader.feed({&byte, 1});
    const auto reply = reader.next();
    ASSERT_TRUE(reply);
    if (reply->has_value()) codes += static_cast<char>((*reply)->code);
  }
  EXPECT_EQ(codes, "cqh");
  reader.feed(bytes);
  for (const char code : codes) EXPECT_EQ(static_cast<char>((*reader.next())->code), code);
  EXPECT_FALSE(reader.next()->has_value());
}

TEST(MilterProtocol, LimitsPackets) {
  for (const std::string& length : {"\0\0\0\0"s, "\0\x10\0\x01"s, "\xff\xff\xff\xff"s}) {
    MilterPacketReader reader;
    reader.feed(length);
    EXPECT_FALSE(reader.next());
  }
  MilterPacketReader reader;
  reader.feed("\0\x10\0\0"s);
  EXPECT_TRUE(reader.next());
}

}  // namespace
}  // namespace mta
