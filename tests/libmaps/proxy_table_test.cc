#include "libmaps/proxy_table.h"

#include <gtest/gtest.h>

#include <mutex>

#include "libconf/text.h"
#include "libmaps/open.h"
#include "libmaps/proxy_protocol.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/proxy_listener.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using libconf::concat;
using postkit_test::outcome;
using postkit_test::ProxyThread;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;
using Strings = std::vector<std::string>;
using namespace std::string_literals;

/// A service that says what a test wants: after `greeting`, the answer of `script` to each request; nothing:
/// it closes.
class FakeService {
 public:
  using Script = std::function<std::optional<std::string>(const ProxyRequest& request)>;

  FakeService(const std::string& path, Script script, std::string greeting = proxy_greeting())
      : script_(std::move(script)),
        greeting_(std::move(greeting)),
        listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 8) != 0)
      throw std::runtime_error("cannot listen at " + path);
    thread_ = std::thread([this] { run(); });
  }
  FakeService(const FakeService&) = delete;
  FakeService& operator=(const FakeService&) = delete;
  ~FakeService() {
    stops_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (const int fd = client_; fd >= 0) ::shutdown(fd, SHUT_RDWR);
    thread_.join();
  }

  /// "(connection)", and for each request its kind and key.
  Strings log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }
  std::vector<std::uint32_t> flags() {
    const std::lock_guard lock(mutex_);
    return flags_;
  }

 private:
  void run() {
    while (!stops_) {
      const libconf::FileDescriptor fd(::accept(listener_.get(), nullptr, nullptr));
      if (!fd) return;
      client_ = fd.get();
      note("(connection)");
      if (!stops_) serve(fd.get());
      client_ = -1;
    }
  }

  void note(std::string line) {
    const std::lock_guard lock(mutex_);
    log_.push_back(std::move(line));
  }

  void serve(int fd) {
    send(fd, greeting_);
    std::string input;
    char block[4096];
    for (ssize_t count = 0; (count = ::recv(fd, block, sizeof block, 0)) > 0;) {
      input.append(block, static_cast<std::size_t>(count));
      const AttributeScan scan = scan_attributes(input);
      if (scan.state != AttributeScan::State::kComplete) continue;
      const std::optional<ProxyRequest> request = parse_request(scan.attributes);
      if (!request) return;
      input.clear();
      note(concat(to_string(request->kind), " ", request->key));
      {
        const std::lock_guard lock(mutex_);
        flags_.push_back(request->flags);
      }
      const std::optional<std::string> answer = script_(*request);
      if (!answer) return;
      send(fd, *answer);
    }
  }

  static void send(int fd, std::string_view bytes) {
    (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  Script script_;
  std::string greeting_;
  libconf::FileDescriptor listener_;
  std::atomic<bool> stops_ = false;
  std::atomic<int> client_ = -1;
  std::mutex mutex_;
  Strings log_;
  std::vector<std::uint32_t> flags_;
  std::thread thread_;
};

std::string reply_to(const ProxyRequest& request, ProxyReply reply) { return encode(reply, request.kind); }

/// Opens every table, which is of fixed strings, and then gives one answer.
FakeService::Script always(ProxyReply reply) {
  return [reply](const ProxyRequest& request) {
    const bool opens = request.kind == ProxyRequestKind::kOpen;
    return reply_to(request, opens ? ProxyReply{.flags = proxy_flag::kFixed} : reply);
  };
}

FakeService::Script always_bytes(std::optional<std::string> bytes) {
  return [bytes](const ProxyRequest& request) {
    if (request.kind != ProxyRequestKind::kOpen) return bytes;
    return std::optional(reply_to(request, {.flags = proxy_flag::kFixed}));
  };
}

/// A queue directory, and settings with it; a service that is silent is waited for for one second.
class ProxyTest : public testing::Test {
 protected:
  ProxyTest() { std::filesystem::create_directory(queue_.path("private")); }

  std::string socket(std::string_view service = "proxymap") const {
    return queue_.path("private/") + std::string(service);
  }

  Result<std::unique_ptr<Table>> open_table(std::string_view name) {
    return open(TableSpec{"proxy", name}, fixture_.context);
  }
  /// The first word of each warning is about where the service is; it is cut.
  Strings warned() const {
    Strings texts = fixture_.warned();
    const std::string path = queue_.path();
    for (std::string& text : texts)
      if (const std::size_t at = text.find(path); at != std::string::npos) text.replace(at, path.size(), "Q");
    return texts;
  }

  TempDirectory queue_;
  TableFixture fixture_{"queue_directory = " + queue_.path() + "\nipc_timeout = 1s\n"};
};

TEST_F(ProxyTest, AnswersAsTheTableBehindTheService) {
  const ProxyThread service(
      ProxyAccess::kRead, queue_.path(),
      "proxy_read_maps = proxy:inline:{joe=one} proxy:fail:x proxy:regexp:{{/J/ big}}\n");
  const auto table = open_table("inline:{joe=one}");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ((*table)->name(), "proxy:inline:{joe=one}");
  EXPECT_EQ(outcome((*table)->lookup("joe")), "one");
  EXPECT_EQ(outcome((*table)->lookup("JOE")), "one");
  EXPECT_EQ(outcome((*table)->lookup("ann")), "(none)");
  EXPECT_EQ(outcome((*open_table("fail:x"))->lookup("ann")), "error: Application error");
  EXPECT_EQ(outcome((*open_table("regexp:{{/J/ big}}"))->lookup("J")), "big");
}

TEST_F(ProxyTest, RefusesATableThatIsNotApproved) {
  const ProxyThread reading(ProxyAccess::kRead, queue_.path(), "proxy_read_maps =\n");
  const ProxyThread writing(ProxyAccess::kReadWrite, queue_.path(), "proxy_write_maps =\n");
  const auto table = open_table("static:x");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().kind, ErrorKind::kConfiguration);
  EXPECT_EQ(table.error().message, "proxymap service is not configured for table \"static:x\"");
  const auto writable = open_writable({"proxy", "static:x"}, IfAbsent::kFail, fixture_.context);
  ASSERT_FALSE(writable);
  EXPECT_EQ(writable.error().message, "proxywrite service is not configured for table \"static:x\"");
}

