// A server that says what it is told to say; the real one is asked in tests/integration/sasl_test.py.
#include "tools/mta/sasl/dovecot_client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/detached.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <filesystem>
#include <functional>

#include "tests/tools/mta/coroutine.h"

namespace mta {
namespace {

using libconf::Result;
using Kind = SaslAnswer::Kind;
using namespace std::chrono_literals;
using Socket = asio::local::stream_protocol::socket;

constexpr const char* kHandshake =
    "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nMECH\tSCRAM-SHA-256\tmutual-auth\n"
    "SPID\t1\nCUID\t1\nCOOKIE\tc\nDONE\n";

class DovecotClientTest : public testing::Test {
 protected:
  DovecotClientTest()
      : directory_(std::filesystem::temp_directory_path() / ("pk-dovecot-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(directory_);
    listen();
    settings_.path = path();
    settings_.service = "smtp";
  }
  ~DovecotClientTest() override {
    client_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string path() const { return (directory_ / "auth").string(); }

  void listen() {
    std::filesystem::remove(path());
    acceptor_.emplace(io_, asio::local::stream_protocol::endpoint(path()));
    asio::co_spawn(io_, accept(*acceptor_), asio::detached);
  }

  /// Closes all connections, and takes no more.
  void stop_server() {
    acceptor_.reset();
    std::filesystem::remove(path());
    for (const std::shared_ptr<Socket>& socket : sockets_) socket->close();
  }

  asio::awaitable<void> accept(asio::local::stream_protocol::acceptor& acceptor) {
    while (true) {
      asio::error_code failure;
      auto socket = std::make_shared<Socket>(io_);
      co_await acceptor.async_accept(*socket, asio::redirect_error(asio::use_awaitable, failure));
      if (failure) co_return;
      ++connections_;
      sockets_.push_back(socket);
      asio::co_spawn(io_, serve(socket), asio::detached);
    }
  }

  asio::awaitable<void> serve(std::shared_ptr<Socket> socket) {
    asio::error_code failure;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    co_await asio::async_write(*socket, asio::buffer(handshake_), token);
    std::string text;
    while (!failure) {
      const std::size_t size =
          co_await asio::async_read_until(*socket, asio::dynamic_buffer(text), '\n', token);
      if (failure) break;
      const std::string line = text.substr(0, size - 1);
      text.erase(0, size);
      heard_.push_back(line);
      const std::optional<std::string> reply = answer_(line);
      if (!reply) {
        socket->close();
        co_return;
      }
      co_await asio::async_write(*socket, asio::buffer(*reply), token);
    }
  }

  SaslBackend& client() {
    if (!client_) {
      Result<std::unique_ptr<SaslBackend>> made = create_dovecot_client(settings_, io_.get_executor(), log_);
      EXPECT_TRUE(made) << made.error().message;
      client_ = std::move(*made);
    }
    return *client_;
  }

  SaslAnswer plain() {
    const std::unique_ptr<SaslConversation> conversation = client().converse({});
    return run(io_, conversation->start("PLAIN", "x"));
  }

  std::string log() const {
    std::string text;
    for (const libconf::Diagnostic& each : log_.items()) text += each.message + "\n";
    return text;
  }

  /// The number of the request in a line.
  static std::string id_of(const std::string& line) {
    const std::size_t begin = line.find('\t') + 1;
    return line.substr(begin, line.find('\t', begin) - begin);
  }

  std::filesystem::path directory_;
  asio::io_context io_;
  std::optional<asio::local::stream_protocol::acceptor> acceptor_;
  std::vector<std::shared_ptr<Socket>> sockets_;
  std::string handshake_ = kHandshake;
  /// What the server says to a line; nothing: it hangs up.
  std::function<std::optional<std::string>(const std::string&)> answer_ = [](const std::string& line) {
    return line.starts_with("AUTH") ? "OK\t" + id_of(line) + "\tuser=joe\n" : "";
  };
  int connections_ = 0;
  std::vector<std::string> heard_;
  libconf::DiagnosticList log_;
  DovecotSettings settings_;
  std::unique_ptr<SaslBackend> client_;
};

TEST_F(DovecotClientTest, OffersWhatTheServerHas) {
  settings_.options.noplaintext = true;
  settings_.tls_options.mutual_auth = false;
  EXPECT_EQ(run(io_, client().mechanisms({})), (std::vector<std::string>{"SCRAM-SHA-256"}));
  EXPECT_EQ(run(io_, client().mechanisms({.has_tls = true})),
            (std::vector<std::string>{"PLAIN", "LOGIN", "SCRAM-SHA-256"}));
  EXPECT_EQ(connections_, 1);
}

TEST_F(DovecotClientTest, Succeeds) {
  const SaslAnswer answer = plain();
  EXPECT_EQ(answer.kind, Kind::kSuccess);
  EXPECT_EQ(answer.username, "joe");
  EXPECT_EQ(plain().kind, Kind::kSuccess);
  EXPECT_EQ(connections_, 1);
  EXPECT_EQ(heard_, (std::vector<std::string>{"VERSION\t1\t1", "CPID\t" + std::to_string(::getpid()),
                                              "AUTH\t1\tPLAIN\tservice=smtp\tnologin\tresp=eA==",
                                              "AUTH\t2\tPLAIN\tservice=smtp\tnologin\tresp=eA=="}));
}

TEST_F(DovecotClientTest, CarriesChallengesOn) {
  answer_ = [](const std::string& line) -> std::string {
    if (line.starts_with("AUTH")) return "CONT\t" + id_of(line) + "\tVXNlcm5hbWU6\n";
    if (line == "CONT\t1\tam9l") return "FAIL\t1\tuser=joe\treason=no\n";
    return "";
  };
  const std::unique_ptr<SaslConversation> conversation = client().converse({});
  const SaslAnswer challenge = run(io_, conversation->start("LOGIN", std::nullopt));
  EXPECT_EQ(challenge.kind, Kind::kChallenge);
  EXPECT_EQ(challenge.text, "Username:");
  const SaslAnswer failure = run(io_, conversation->step("joe"));
  EXPECT_EQ(failure.kind, Kind::kFailure);
  EXPECT_EQ(failure.text, "no");
}

TEST_F(DovecotClientTest, RefusesMechanismsThatAreNotThere) {
  settings_.options.noplaintext = true;
  const SaslAnswer answer = plain();
  EXPECT_EQ(answer.kind, Kind::kFailure);
  EXPECT_EQ(answer.text, "Invalid authentication mechanism");
  io_.run_for(50ms);
  EXPECT_EQ(heard_.size(), 2u) << "the server is greeted, not asked";
}

TEST_F(DovecotClientTest, CancelsWhatIsGivenUp) {
  answer_ = [](const std::string& line) {
    return line.starts_with("AUTH") ? "CONT\t" + id_of(line) + "\t\n" : std::string();
  };
  {
    const std::unique_ptr<SaslConversation> conversation = client().converse({});
    EXPECT_EQ(run(io_, conversation->start("LOGIN", std::nullopt)).kind, Kind::kChallenge);
  }
  answer_ = [](const std::string& line) {
    return line.starts_with("AUTH") ? "OK\t" + id_of(line) + "\tuser=joe\n" : std::string();
  };
  EXPECT_EQ(plain().kind, Kind::kSuccess);
  ASSERT_EQ(heard_.size(), 5u);
  EXPECT_EQ(heard_[3], "CANCEL\t1");
}

TEST_F(DovecotClientTest, ManyRequestsAreUnderWay) {
  // Answers all when the last has come, in reverse.
  constexpr int kRequests = 20;
  std::vector<std::string> ids;
  answer_ = [&](const std::string& line) -> std::string {
    if (!line.starts_with("AUTH")) return "";
    ids.push_back(id_of(line));
    if (ids.size() < kRequests) return "";
    std::string all = "NOISE\n";
    for (auto id = ids.rbegin(); id != ids.rend(); ++id) all += "OK\t" + *id + "\tuser=user" + *id + "\n";
    return all;
  };
  std::vector<std::unique_ptr<SaslConversation>> conversations;
  std::vector<std::string> names(kRequests);
  int finished = 0;
  for (int i = 0; i < kRequests; ++i) {
    conversations.push_back(client().converse({}));
    asio::co_spawn(io_, conversations.back()->start("PLAIN", ""),
                   [&, i](std::exception_ptr, SaslAnswer answer) {
                     names[static_cast<std::size_t>(i)] = answer.username;
                     ++finished;
                   });
  }
  io_.restart();
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (finished < kRequests && std::chrono::steady_clock::now() < deadline) io_.run_one_for(1s);
  ASSERT_EQ(finished, kRequests);
  for (int i = 0; i < kRequests; ++i)
    EXPECT_EQ(names[static_cast<std::size_t>(i)], "user" + std::to_string(i + 1));
  EXPECT_EQ(connections_, 1);
}

TEST_F(DovecotClientTest, ConnectsAgain) {
  EXPECT_EQ(plain().kind, Kind::kSuccess);
  stop_server();
  const SaslAnswer away = plain();
  EXPECT_EQ(away.kind, Kind::kTemporary);
  EXPECT_EQ(away.text, "Can't connect to authentication server");
  EXPECT_EQ(log(),
            "SASL: Connect to Dovecot auth socket '" + path() + "' failed: No such file or directory\n");
  listen();
  EXPECT_EQ(plain().kind, Kind::kSuccess);
  EXPECT_EQ(connections_, 2);
}

TEST_F(DovecotClientTest, AsksAgainWhenAnOldConnectionWasLost) {
  EXPECT_EQ(plain().kind, Kind::kSuccess);
  const auto usual = answer_;
  answer_ = [this, usual](const std::string& line) -> std::optional<std::string> {
    answer_ = usual;
    (void)line;
    return std::nullopt;
  };
  EXPECT_EQ(plain().kind, Kind::kSuccess);
  EXPECT_EQ(connections_, 2);
}

TEST_F(DovecotClientTest, DoesNotAskForEver) {
  answer_ = [](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("AUTH")) return std::nullopt;
    return "";
  };
  const SaslAnswer answer = plain();
  EXPECT_EQ(answer.kind, Kind::kTemporary);
  EXPECT_EQ(answer.text, "Connection lost to authentication server");
  EXPECT_EQ(connections_, 1);
}

TEST_F(DovecotClientTest, WaitsNoLongerThanItMay) {
  settings_.reply_timeout = 100ms;
  answer_ = [](const std::string&) { return ""; };
  const SaslAnswer answer = plain();
  EXPECT_EQ(answer.kind, Kind::kTemporary);
  EXPECT_EQ(answer.text, "Connection lost to authentication server");
  EXPECT_EQ(plain().kind, Kind::kTemporary);
  EXPECT_EQ(connections_, 2) << "a server that says nothing is left";
}

TEST_F(DovecotClientTest, AHandshakeMustBeOne) {
  settings_.connect_timeout = 300ms;
  const std::pair<std::string, std::string> cases[] = {
      {"VERSION\t2\t0\n", "SASL: Protocol version mismatch (2 vs. 1)"},
      {"MECH\tPLAIN\nDONE\n", "SASL: Dovecot did not tell its protocol version"},
      {std::string(100'000, 'x'), "a line is too long"},
      {"VERSION\t1\t2\n", "Connection timed out"},
  };
  for (const auto& [handshake, expected] : cases) {
    handshake_ = handshake;
    const Result<std::vector<std::string>> names = run(io_, client().mechanisms({}));
    ASSERT_FALSE(names) << expected;
    EXPECT_EQ(names.error().kind, libconf::ErrorKind::kTemporary);
    EXPECT_EQ(names.error().message, expected);
  }
  handshake_ = kHandshake;
  EXPECT_TRUE(run(io_, client().mechanisms({})));
}

TEST_F(DovecotClientTest, ALineThatIsTooLongLosesTheConnection) {
  answer_ = [](const std::string& line) {
    return line.starts_with("AUTH") ? "CONT\t" + id_of(line) + "\t" + std::string(20'000, 'A') + "\n"
                                    : std::string();
  };
  EXPECT_EQ(plain().kind, Kind::kTemporary);
}

}  // namespace
}  // namespace mta
