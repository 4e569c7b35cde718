#include "libmaps/socketmap_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "libmaps/socketmap_protocol.h"
#include "tests/libconf/random_bytes.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/scripted_server.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using namespace std::chrono_literals;
using postkit_test::outcome;
using postkit_test::ScriptedServer;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;
using Answer = ScriptedServer::Answer;

/// A server at a UNIX-domain socket that gives the same answer to every request.
class Conversation {
 public:
  explicit Conversation(Answer answer, std::string main_cf = "")
      : fixture_(std::move(main_cf)),
        server_(
            ',', [answer](const std::string&) { return answer; }, directory_.path("s")) {
    table_ = std::move(*open_socketmap("unix:" + directory_.path("s") + ":map", fixture_.context, 1s));
  }

  Table& table() { return *table_; }
  std::string lookup(std::string_view key) { return outcome(table_->lookup(key)); }
  std::vector<std::string> log() { return server_.log(); }

  /// The last warning, without the table's name.
  std::string warned() const {
    if (fixture_.warnings.items().empty()) return "";
    std::string text = fixture_.warnings.items().back().message;
    const std::size_t name = text.find(table_->name());
    return name == std::string::npos ? text : text.erase(name, table_->name().size());
  }

 private:
  TempDirectory directory_;
  TableFixture fixture_;
  ScriptedServer server_;
  std::unique_ptr<Table> table_;
};

// What Postfix 3.7 makes of the same replies.
TEST(Socketmap, UnderstandsReplies) {
  using namespace std::string_literals;
  static const struct {
    std::string reply;
    std::string_view expected;
    std::string_view warning;
  } kCases[] = {
      {"OK data", "data", ""},
      {"OK a b ", "a b ", ""},
      {"OK  two", " two", ""},
      {"OK ", "", ""},
      {"OK", "", ""},
      {"OK a\nb", "a\nb", ""},
      {"OK a\0b"s, "a", ""},
      {"NOTFOUND ", "(none)", ""},
      {"NOTFOUND", "(none)", ""},
      {"NOTFOUND because", "(none)", ""},
      {"TEMP some reason", "error: Application error", " socketmap server temporary error: some reason"},
      {"TEMP \x1b[2J", "error: Application error", " socketmap server temporary error: ?[2J"},
      {"PERM caf\xc3\xa9\xff", "error: ", " socketmap server permanent error: caf\xc3\xa9?"},
      {"TEMP ", "error: Application error", " socketmap server temporary error"},
      {"TIMEOUT tired", "error: Application error", " socketmap server timeout error: tired"},
      {"PERM denied", "error: ", " socketmap server permanent error: denied"},
      {"FOO bar", "error: Application error", " socketmap server unknown error: bar"},
      {"ok x", "error: Application error", " socketmap server unknown error: x"},
      {"", "error: Application error", " socketmap server unknown error"},
  };
  for (const auto& [reply, expected, warning] : kCases) {
    Conversation conversation({.bytes = netstring(reply)});
    EXPECT_EQ(conversation.lookup("k"), expected) << reply;
    EXPECT_EQ(conversation.warned(), warning) << reply;
  }
}

TEST(Socketmap, TellsAServerErrorThatLastsFromOneThatPasses) {
  Conversation lasting({.bytes = netstring("PERM no")});
  EXPECT_EQ(lasting.table().lookup("k").error().kind, ErrorKind::kConfiguration);
  Conversation passing({.bytes = netstring("TEMP no")});
  EXPECT_EQ(passing.table().lookup("k").error().kind, ErrorKind::kTemporary);
}

TEST(Socketmap, RefusesWhatIsNoReply) {
  static const struct {
    std::string bytes;
    std::string_view warning;
    int connections;
  } kCases[] = {
      {"abc", "table  lookup error: input format error", 1},
      {"3:OK x;", "table  lookup error: input format error", 1},
      {" 4:OK x,", "table  lookup error: input format error", 1},
      {":OK,", "table  lookup error: input format error", 1},
      {"-1:OK,", "table  lookup error: input format error", 1},
      {"000000000000000000000004:OK x,", "table  lookup error: input format error", 1},
      {"100001:OK", "table  lookup error: input exceeds size limit", 1},
      {"99999999999999999999:OK", "table  lookup error: input exceeds size limit", 1},
      {"10:OK", "table  lookup error: unexpected disconnect", 2},
      {"", "table  lookup error: unexpected disconnect", 2},
  };
  for (const auto& [bytes, warning, connections] : kCases) {
    Conversation conversation({.bytes = bytes, .closes = true});
    EXPECT_EQ(conversation.table().lookup("k").error().kind, ErrorKind::kTemporary) << bytes;
    EXPECT_EQ(conversation.warned(), warning) << bytes;
    const auto log = conversation.log();
    EXPECT_EQ(std::count(log.begin(), log.end(), "(connection)"), connections) << bytes;
  }
}

