#include "libmaps/proxy_server.h"

#include <gtest/gtest.h>

#include <random>

#include "libmaps/open.h"
#include "tests/libconf/random_bytes.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using namespace std::string_literals;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;
using Kind = ProxyRequestKind;
using Strings = std::vector<std::string>;

/// A service with one session, in memory.
class Service {
 public:
  explicit Service(ProxyAccess access, std::string main_cf)
      : fixture_(std::move(main_cf)), service_(*ProxyService::make(access, fixture_.context)) {}

  ProxySession::Output send(std::string_view bytes) { return session_.receive(*service_, bytes); }
  ProxyReply ask(const ProxyRequest& request) {
    const std::string bytes = send(encode(request)).bytes;
    const AttributeScan scan = scan_attributes(bytes);
    EXPECT_EQ(scan.length, bytes.size()) << "one reply";
    return parse_reply(scan.attributes, request.kind).value_or(ProxyReply{.status = 999});
  }
  std::string lookup(const std::string& table, const std::string& key, std::uint32_t flags = 0) {
    const ProxyReply reply = ask({.kind = Kind::kLookup, .table = table, .flags = flags, .key = key});
    return std::to_string(reply.status) + " " + reply.value;
  }
  std::uint32_t update(const std::string& table, const std::string& key, const std::string& value) {
    return ask({.kind = Kind::kUpdate, .table = table, .key = key, .value = value}).status;
  }
  std::uint32_t remove(const std::string& table, const std::string& key) {
    return ask({.kind = Kind::kDelete, .table = table, .key = key}).status;
  }
  ProxyService& service() { return *service_; }
  Strings warned() const { return fixture_.warned(); }

 private:
  TableFixture fixture_;
  std::unique_ptr<ProxyService> service_;
  ProxySession session_;
};

// What Postfix 3.7's proxymap opens of the same list, and what it denies.
TEST(ProxyServer, ApprovesWhatTheListNames) {
  const auto approved = approved_tables(
      "proxy:unix:passwd.byname, hash:/not/proxied, proxy:unionmap:{proxy:static:x,static:y} "
      "proxy:static:q1,proxy:static:q2 proxy:proxy:static:q3 {proxy:static:q4} "
      "check_x {proxy:static:q5, defer} {{proxy:static:q6}} \"proxy:static:q7\" PROXY:static:q8 "
      "proxy:static:{a b} (proxy:static:q9)");
  const Strings expected = {"static:q1",
                            "static:q2",
                            "static:q3",
                            "static:q4",
                            "static:q5",
                            "static:{a b}",
                            "unionmap:{proxy:static:x,static:y}",
                            "unix:passwd.byname"};
  EXPECT_EQ(Strings(approved.begin(), approved.end()), expected);
  EXPECT_TRUE(approved_tables("").empty());
}

TEST(ProxyServer, ExpandsTheList) {
  Service service(ProxyAccess::kRead,
                  "proxy_read_maps = $local_recipient_maps $mine\nmine = proxy:static:yes\n"
                  "local_recipient_maps = proxy:inline:{a=b}, static:no\n");
  EXPECT_EQ(service.lookup("inline:{a=b}", "a"), "0 b");
  EXPECT_EQ(service.lookup("static:yes", "a"), "0 yes");
  EXPECT_EQ(service.lookup("static:no", "a"), "4 ");
}

TEST(ProxyServer, AnswersLookups) {
  Service service(
      ProxyAccess::kRead,
      "proxy_read_maps = proxy:inline:{joe=one} proxy:fail:x proxy:nosuch:x proxy:hash:/not/there "
      "proxy:regexp:{{/^a/ b}} proxy:unionmap:{proxy:static:x,static:y}\n");
  EXPECT_EQ(service.lookup("inline:{joe=one}", "joe"), "0 one");
  EXPECT_EQ(service.lookup("proxy:inline:{joe=one}", "joe"), "0 one");
  EXPECT_EQ(service.lookup("inline:{joe=one}", "ann"), "1 ");
  EXPECT_EQ(service.lookup("fail:x", "joe"), "2 ");
  EXPECT_EQ(service.lookup("nosuch:x", "joe"), "2 ");
  EXPECT_EQ(service.lookup("hash:/not/there", "joe"), "2 ");
  EXPECT_EQ(service.lookup("regexp:{{/^a/ b}}", "ann"), "0 b");
  EXPECT_EQ(service.lookup("unionmap:{proxy:static:x,static:y}", "a"), "0 x,y");
}

