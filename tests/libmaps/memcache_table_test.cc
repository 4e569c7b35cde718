#include "libmaps/memcache_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "libconf/text.h"
#include "libmaps/memcache_client.h"
#include "libmaps/open.h"
#include "tests/libconf/random_bytes.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/scripted_server.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using namespace std::chrono_literals;
using libconf::concat;
using postkit_test::outcome;
using postkit_test::ScriptedServer;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;
using Answer = ScriptedServer::Answer;
using State = MemcacheScan::State;
using Strings = std::vector<std::string>;

std::string value_reply(std::string_view key, std::string_view value) {
  return concat("VALUE ", key, " 0 ", std::to_string(value.size()), "\r\n", value, "\r\nEND\r\n");
}

/// A client of a server at a UNIX-domain socket; it tries twice, and does not pause for long.
class Conversation {
 public:
  explicit Conversation(ScriptedServer::Script script, int max_try = 2)
      : server_('\n', std::move(script), directory_.path("s")),
        client_({.endpoint = {.is_local = true, .host = directory_.path("s"), .service = {}, .text = "s"},
                 .timeout = 1s,
                 .retry_pause = 1ms,
                 .max_try = max_try,
                 .limits = {},
                 .entry = {.flags = 7, .ttl = 60}},
                "memcache:./m.cf", "./m.cf", warnings_) {}
  explicit Conversation(Answer answer, int max_try = 2)
      : Conversation([answer](const std::string&) { return answer; }, max_try) {}

  std::string get(const std::string& key) {
    const Strings keys = {key};
    return outcome(client_.get(keys).at(0));
  }
  MemcacheClient& client() { return client_; }
  Strings log() { return server_.log(); }
  Strings warned() const { return libconf::messages(warnings_); }

 private:
  TempDirectory directory_;
  libconf::DiagnosticList warnings_;
  ScriptedServer server_;
  MemcacheClient client_;
};

