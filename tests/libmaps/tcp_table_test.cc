#include "libmaps/tcp_table.h"

#include <gtest/gtest.h>

#include <random>

#include "libmaps/tcp_protocol.h"
#include "tests/libconf/random_bytes.h"
#include "tests/libmaps/scripted_server.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using namespace std::chrono_literals;
using postkit_test::outcome;
using postkit_test::ScriptedServer;
using postkit_test::TableFixture;
using Answer = ScriptedServer::Answer;

constexpr TcpTiming kQuick{.limit = 1s, .pause = 1ms};

/// A server whose answers are given one after the other; the last one is repeated.
class Conversation {
 public:
  explicit Conversation(std::vector<Answer> answers)
      : server_('\n', [this, answers](const std::string&) {
          return answers[std::min(count_++, answers.size() - 1)];
        }) {
    table_ = std::move(*open_tcp("127.0.0.1:" + server_.port(), fixture_.context, kQuick));
  }

  Table& table() { return *table_; }
  std::string lookup(std::string_view key) { return outcome(table_->lookup(key)); }
  std::vector<std::string> log() { return server_.log(); }

  /// The warnings, without the server's name.
  std::vector<std::string> warned() const {
    std::vector<std::string> out;
    for (std::string text : fixture_.warned()) {
      const std::string name = " 127.0.0.1:" + server_.port();
      out.push_back(text.erase(text.find(name), name.size()));
    }
    return out;
  }

 private:
  std::size_t count_ = 0;
  TableFixture fixture_;
  ScriptedServer server_;
  std::unique_ptr<Table> table_;
};

// What Postfix 3.7 makes of the same replies.
TEST(TcpTable, UnderstandsReplies) {
  using namespace std::string_literals;
  static const struct {
    std::string reply;
    std::string_view expected;  ///< "error" stands for any reason.
    std::string_view warning;
  } kCases[] = {
      {"200 data\n", "data", ""},
      {"200  a b \n", " a b ", ""},
      {"200 a%20b%0a%C3\n", "a b\n\xC3", ""},
      {"200\ta\n", "a", ""},
      {"200 a\r\n", "a\r", ""},
      {"200 \n", "", ""},
      {"200 a\0b\n"s, "a", ""},
      {"200 a%00b\n", "a", ""},
      {"500 no\n", "(none)", ""},
      {"400 hm %20 x\n", "error", ""},
      {"200 a%zz\n", "error", "read TCP map reply from: malformed reply: 200 a%zz"},
      {"200 a%2\n", "error", "read TCP map reply from: malformed reply: 200 a%2"},
      {"500\n", "error", "read TCP map reply from: malformed reply: 500"},
      {"500x\n", "error", "read TCP map reply from: malformed reply: 500x"},
      {"200\n", "error", "read TCP map reply from: malformed reply: 200"},
      {" 200 a\n", "error", "read TCP map reply from: malformed reply:  200 a"},
      {"\n", "error", "read TCP map reply from: malformed reply: "},
      {"2000 a\n", "error", "read TCP map reply from: malformed reply: 2000 a"},
      {"\x1b[2J\n", "error", "read TCP map reply from: malformed reply: _[2J"},
      {"caf\xc3\xa9\xff\n", "error", "read TCP map reply from: malformed reply: caf\xc3\xa9_"},
      {"300 x\n", "error", "read TCP map reply from: bad status code: 300 x"},
  };
  for (const auto& [reply, expected, warning] : kCases) {
    Conversation conversation({{.bytes = reply}});
    const auto value = conversation.table().lookup("k");
    EXPECT_EQ(value ? outcome(value) : "error", expected) << reply;
    EXPECT_TRUE(value || value.error().kind == ErrorKind::kTemporary) << reply;
    const std::vector<std::string> warnings =
        warning.empty() ? std::vector<std::string>() : std::vector<std::string>{std::string(warning)};
    EXPECT_EQ(conversation.warned(), warnings) << reply;
  }
}

TEST(TcpTable, EncodesTheKey) {
  Conversation conversation({{.bytes = "500 no\n"}});
  conversation.lookup("a b%\n\x7f");
  conversation.lookup("caf\xC3\xA9");
  conversation.lookup("joe+x@example.com");
  const std::vector<std::string> expected = {"(connection)", "get a%20b%25%0A%7F\n", "get caf%C3%A9\n",
                                             "get joe+x@example.com\n"};
  EXPECT_EQ(conversation.log(), expected);
}

TEST(TcpTable, LimitsTheReply) {
  EXPECT_EQ(Conversation({{.bytes = "200 " + std::string(4091, 'x') + "\n"}}).lookup("k"),
            std::string(4091, 'x'));
  Conversation tedious({{.bytes = "200 " + std::string(4092, 'x') + "\n"}});
  EXPECT_FALSE(tedious.table().lookup("k"));
  EXPECT_EQ(tedious.warned(), std::vector<std::string>(10, "read TCP map reply from: text longer than 4096"));
}

TEST(TcpTable, TriesTenTimesToConnect) {
  TableFixture fixture;
  const std::string name = "127.0.0.1:" + postkit_test::unused_port();
  const auto table = open_tcp(name, fixture.context, kQuick);
  ASSERT_TRUE(table);
  EXPECT_EQ((*table)->name(), "tcp:" + name);
  EXPECT_EQ(outcome((*table)->lookup("a")), "error: Connection refused");
  EXPECT_EQ(fixture.warned(),
            std::vector<std::string>(10, "connect to TCP map " + name + ": Connection refused"));
}

TEST(TcpTable, ConnectsAnewUntilItIsAnswered) {
  Conversation conversation(
      {{.bytes = "", .closes = true}, {.bytes = "200 par", .closes = true}, {"200 x\n"}});
  EXPECT_EQ(conversation.lookup("k"), "x");
  ASSERT_EQ(conversation.warned().size(), 2u);
  for (const std::string& warning : conversation.warned())
    EXPECT_TRUE(warning.starts_with("read TCP map reply from: unexpected EOF (")) << warning;
  EXPECT_EQ(conversation.log().size(), 6u);
}

TEST(TcpTable, NeverTakesASecondReplyForTheNextKey) {
  Conversation conversation({{"200 1\n200 2\n"}});
  EXPECT_EQ(conversation.lookup("a"), "1");
  EXPECT_EQ(conversation.lookup("b"), "1");
}

TEST(TcpTable, RefusesOtherNames) {
  TableFixture fixture;
  EXPECT_EQ(open_tcp("127.0.0.1", fixture.context).error().message,
            "127.0.0.1: garbage after numerical service");
  EXPECT_EQ(open_tcp("a:1:x", fixture.context).error().message,
            "a:1:x: valid hostname or network address required");
}

TEST(TcpEncoding, IsReadBack) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = libconf::random_bytes(random, 30);
    const std::string encoded = tcp_encode(text);
    EXPECT_EQ(tcp_decode(encoded), text);
    for (const char c : encoded) EXPECT_TRUE(c > ' ' && c < '\x7f');
  }
}

}  // namespace
}  // namespace libmaps