TEST_F(ProxyTest, IsNotOpenWithoutAService) {
  const auto table = open_table("static:x");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().kind, ErrorKind::kTemporary);
  EXPECT_EQ(table.error().message, "table proxy:static:x: open error: No such file or directory");
  EXPECT_EQ(warned(), Strings{"table proxy:static:x: service Q/private/proxymap: cannot connect: "
                              "No such file or directory"});
}

TEST_F(ProxyTest, OpensTheTableItselfWhereTheServiceIsBypassed) {
  fixture_.context.options.bypass_proxy = true;
  EXPECT_EQ(outcome((*open_table("static:x"))->lookup("a")), "x");
  EXPECT_EQ(outcome((*open_table("proxy:unionmap:{proxy:static:x,static:y}"))->lookup("a")), "x,y");
  EXPECT_EQ(outcome((*open_table("inline:{joe=one}"))->lookup("JOE")), "one");
  EXPECT_FALSE(open_table("nonsense"));
  EXPECT_TRUE(open_iterable({"proxy", "inline:{a=b}"}, fixture_.context));
  EXPECT_TRUE(open_writable({"proxy", "internal:x"}, IfAbsent::kFail, fixture_.context));
}

// What Postfix 3.7's postmap says of the same replies, where it does not wait without end.
TEST_F(ProxyTest, UnderstandsReplies) {
  const struct {
    ProxyReply reply;
    std::string_view expected;
    ErrorKind kind;
    std::string_view warning;
  } cases[] = {
      {{.status = 0, .value = "v"}, "v", {}, ""},
      {{.status = 0, .value = ""}, "", {}, ""},
      {{.status = 1}, "(none)", {}, ""},
      {{.status = 2}, "error: Application error", ErrorKind::kTemporary, ""},
      {{.status = 3},
       "error: ",
       ErrorKind::kConfiguration,
       "proxymap lookup failed for table \"static:x\" key \"k\": invalid request"},
      {{.status = 4},
       "error: ",
       ErrorKind::kConfiguration,
       "proxymap service is not configured for table \"static:x\""},
      {{.status = 5}, "error: ", ErrorKind::kConfiguration, ""},
      {{.status = 6},
       "error: Application error",
       ErrorKind::kTemporary,
       "proxymap lookup failed for table \"static:x\" key \"k\": unexpected reply status 6"},
  };
  for (const auto& [reply, expected, kind, warning] : cases) {
    const std::size_t before = warned().size();
    const FakeService service(socket(), always(reply));
    const auto table = open_table("static:x");
    ASSERT_TRUE(table);
    const auto value = (*table)->lookup("k");
    EXPECT_EQ(outcome(value), expected) << reply.status;
    if (!value) {
      EXPECT_EQ(value.error().kind, kind) << reply.status;
    }
    const Strings texts = warned();
    EXPECT_EQ(texts.size() - before, warning.empty() ? 0u : 1u) << reply.status;
    if (!warning.empty()) {
      EXPECT_EQ(texts.back(), warning);
    }
    ::unlink(socket().c_str());
  }
}