// As Postfix 3.7 has it, and stricter where that takes the value of another key, or what is no number.
TEST(MemcacheClient, UnderstandsRepliesToGet) {
  using namespace std::string_literals;
  const std::string unexpected = "./m.cf: unexpected memcache server reply: ";
  const std::string failed = "database memcache:./m.cf: I/O error";
  const std::string no_end = "./m.cf: EOF receiving memcache server reply";
  const struct {
    std::string reply;
    std::string expected;
    std::string warning;
  } kCases[] = {
      {"VALUE k 0 3\r\nabc\r\nEND\r\n", "abc", ""},
      {"VALUE k 4294967295 3 77\r\nabc\r\nEND\r\n", "abc", ""},
      {"VALUE k 0 3\nabc\r\nEND\n", "abc", ""},
      {"VALUE k 0 0\r\n\r\nEND\r\n", "", ""},
      {"VALUE k 0 3\r\na\nb\r\nEND\r\n", "a\nb", ""},
      {"VALUE k 0 5\r\nEND\r\n\r\nEND\r\n", "END\r\n", ""},
      {"VALUE k 0 3\r\na\0b\r\nEND\r\n"s, "a", ""},
      {"VALUE k 0 10240\r\n" + std::string(10240, 'x') + "\r\nEND\r\n", std::string(10240, 'x'), ""},
      {"END\r\n", "(none)", ""},
      {"END\n", "(none)", ""},
      {"END \r\n", "", unexpected + "END "},
      {"end\r\n", "", unexpected + "end"},
      {"VALUE j 0 3\r\nabc\r\nEND\r\n", "", unexpected + "VALUE j 0 3"},
      {"VALUE k 0 -3\r\nabc\r\nEND\r\n", "", unexpected + "VALUE k 0 -3"},
      {"VALUE k 0 3x\r\nabc\r\nEND\r\n", "", unexpected + "VALUE k 0 3x"},
      {"VALUE k 0\r\nabc\r\nEND\r\n", "", unexpected + "VALUE k 0"},
      {"VALUE k 0 99999999999999999999\r\n", "", unexpected + "VALUE k 0 99999999999999999999"},
      {"VALUE k 0 10241\r\n" + std::string(10241, 'x'), "", unexpected + "VALUE k 0 10241"},
      {"VALUE k 0 3\r\nabc\r\nVALUE k 0 3\r\nabc\r\nEND\r\n", "", unexpected + "VALUE k 0 3"},
      {"VALUE k 0 3\r\nabcd\r\nEND\r\n", "", no_end},
      {"VALUE k 0 3\r\nab\r\nEND\r\n", "", no_end},
      {"VALUE k 0 3\r\nabc\nEND\r\n", "", no_end},
      {"SERVER_ERROR out of memory\r\n", "", unexpected + "SERVER_ERROR out of memory"},
      {"HELLO \x1b\xff\r\n", "", unexpected + "HELLO ??"},
      {std::string(1023, 'x') + "\r\n", "", unexpected + std::string(1023, 'x')},
      {std::string(1024, 'x') + "\r\n", "", failed},
      {std::string(100'000, 'x'), "", failed},
      {"", "", failed},
      {"VALU", "", failed},
      {"VALUE k 0 3\r\nab", "", no_end},
      {"VALUE k 0 3\r\nabc\r\nEN", "", failed},
  };
  for (const auto& [reply, expected, warning] : kCases) {
    Conversation conversation(Answer{.bytes = reply, .closes = true});
    EXPECT_EQ(conversation.get("k"), warning.empty() ? expected : "error: Application error") << reply;
    EXPECT_EQ(conversation.warned(), warning.empty() ? Strings{} : Strings{warning}) << reply;
  }
}

TEST(MemcacheClient, WaitsForASilentServerOnlySoLong) {
  for (const char* bytes : {"", "VAL", "VALUE k 0 3\r\nab", "VALUE k 0 3\r\nabc\r\nEN"}) {
    Conversation conversation(Answer{.bytes = bytes}, 1);
    EXPECT_EQ(conversation.get("k"), "error: Connection timed out") << bytes;
    EXPECT_EQ(conversation.warned(), Strings{"database memcache:./m.cf: I/O error: Connection timed out"});
  }
}

TEST(MemcacheClient, TriesAgainOverANewConnection) {
  int requests = 0;
  Conversation conversation(
      [&](const std::string&) {
        return ++requests < 3 ? Answer{.bytes = "ERROR\r\n"} : Answer{.bytes = value_reply("k", "v")};
      },
      3);
  EXPECT_EQ(conversation.get("k"), "v");
  EXPECT_EQ(conversation.warned(), Strings{"./m.cf: unexpected memcache server reply: ERROR"});
  EXPECT_EQ(conversation.log(),
            (Strings{"(connection)", "get k\r\n", "(connection)", "get k\r\n", "(connection)", "get k\r\n"}));
}

TEST(MemcacheClient, DoesNotInsistWhereNobodyListens) {
  libconf::DiagnosticList warnings;
  MemcacheClient client(
      {.endpoint = {.is_local = true, .host = "./nosock", .service = {}, .text = "./nosock"},
       .limits = {},
       .entry = {}},
      "memcache:m", "m", warnings);
  const auto start = std::chrono::steady_clock::now();
  const Strings keys = {"k", "l"};
  const auto answers = client.get(keys);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(outcome(answers[0]), "error: No such file or directory");
  EXPECT_EQ(libconf::messages(warnings), Strings{"connect to ./nosock: No such file or directory"});
  EXPECT_LT(std::chrono::steady_clock::now() - start, 900ms);
}

/// Outcomes, with blanks between.
std::string get_all(MemcacheClient& client, std::span<const std::string> keys) {
  std::string text;
  for (const auto& answer : client.get(keys)) text += concat(text.empty() ? "" : " ", outcome(answer));
  return text;
}

std::string value_item(std::string_view key, std::string_view value) {
  const std::string reply = value_reply(key, value);
  return reply.substr(0, reply.size() - 5);
}

TEST(MemcacheClient, AsksForSeveralKeysAtOnce) {
  const struct {
    std::string reply;
    std::string_view expected;
  } kCases[] = {
      {"END\r\n", "(none) (none) (none)"},
      {value_item("a", "1") + value_item("b", "2") + value_reply("c", "3"), "1 2 3"},
      {value_reply("b", "2"), "(none) 2 (none)"},
      {value_item("c", "3") + value_reply("a", "1"), "1 (none) 3"},
      {value_item("b", "VALUE c 0 0") + value_reply("c", ""), "(none) VALUE c 0 0 "},
  };
  const Strings keys = {"a", "b", "c"};
  for (const auto& [reply, expected] : kCases) {
    Conversation conversation(Answer{.bytes = reply});
    EXPECT_EQ(get_all(conversation.client(), keys), expected) << reply;
    EXPECT_EQ(conversation.log(), (Strings{"(connection)", "get a b c\r\n"}));
  }
}

TEST(MemcacheClient, AsksOneByOneAfterAFailure) {
  Conversation conversation([](const std::string& request) {
    return Answer{.bytes = request.find('b') != std::string::npos ? "ERROR\r\n" : "END\r\n"};
  });
  const Strings keys = {"a", "b", "c", "d", "e"};
  EXPECT_EQ(get_all(conversation.client(), std::span(keys).first(3)), "(none)");
  EXPECT_EQ(conversation.warned(), Strings{});
  EXPECT_EQ(get_all(conversation.client(), std::span(keys).subspan(1)), "error: Application error");
  EXPECT_EQ(conversation.warned(), Strings{"./m.cf: unexpected memcache server reply: ERROR"});
  EXPECT_EQ(get_all(conversation.client(), std::span(keys).subspan(2)), "(none)");
  EXPECT_EQ(get_all(conversation.client(), std::span(keys).subspan(3)), "(none) (none)");
  EXPECT_EQ(conversation.log(),
            (Strings{"(connection)", "get a b c\r\n", "(connection)", "get a\r\n", "get b\r\n",
                     "(connection)", "get b\r\n", "(connection)", "get c\r\n", "get d e\r\n"}));
}

TEST(MemcacheClient, RefusesValuesThatItDidNotAskFor) {
  for (const std::string& reply : {value_reply("x", "1"), value_item("a", "1") + value_reply("a", "1"),
                                   value_item("a", "1") + value_reply("x", "1")}) {
    Conversation conversation(Answer{.bytes = reply});
    EXPECT_EQ(get_all(conversation.client(), Strings{"a", "b"}), "error: Application error") << reply;
  }
}

TEST(MemcacheClient, AsksForEachKeyOnceInARequest) {
  Conversation conversation(Answer{.bytes = "END\r\n"});
  const std::string longest(250, 'x');
  const Strings keys = {"a", "b", "a", "c", longest + "x", longest, "d"};
  for (std::span<const std::string> rest = keys; !rest.empty();)
    rest = rest.subspan(conversation.client().get(rest).size());
  EXPECT_EQ(conversation.log(), (Strings{"(connection)", "get a b\r\n", "get a c\r\n",
                                         "get " + longest + "x\r\n", "get " + longest + " d\r\n"}));
}

TEST(MemcacheClient, NeverTakesAReplyForAnotherKey) {
  Conversation conversation(Answer{.bytes = value_reply("a", "1") + "END\r\n"});
  EXPECT_EQ(conversation.get("a"), "1");
  EXPECT_EQ(conversation.get("b"), "error: Application error");
}

TEST(MemcacheClient, Changes) {
  static constexpr struct {
    std::string_view reply;
    std::string_view stored;
    std::string_view removed;
  } kCases[] = {
      {"STORED", "yes", "error: delete failed: STORED"},
      {"DELETED", "error: update failed: DELETED", "yes"},
      {"NOT_FOUND", "error: update failed: NOT_FOUND", "no"},
      {"NOT_STORED", "no", "error: delete failed: NOT_STORED"},
      {"SERVER_ERROR x", "error: update failed: SERVER_ERROR x", "error: delete failed: SERVER_ERROR x"},
      {"DELETED ", "error: update failed: DELETED ", "error: delete failed: DELETED "},
      {"", "error: update failed: ", "error: delete failed: "},
  };
  for (const auto& [reply, stored, removed] : kCases) {
    const auto result = [&reply = reply](bool removes) {
      // A value has lines of its own: the server answers to the request's last.
      Conversation conversation([&reply](const std::string& request) {
        return Answer{.bytes = request.starts_with("add") ? "" : concat(reply, "\r\n")};
      });
      const Result<bool> done =
          removes ? conversation.client().remove("k") : conversation.client().set("k", "v", true);
      if (done) return std::string(*done ? "yes" : "no");
      EXPECT_EQ(conversation.warned().size(), 1u);
      const std::string start = "database memcache:./m.cf: ";
      return concat("error: ", conversation.warned().at(0).substr(start.size()));
    };
    EXPECT_EQ(result(false), stored) << reply;
    EXPECT_EQ(result(true), removed) << reply;
  }
}

TEST(MemcacheClient, AnEmptyReplyIsNotARefusal) {
  Conversation conversation(
      [](const std::string& request) { return Answer{.bytes = request.starts_with("set") ? "" : "\r\n"}; });
  EXPECT_FALSE(conversation.client().set("k", "v", false));
}

TEST(MemcacheRequests, AreWhatTheProtocolHas) {
  EXPECT_EQ(memcache_get(Strings{"k"}), "get k\r\n");
  EXPECT_EQ(memcache_get(Strings{"k", "l", "m"}), "get k l m\r\n");
  EXPECT_EQ(memcache_delete("k"), "delete k\r\n");
  EXPECT_EQ(memcache_set("k", "v\r\n", {.flags = -1, .ttl = 60}, false), "set k -1 60 3\r\nv\r\n\r\n");
  EXPECT_EQ(memcache_set("k", "", {}, true), "add k 0 3600 0\r\n\r\n");
}

TEST(MemcacheRequests, HaveKeysWithoutWhiteSpace) {
  using namespace std::string_literals;
  for (const std::string& key : {"a"s, "\x01"s, "a\x7f"s, "\xc3\xa9"s, "a@b\x1f"s})
    EXPECT_TRUE(is_memcache_key(key)) << key;
  for (const std::string& key : {""s, " "s, "a b"s, "a\tb"s, "a\n"s, "\va"s, "\f"s, "a\r"s, "a\0b"s})
    EXPECT_FALSE(is_memcache_key(key)) << key;
}

TEST(MemcacheScan, ReadsItemsInAnyPieces) {
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    const std::string value = libconf::random_bytes(random, 60);
    const std::string item = value_item("key", value);
    const std::string text = item + libconf::random_bytes(random, 6);
    for (std::size_t length = 0; length <= text.size(); ++length) {
      const MemcacheScan scan = scan_memcache_item(std::string_view(text).substr(0, length), {});
      if (length < item.size()) {
        ASSERT_EQ(scan.state, State::kIncomplete) << text;
      } else {
        ASSERT_EQ(scan.state, State::kValue) << text;
        ASSERT_EQ(scan.key, "key");
        ASSERT_EQ(scan.text, value);
        ASSERT_EQ(scan.length, item.size());
      }
    }
  }
}

/// A table whose server does as memcached does with get, set, add and delete, and remembers.
class MemcacheTableTest : public testing::Test {
 protected:
  ScriptedServer::Script memory() {
    return [this](const std::string& line) -> Answer {
      std::string_view rest = std::string_view(line).substr(0, line.size() - 2);
      if (!pending_.empty()) {
        entries_[std::exchange(pending_, "")] = rest;
        return {.bytes = "STORED\r\n"};
      }
      const std::string command(libconf::next_word(rest, " ").value());
      if (command == "get") return {.bytes = values_of(rest)};
      const std::string key(libconf::next_word(rest, " ").value());
      if (command == "delete") return {.bytes = entries_.erase(key) == 1 ? "DELETED\r\n" : "NOT_FOUND\r\n"};
      pending_ = key;
      return {};
    };
  }

  std::string values_of(std::string_view keys) {
    std::string reply;
    while (const auto key = libconf::next_word(keys, " "))
      if (const auto found = entries_.find(std::string(*key)); found != entries_.end())
        reply += value_item(found->first, found->second);
    return reply + "END\r\n";
  }

  std::string spec(std::string_view settings) {
    directory_.write("m.cf", concat("memcache = unix:", directory_.path("s"), "\n", settings));
    return concat("memcache:", directory_.path("m.cf"));
  }
  std::unique_ptr<Table> open_table(std::string_view settings) {
    auto table = open(spec(settings), fixture_.context);
    EXPECT_TRUE(table) << table.error().message;
    return std::move(*table);
  }
  std::string open_error(std::string_view settings) {
    const auto table = open(spec(settings), fixture_.context);
    if (table) return "";
    std::string message = table.error().message;
    if (const auto file = message.find(directory_.path("m.cf")); file != std::string::npos)
      message.replace(file, directory_.path("m.cf").size(), "FILE");
    return message;
  }

  TempDirectory directory_;
  TableFixture fixture_;
  std::map<std::string, std::string> entries_;
  std::string pending_;  ///< The key of a value that comes.
};

TEST_F(MemcacheTableTest, AsksForKeysInTheirFormat) {
  entries_ = {{"p:joe", "1"}, {"p:x@example.com", "2"}};
  const ScriptedServer server('\n', memory(), directory_.path("s"));
  const auto table = open_table("key_format = p:%s\n");
  EXPECT_EQ(outcome(table->lookup("Joe")), "1");
  EXPECT_EQ(outcome(table->lookup("x@example.com")), "2");
  EXPECT_EQ(outcome(table->lookup("y")), "(none)");
}

TEST_F(MemcacheTableTest, PassesOverKeysThatItCannotAskFor) {
  ScriptedServer server('\n', memory(), directory_.path("s"));
  auto table = open_table("backup = static:all\nkey_format = %u\n");
  for (const char* key : {"", "a b", "a\tb", "a\nset k 0 0 1", "@example.com"})
    EXPECT_EQ(outcome(table->lookup(key)), "(none)") << key;
  table = open_table("backup = static:all\ndomain = example.com\n");
  for (const char* key : {"a", "a@example.org", "@example.com"})
    EXPECT_EQ(outcome(table->lookup(key)), "(none)") << key;
  EXPECT_EQ(server.log(), Strings{});
  EXPECT_EQ(outcome(table->lookup("a@example.com")), "all");
}

TEST_F(MemcacheTableTest, FillsTheServerFromTheBackup) {
  entries_ = {{"a", "cached"}};
  ScriptedServer server('\n', memory(), directory_.path("s"));
  const auto table = open_table("backup = inline:{ { a = 1 }, { b = 2 } }\nttl = 99\nflags = 5\n");
  for (const char* key : {"a", "b", "c", "b", "d"}) table->expect(key);
  for (const auto& [key, value] :
       {std::pair("a", "cached"), {"b", "2"}, {"c", "(none)"}, {"b", "2"}, {"d", "(none)"}})
    EXPECT_EQ(outcome(table->lookup(key)), value);
  EXPECT_EQ(entries_["b"], "2");
  const Strings log = server.log();
  EXPECT_NE(std::find(log.begin(), log.end(), "set b 5 99 1\r\n"), log.end());
  EXPECT_EQ(fixture_.warned(), Strings{});
}

TEST_F(MemcacheTableTest, AsksTheBackupWhenTheServerIsAway) {
  const auto table = open_table("backup = inline:{ {a = 1} }\n");
  EXPECT_EQ(outcome(table->lookup("a")), "1");
  EXPECT_EQ(outcome(table->lookup("b")), "(none)");
  EXPECT_EQ(fixture_.warned(),
            Strings(3, concat("connect to ", directory_.path("s"), ": No such file or directory")));
}

TEST_F(MemcacheTableTest, CannotTellWhenTheBackupCannot) {
  const ScriptedServer server('\n', memory(), directory_.path("s"));
  const auto table = open_table("backup = fail:x\n");
  EXPECT_EQ(outcome(table->lookup("a")), "error: Application error");
}

TEST_F(MemcacheTableTest, CannotTellWithoutServerAndBackup) {
  const auto table = open_table("");
  for (const char* key : {"a b", "a", "b"}) table->expect(key);
  EXPECT_EQ(outcome(table->lookup("a b")), "(none)");
  EXPECT_EQ(fixture_.warned(), Strings{});
  const auto answer = table->lookup("a");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTemporary);
}