TEST(ProxyServer, FoldsKeysWhereTheClientAsksForIt) {
  Service service(ProxyAccess::kRead, "proxy_read_maps = proxy:inline:{joe=one} proxy:pcre:{{/J/ yes}}\n");
  EXPECT_EQ(service.lookup("inline:{joe=one}", "JOE", proxy_flag::kFoldFixed), "0 one");
  EXPECT_EQ(service.lookup("inline:{joe=one}", "JOE"), "1 ");
  EXPECT_EQ(service.lookup("inline:{joe=one}", "JOE", proxy_flag::kUtf8), "1 ");
}

TEST(ProxyServer, SaysWhatTheKeysAre) {
  Service service(ProxyAccess::kRead,
                  "proxy_read_maps = proxy:static:x proxy:regexp:{{/a/ b}} proxy:hash:/not/there\n");
  const auto flags = [&](const std::string& table) {
    const ProxyReply reply = service.ask({.kind = Kind::kOpen, .table = table});
    EXPECT_TRUE(reply.has(ProxyStatus::kOk)) << table;
    return reply.flags & (proxy_flag::kFixed | proxy_flag::kPattern);
  };
  EXPECT_EQ(flags("static:x"), proxy_flag::kFixed);
  EXPECT_EQ(flags("regexp:{{/a/ b}}"), proxy_flag::kPattern);
  EXPECT_EQ(flags("hash:/not/there"), proxy_flag::kPattern);
}

// The texts of Postfix 3.7's log.
TEST(ProxyServer, WarnsAsPostfix) {
  Service service(ProxyAccess::kRead, "proxy_read_maps = proxy:hash:/not/there\n");
  service.lookup("static:x", "a");
  service.update("hash:/not/there", "a", "b");
  service.remove("hash:/not/there", "a");
  service.lookup("hash:/not/there", "a");
  const Strings expected = {
      "request for unapproved table: \"static:x\"",
      "to approve this table for read-only access, list proxy:static:x in main.cf:proxy_read_maps",
      "refusing hash:/not/there update request on non-proxywrite service",
      "refusing hash:/not/there delete request on non-proxywrite service",
      "hash:/not/there is unavailable. open database /not/there.db: No such file or directory"};
  EXPECT_EQ(service.warned(), expected);
}

TEST(ProxyServer, KeepsReadersFromChanges) {
  TempDirectory directory;
  const std::string table = "hash:" + directory.path("t");
  Service reader(ProxyAccess::kRead,
                 "proxy_read_maps = proxy:" + table + "\nproxy_write_maps = proxy:" + table);
  EXPECT_EQ(reader.update(table, "a", "b"), 4u);
  EXPECT_EQ(reader.remove(table, "a"), 4u);
  EXPECT_FALSE(directory.has("t.db"));
}

TEST(ProxyServer, KeepsWritersToTheirTables) {
  TempDirectory directory;
  const std::string table = "hash:" + directory.path("t");
  Service writer(ProxyAccess::kReadWrite, "proxy_read_maps = proxy:" + table + "\nproxy_write_maps =\n");
  EXPECT_EQ(writer.update(table, "a", "b"), 4u);
  EXPECT_EQ(writer.lookup(table, "a"), "4 ");
  EXPECT_EQ(writer.ask({.kind = Kind::kSequence, .table = table}).status, 4u);
  EXPECT_FALSE(directory.has("t.db"));
}

TEST(ProxyServer, ChangesTables) {
  TempDirectory directory;
  for (const std::string type : {"hash", "btree", "lmdb"}) {
    const std::string table = type + ":" + directory.path(type);
    Service service(ProxyAccess::kReadWrite, "proxy_write_maps = proxy:" + table + " proxy:inline:{a=b}\n");
    EXPECT_EQ(service.lookup(table, "k"), "1 ") << type;
    EXPECT_EQ(service.update(table, "k", "v1"), 0u);
    EXPECT_EQ(service.lookup(table, "k"), "0 v1");
    EXPECT_EQ(service.update(table, "k", "v2"), 0u);
    EXPECT_EQ(service.lookup(table, "k"), "0 v2");
    EXPECT_EQ(service.remove(table, "k"), 0u);
    EXPECT_EQ(service.remove(table, "k"), 1u);
    EXPECT_EQ(service.lookup(table, "k"), "1 ");
    EXPECT_EQ(service.update("inline:{a=b}", "k", "v"), 2u);
  }
}