TEST(Socketmap, LimitsTheReply) {
  const std::string longest = netstring("OK " + std::string(99997, 'x'));
  EXPECT_EQ(Conversation({.bytes = longest}).lookup("k").size(), 99997u);
  Conversation small({.bytes = netstring("OK 12345678")}, "socketmap_max_reply_size = 10\n");
  EXPECT_EQ(small.lookup("k"), "error: Application error");
}

TEST(Socketmap, LimitsTheQuery) {
  Conversation small({.bytes = netstring("OK yes")}, "socketmap_max_query_size = 10\n");
  EXPECT_EQ(small.lookup("123456"), "yes");
  EXPECT_EQ(small.table().lookup("1234567").error().kind, ErrorKind::kConfiguration);
  EXPECT_EQ(small.warned(), " query of 11 bytes exceeds socketmap_max_query_size");
}

TEST(Socketmap, KeepsItsConnection) {
  Conversation conversation({.bytes = netstring("OK yes")});
  EXPECT_EQ(conversation.lookup("a"), "yes");
  EXPECT_EQ(conversation.lookup("b c"), "yes");
  const std::vector<std::string> expected = {"(connection)", "5:map a,", "7:map b c,"};
  EXPECT_EQ(conversation.log(), expected);
}

TEST(Socketmap, ConnectsAnewWhenTheServerHasClosed) {
  Conversation conversation({.bytes = netstring("OK yes"), .closes = true});
  EXPECT_EQ(conversation.lookup("a"), "yes");
  EXPECT_EQ(conversation.lookup("b"), "yes");
  EXPECT_EQ(conversation.warned(), "");
}

TEST(Socketmap, NeverTakesASecondReplyForTheNextKey) {
  Conversation conversation({.bytes = netstring("OK 1") + netstring("OK 2")});
  EXPECT_EQ(conversation.lookup("a"), "1");
  EXPECT_EQ(conversation.lookup("b"), "1");
}

TEST(Socketmap, GivesUpOnASilentServer) {
  Conversation conversation({});
  EXPECT_EQ(conversation.lookup("a"), "error: Connection timed out");
  EXPECT_EQ(conversation.warned(), "table  lookup error: time limit exceeded");
}

TEST(Socketmap, ReportsThatNobodyListens) {
  TableFixture fixture;
  auto table = open_socketmap("unix:./nosock:name", fixture.context);
  ASSERT_TRUE(table);
  EXPECT_EQ(outcome((*table)->lookup("a")), "error: No such file or directory");
  const std::string port = postkit_test::unused_port();
  table = open_socketmap("inet:127.0.0.1:" + port + ":name", fixture.context);
  EXPECT_EQ(outcome((*table)->lookup("a")), "error: Connection refused");
  const std::vector<std::string> expected = {
      "connect to ./nosock: No such file or directory",
      "table socketmap:unix:./nosock:name lookup error: No such file or directory",
      "connect to 127.0.0.1:" + port + ": Connection refused",
      "table socketmap:inet:127.0.0.1:" + port + ":name lookup error: Connection refused"};
  EXPECT_EQ(fixture.warned(), expected);
}

TEST(Socketmap, ReachesAServerOverTcp) {
  TableFixture fixture;
  ScriptedServer server(',', [](const std::string&) { return Answer{.bytes = netstring("OK tcp")}; });
  for (const std::string host : {"127.0.0.1:", "[127.0.0.1]:"}) {
    auto table = open_socketmap("inet:" + host + server.port() + ":m", fixture.context);
    EXPECT_EQ(outcome((*table)->lookup("a")), "tcp");
  }
}

TEST(Socketmap, RefusesOtherNames) {
  const std::map<std::string_view, std::string_view> cases = {
      {"nonsense", "socketmap requires server:socketmap argument"},
      {"unix:./sm", "need service transport:endpoint instead of \"unix\""},
      {"unix::x", "need service transport:endpoint instead of \"unix:\""},
      {":x", "need service transport:endpoint instead of \"\""},
      {"foo:bar:baz", "invalid transport name: foo in service: foo:bar"},
      {"inet:127.0.0.1:x", "127.0.0.1: garbage after numerical service"},
  };
  TableFixture fixture;
  for (const auto& [name, message] : cases) {
    const auto table = open_socketmap(name, fixture.context);
    ASSERT_FALSE(table) << name;
    EXPECT_EQ(table.error().message, message);
  }
}

TEST(Netstring, IsReadBackFromAnyPieces) {
  std::mt19937 random(2);
  for (int i = 0; i < 500; ++i) {
    const std::string payload = libconf::random_bytes(random, 40);
    const std::string text = netstring(payload) + libconf::random_bytes(random, 4);
    const std::size_t whole = netstring(payload).size();
    for (std::size_t length = 0; length <= text.size(); ++length) {
      const NetstringScan scan = scan_netstring(std::string_view(text).substr(0, length), 40);
      if (length < whole) {
        EXPECT_EQ(scan.state, NetstringScan::State::kIncomplete);
      } else {
        EXPECT_EQ(scan.state, NetstringScan::State::kComplete);
        EXPECT_EQ(scan.payload, payload);
        EXPECT_EQ(scan.length, whole);
      }
    }
  }
}

}  // namespace
}  // namespace libmaps