TEST_F(MemcacheTableTest, ChangesServerAndBackup) {
  const ScriptedServer server('\n', memory(), directory_.path("s"));
  auto table = open_writable(*parse_spec(spec("backup = internal:x\nkey_format = p:%d\n"), ""),
                             IfAbsent::kFail, fixture_.context);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_TRUE((*table)->store("u@a", "1", false).value());
  EXPECT_EQ(entries_["p:a"], "1");
  EXPECT_FALSE((*table)->store("u@a", "2", false).value());
  EXPECT_EQ(entries_["p:a"], "1");
  EXPECT_TRUE((*table)->store("u@a", "2", true).value());
  EXPECT_EQ(entries_["p:a"], "2");
  EXPECT_FALSE((*table)->store("plain", "1", true).value());
  EXPECT_EQ(fixture_.warned().size(), 1u);
  EXPECT_FALSE((*table)->remove("plain").value());
  EXPECT_TRUE((*table)->remove("u@a").value());
  EXPECT_TRUE(entries_.empty());
  entries_ = {{"p:a", "stray"}};
  EXPECT_FALSE((*table)->remove("u@a").value()) << "what the backup says counts";
  EXPECT_TRUE(entries_.empty());
  EXPECT_TRUE((*table)->finish());
}

TEST_F(MemcacheTableTest, ListsTheBackup) {
  const auto list = [&](std::string_view settings) {
    auto table = open_iterable(*parse_spec(spec(settings), ""), fixture_.context);
    if (!table) return table.error().message;
    std::string text;
    const Result<void> done =
        (*table)->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
          text += concat(key, "=", value, ";");
          return {};
        });
    return done ? text : done.error().message;
  };
  EXPECT_EQ(list("backup = inline:{ {a = 1}, {b = 2} }\n"), "a=1;b=2;");
  EXPECT_EQ(list("backup = fail:x\n"), "Application error");
  EXPECT_EQ(list("backup = static:x\n"), "table static:x: sequence operation is not supported");
  EXPECT_EQ(fixture_.warned(), Strings{});
  EXPECT_EQ(list(""), "");
  EXPECT_EQ(fixture_.warned(),
            Strings{concat("database ", spec(""), ": first/next support requires backup database")});
}