TEST(ProxyServer, ListsATableWhileItsEntriesAreDeleted) {
  TempDirectory directory;
  const std::string table = "btree:" + directory.path("t");
  Service service(ProxyAccess::kReadWrite, "proxy_write_maps = proxy:" + table + "\n");
  for (const std::string key : {"a", "b", "c"}) ASSERT_EQ(service.update(table, key, key + key), 0u);
  ProxyRequest request{.kind = Kind::kSequence, .table = table};
  for (int round = 0; round < 2; ++round) {
    std::string seen;
    request.function = ProxySequence::kFirst;
    for (ProxyReply reply = service.ask(request); reply.has(ProxyStatus::kOk); reply = service.ask(request)) {
      seen += reply.key + "=" + reply.value + " ";
      EXPECT_EQ(service.remove(table, reply.key), 0u);
      request.function = ProxySequence::kNext;
    }
    EXPECT_EQ(seen, round == 0 ? "a=aa b=bb c=cc " : "");
    EXPECT_EQ(service.ask(request).status, 1u);
  }
}

TEST(ProxyServer, DoesNotListWhatCannotBe) {
  Service service(ProxyAccess::kRead, "proxy_read_maps = proxy:static:x\n");
  EXPECT_EQ(service.ask({.kind = Kind::kSequence, .table = "static:x"}).status, 5u);
  EXPECT_EQ(service.lookup("static:x", "k"), "0 x");
}

TEST(ProxyServer, SharesItsTables) {
  Service service(ProxyAccess::kRead, "proxy_read_maps = proxy:randmap:{a} proxy:fail:x\n");
  ProxySession other;
  const std::string request = encode(ProxyRequest{.kind = Kind::kLookup, .table = "randmap:{a}", .key = "k"});
  EXPECT_EQ(service.send(request).bytes, other.receive(service.service(), request).bytes);
}

// The replies of Postfix 3.7.
TEST(ProxyServer, AnswersMalformedRequests) {
  const struct {
    std::string request;
    std::string reply;
  } cases[] = {
      {"request\0frob\0table\0static:x\0flags\0000\0key\0joe\0\0"s, "status\0003\0\0"s},
      {"request\0open\0table\0static:x\0\0"s, "status\0003\0flags\0000\0\0"s},
      {"request\0lookup\0table\0static:x\0flags\0000\0\0"s, "status\0003\0value\0\0\0"s},
      {"request\0sequence\0table\0static:x\0flags\0000\0function\0002\0\0"s,
       "status\0003\0key\0\0value\0\0\0"s},
      {"\0"s, ""},
  };
  Service service(ProxyAccess::kRead, "proxy_read_maps = proxy:static:x\n");
  for (const auto& [request, reply] : cases) {
    const ProxySession::Output output = service.send(request);
    EXPECT_EQ(output.bytes, reply) << request;
    EXPECT_FALSE(output.closes);
    EXPECT_EQ(service.lookup("static:x", "k"), "0 x") << "the session goes on";
  }
}

TEST(ProxyServer, EndsASessionWithARequestWithoutEnd) {
  Service service(ProxyAccess::kRead, "");
  EXPECT_FALSE(service.send(std::string(kMaxProxyMessage - 1, 'x')).closes);
  EXPECT_TRUE(service.send("x").closes);
}

TEST(ProxyServer, AnswersAnyPieces) {
  std::mt19937 random(3);
  std::string requests, expected;
  Service whole(ProxyAccess::kRead, "proxy_read_maps = proxy:static:x\n");
  for (int i = 0; i < 50; ++i) {
    std::string key = libconf::random_bytes(random, 10);
    std::erase(key, '\0');
    const std::string request = encode(ProxyRequest{.kind = Kind::kLookup, .table = "static:x", .key = key});
    requests += request;
    expected += whole.send(request).bytes;
  }
  for (int round = 0; round < 20; ++round) {
    Service pieces(ProxyAccess::kRead, "proxy_read_maps = proxy:static:x\n");
    std::string seen;
    for (std::size_t i = 0; i < requests.size();) {
      const std::size_t length = 1 + random() % 30;
      seen += pieces.send(std::string_view(requests).substr(i, length)).bytes;
      i += length;
    }
    EXPECT_EQ(seen, expected);
  }
}

}  // namespace
}  // namespace libmaps