TEST_F(ProxyTest, NeverTakesAMalformedReplyForAnAnswer) {
  const std::string value = "status\0000\0value\0v\0\0"s;
  const struct {
    std::optional<std::string> bytes;
    std::string_view expected;
    std::string_view warning;
  } cases[] = {
      {"status\0000\0\0"s, "error: Application error", "malformed reply"},
      {"garbage\0\0\0"s, "error: Application error", "malformed reply"},
      {"status\0x\0value\0v\0\0"s, "error: Application error", "malformed reply"},
      {value + value, "error: Application error", "more than one reply"},
      {std::string(2 * kMaxProxyMessage, 'x'), "error: Application error", "reply without end"},
      {value.substr(0, 10), "error: Connection timed out", "Connection timed out"},
      {"", "error: Connection timed out", "Connection timed out"},
      {std::nullopt, "error: Application error", "unexpected disconnect"},
  };
  for (const auto& [bytes, expected, warning] : cases) {
    const FakeService service(socket(), always_bytes(bytes));
    const auto table = open_table("static:x");
    ASSERT_TRUE(table);
    const auto answer = (*table)->lookup("k");
    EXPECT_EQ(outcome(answer), expected) << warning;
    EXPECT_EQ(answer.error().kind, ErrorKind::kTemporary) << warning;
    EXPECT_EQ(warned().back(), concat("table proxy:static:x: service Q/private/proxymap: ", warning));
    ::unlink(socket().c_str());
  }
}

TEST_F(ProxyTest, TakesNobodyElseForAService) {
  for (const std::string& greeting : {"protocol\0other\0\0"s, "status\0000\0\0"s, "220 hello\r\n"s, ""s}) {
    const FakeService service(socket(), always({}), greeting);
    const auto table = open_table("static:x");
    ASSERT_FALSE(table) << greeting;
    EXPECT_EQ(table.error().kind, ErrorKind::kTemporary);
    ::unlink(socket().c_str());
  }
}

TEST_F(ProxyTest, AsksAgainWhereAnIdleServiceHasClosed) {
  int requests = 0;
  FakeService service(socket(), [&](const ProxyRequest& request) -> std::optional<std::string> {
    if (++requests == 3) return std::nullopt;
    return reply_to(request, {.value = "v"});
  });
  const auto table = open_table("static:x");
  EXPECT_EQ(outcome((*table)->lookup("a")), "v");
  EXPECT_EQ(outcome((*table)->lookup("b")), "v");
  const Strings expected = {"(connection)", "open ", "lookup a", "lookup b", "(connection)", "lookup b"};
  EXPECT_EQ(service.log(), expected);
  EXPECT_EQ(warned(), Strings());
}

TEST_F(ProxyTest, GivesUpAnIdleConnection) {
  TableFixture impatient("queue_directory = " + queue_.path() + "\nipc_idle = 1s\n");
  FakeService service(socket(), always({.value = "v"}));
  const auto table = open(TableSpec{"proxy", "static:x"}, impatient.context);
  EXPECT_EQ(outcome((*table)->lookup("a")), "v");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(outcome((*table)->lookup("b")), "v");
  const Strings expected = {"(connection)", "open ", "lookup a", "(connection)", "lookup b"};
  EXPECT_EQ(service.log(), expected);
}