TEST_F(MemcacheTableTest, AnswersAlsoWhereItLists) {
  entries_ = {{"a", "cached"}};
  auto table =
      open_iterable(*parse_spec(spec("backup = inline:{ {a = 1}, {b = 2} }\n"), ""), fixture_.context);
  ASSERT_TRUE(table);
  const ScriptedServer server('\n', memory(), directory_.path("s"));
  EXPECT_EQ(outcome((*table)->lookup("a")), "cached");
  EXPECT_EQ(outcome((*table)->lookup("b")), "2");
}

// The order is Postfix's.
TEST_F(MemcacheTableTest, RefusesBadSettings) {
  const std::map<std::string_view, std::string_view> cases = {
      {"timeout = x\nttl = x\n", "FILE: bad numerical configuration: timeout = x"},
      {"ttl = 1h\nflags = x\n", "FILE: bad numerical configuration: ttl = 1h"},
      {"flags =\nretry_pause = 0\n", "FILE: bad numerical configuration: flags = "},
      {"retry_pause = 0\nmax_try = 0\n", "FILE: invalid retry_pause parameter value 0 < 1"},
      {"max_try = -1\nline_size_limit = 0\n", "FILE: invalid max_try parameter value -1 < 1"},
      {"line_size_limit = 0\ndata_size_limit = 0\n", "FILE: invalid line_size_limit parameter value 0 < 1"},
      {"data_size_limit = 0\nmemcache = x\n", "FILE: invalid data_size_limit parameter value 0 < 1"},
      {"memcache = localhost:1\nbackup = x\n", "invalid transport name: localhost in service: localhost:1"},
      {"memcache =\n", "need service transport:endpoint instead of \"\""},
      {"backup = x\nkey_format = %q\n", "open dictionary: expecting \"type:name\" form instead of \"x\""},
      {"backup = nosuch:x\n", "unsupported dictionary type: nosuch"},
      {"key_format = %q\ndomain = nosuch:x\n", "db_common_parse: FILE: Invalid query template: %q"},
      {"domain = nosuch:x\n", "unsupported dictionary type: nosuch"},
      {"timeout = 0\nttl = -1\nflags = -1\nkey_format =\nbackup =\nmax_try = 1000\n", ""},
  };
  for (const auto& [settings, message] : cases) EXPECT_EQ(open_error(settings), message) << settings;
}

}  // namespace
}  // namespace libmaps