// The flags of Postfix 3.7's postmap with the same options.
TEST_F(ProxyTest, SendsTheFlagsOfPostfix) {
  const struct {
    TableOptions options;
    std::uint32_t open;
    std::uint32_t lookup;
    std::string_view key;
  } cases[] = {
      {{.utf8 = true}, 0, 524353, "joe"},
      {{.fold_keys = false, .utf8 = true}, 0, 524353, "JOE"},
      {{}, 0, 16449, "JOE"},
      {{.fold_keys = false}, 0, 65, "JOE"},
      {{.utf8 = true, .null_termination = NullTermination::kAlways}, 8, 524361, "joe"},
      {{.utf8 = true, .null_termination = NullTermination::kNever}, 4, 524357, "joe"},
      {{.utf8 = true, .decode_files = true}, 2097152, 2621505, "joe"},
  };
  for (const auto& [options, open_flags, lookup_flags, key] : cases) {
    FakeService service(socket(), always({.value = "v"}));
    fixture_.context.options = options;
    const auto table = open_table("static:x");
    (void)(*table)->lookup("JOE");
    EXPECT_EQ(service.flags(), (std::vector<std::uint32_t>{open_flags, lookup_flags}));
    EXPECT_EQ(service.log().back(), concat("lookup ", key));
    ::unlink(socket().c_str());
  }
}

TEST_F(ProxyTest, DoesNotFoldForAPattern) {
  FakeService service(socket(), [](const ProxyRequest& request) {
    return reply_to(request, {.flags = proxy_flag::kPattern, .value = "v"});
  });
  fixture_.context.options.utf8 = true;
  (void)(*open_table("regexp:x"))->lookup("JOE");
  EXPECT_EQ(service.log().back(), "lookup JOE");
}

TEST_F(ProxyTest, ChangesWithoutReplacing) {
  const std::string name = "hash:" + queue_.path("t");
  const ProxyThread service(ProxyAccess::kReadWrite, queue_.path(),
                            "proxy_write_maps = proxy:" + name + "\n");
  const auto table = open_writable({"proxy", name}, IfAbsent::kFail, fixture_.context);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ((*table)->store("k", "1", false).value(), true);
  EXPECT_EQ((*table)->store("k", "2", false).value(), false);
  EXPECT_EQ((*table)->store("k", "3", true).value(), true);
  EXPECT_EQ((*table)->remove("k").value(), true);
  EXPECT_EQ((*table)->remove("k").value(), false);
}

// Postfix 3.7's words for a refusal, and the reason that it prints for other failures.
TEST_F(ProxyTest, UnderstandsRepliesToChanges) {
  const std::pair<std::uint32_t, std::string_view> cases[] = {
      {2, ""},
      {3, "proxywrite delete failed for table \"static:x\" key \"k\": invalid request"},
      {4, "proxywrite update access is not configured for table \"static:x\""},
      {5, ""},
      {6, "proxywrite delete failed for table \"static:x\" key \"k\": unexpected reply status 6"},
  };
  for (const auto& [status, warning] : cases) {
    const FakeService service(socket("proxywrite"), always({.status = status}));
    const std::size_t before = warned().size();
    const auto table = open_writable({"proxy", "static:x"}, IfAbsent::kFail, fixture_.context);
    ASSERT_TRUE(table);
    const Result<bool> removed = (*table)->remove("k");
    ASSERT_FALSE(removed) << status;
    EXPECT_EQ(removed.error().message, "Application error");
    EXPECT_EQ(warned().size() - before, warning.empty() ? 0u : 1u);
    if (!warning.empty()) {
      EXPECT_EQ(warned().back(), warning);
    }
    ::unlink(socket("proxywrite").c_str());
  }
}

TEST_F(ProxyTest, DoesNotGoOnWithAListThatTheServiceForgot) {
  FakeService service(socket(), [](const ProxyRequest& request) -> std::optional<std::string> {
    if (request.kind == ProxyRequestKind::kSequence && request.function == ProxySequence::kNext)
      return std::nullopt;
    return reply_to(request, {.key = "a", .value = "b"});
  });
  const auto table = open_iterable({"proxy", "hash:x"}, fixture_.context);
  ASSERT_TRUE(table);
  int visits = 0;
  const auto listed = (*table)->for_each([&](std::string_view, std::string_view) -> Result<void> {
    ++visits;
    return {};
  });
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().kind, ErrorKind::kTemporary);
  EXPECT_EQ(visits, 1);
}

TEST_F(ProxyTest, SendsNoNul) {
  FakeService service(socket(), always({.value = "v"}));
  const auto table = open_table("static:x");
  EXPECT_EQ(outcome((*table)->lookup("a\0b"s)), "error: Application error");
  EXPECT_FALSE(open_table("static:x\0y"s));
  EXPECT_EQ(service.log().size(), 2u);
}

}  // namespace
}  // namespace libmaps
