// A saslauthd that says what it is told to say, through the library's PLAIN plugin. The real one, and
// sasldb2, are asked in tests/integration/sasl_test.py.
#include "tools/mta/sasl/cyrus_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/detached.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <filesystem>

#include "tests/tools/mta/coroutine.h"

namespace mta {
namespace {

using libconf::Result;
using Kind = SaslAnswer::Kind;
using namespace std::chrono_literals;
using Socket = asio::local::stream_protocol::socket;

class CyrusServerTest : public testing::Test {
 protected:
  CyrusServerTest()
      : directory_(std::filesystem::temp_directory_path() / ("pk-cyrus-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(directory_);
    acceptor_.emplace(io_, asio::local::stream_protocol::endpoint(path()));
    asio::co_spawn(io_, accept(), asio::detached);
    settings_.service = "smtp";
    settings_.host_name = "mail.example.org";
    configure("pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\nsaslauthd_path: " + path() + "\n");
  }
  ~CyrusServerTest() override {
    server_.reset();
    acceptor_.reset();
    sockets_.clear();
    std::filesystem::remove_all(directory_);
  }

  std::string path() const { return (directory_ / "mux").string(); }

  void configure(const std::string& text) {
    Result<CyrusOptions> options = CyrusOptions::parse(text, "smtpd.conf");
    ASSERT_TRUE(options);
    settings_.config = std::move(*options);
    server_.reset();
  }

  asio::awaitable<void> accept() {
    while (true) {
      asio::error_code failure;
      auto socket = std::make_shared<Socket>(io_);
      co_await acceptor_->async_accept(*socket, asio::redirect_error(asio::use_awaitable, failure));
      if (failure) co_return;
      sockets_.push_back(socket);
      if (!is_hanging_) asio::co_spawn(io_, serve(socket), asio::detached);
    }
  }

  /// A request is login, password, service and realm, each behind its length in two bytes; so is the answer.
  asio::awaitable<void> serve(std::shared_ptr<Socket> socket) {
    asio::error_code failure;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    std::string request;
    for (int part = 0; part < 4; ++part) {
      unsigned char length[2] = {};
      co_await asio::async_read(*socket, asio::buffer(length), token);
      std::string text(static_cast<std::size_t>(length[0] * 256 + length[1]), '\0');
      co_await asio::async_read(*socket, asio::buffer(text), token);
      request += text + "|";
    }
    requests_.push_back(request);
    const std::string verdict = request.starts_with("joe|secret|") ? "OK" : "NO";
    const std::string answer = std::string("\0\2", 2) + verdict;
    co_await asio::async_write(*socket, asio::buffer(answer), token);
  }

  SaslBackend& server() {
    if (!server_) {
      Result<std::unique_ptr<SaslBackend>> made = create_cyrus_server(settings_, io_.get_executor(), log_);
      EXPECT_TRUE(made) << made.error().message;
      server_ = std::move(*made);
    }
    return *server_;
  }

  SaslAnswer plain(const std::string& name, const std::string& password) {
    const std::unique_ptr<SaslConversation> conversation = server().converse({});
    return run(io_,
               conversation->start("PLAIN", std::string(1, '\0') + name + std::string(1, '\0') + password));
  }

  std::filesystem::path directory_;
  asio::io_context io_;
  std::optional<asio::local::stream_protocol::acceptor> acceptor_;
  std::vector<std::shared_ptr<Socket>> sockets_;
  std::vector<std::string> requests_;
  bool is_hanging_ = false;
  CyrusSettings settings_;
  libconf::DiagnosticList log_;
  std::unique_ptr<SaslBackend> server_;
};

TEST_F(CyrusServerTest, AsksSaslauthd) {
  const SaslAnswer success = plain("joe", "secret");
  EXPECT_EQ(success.kind, Kind::kSuccess) << success.text;
  EXPECT_EQ(success.username, "joe");
  const SaslAnswer failure = plain("joe", "other");
  EXPECT_EQ(failure.kind, Kind::kFailure);
  EXPECT_EQ(failure.text, "authentication failure");
  EXPECT_EQ(failure.username, "joe");
  EXPECT_EQ(requests_, (std::vector<std::string>{"joe|secret|smtp||", "joe|other|smtp||"}));
  ASSERT_EQ(log_.items().size(), 1u);
  EXPECT_EQ(log_.items()[0].message, "SASL authentication failure: Password verification failed");
}

TEST_F(CyrusServerTest, AsksSaslauthdBelowTheRoot) {
  settings_.root = directory_.string();
  configure("pwcheck_method: saslauthd\nmech_list: PLAIN\nsaslauthd_path: /mux\n");
  EXPECT_EQ(plain("joe", "secret").kind, Kind::kSuccess);
  // The library's own path.
  std::filesystem::create_directories(directory_ / "var/run/saslauthd");
  std::filesystem::create_symlink("/mux", directory_ / "var/run/saslauthd/mux");
  configure("pwcheck_method: saslauthd\nmech_list: PLAIN\n");
  EXPECT_EQ(plain("joe", "secret").kind, Kind::kSuccess);
  EXPECT_EQ(requests_, (std::vector<std::string>(2, "joe|secret|smtp||")));
}

TEST_F(CyrusServerTest, SaysTheDomain) {
  settings_.local_domain = "example.com";
  const SaslAnswer success = plain("joe", "secret");
  EXPECT_EQ(success.kind, Kind::kSuccess) << success.text;
  EXPECT_EQ(success.username, "joe@example.com");
}

TEST_F(CyrusServerTest, CarriesChallengesOn) {
  const std::unique_ptr<SaslConversation> conversation = server().converse({});
  const SaslAnswer user = run(io_, conversation->start("LOGIN", std::nullopt));
  ASSERT_EQ(user.kind, Kind::kChallenge);
  EXPECT_EQ(user.text, "Username:");
  const SaslAnswer password = run(io_, conversation->step("joe"));
  ASSERT_EQ(password.kind, Kind::kChallenge);
  EXPECT_EQ(password.text, "Password:");
  EXPECT_EQ(run(io_, conversation->step("secret")).kind, Kind::kSuccess);
}

TEST_F(CyrusServerTest, NoSaslauthdIsTemporary) {
  configure("pwcheck_method: saslauthd\nmech_list: PLAIN\nsaslauthd_path: " + path() + "-not-there\n");
  const SaslAnswer answer = plain("joe", "secret");
  EXPECT_EQ(answer.kind, Kind::kTemporary);
  EXPECT_EQ(answer.text, "generic failure");
}

TEST_F(CyrusServerTest, EachServiceHasItsOptions) {
  EXPECT_EQ(run(io_, server().mechanisms({})), (std::vector<std::string>{"PLAIN", "LOGIN"}));
  configure("mech_list: LOGIN CRAM-MD5\n");
  EXPECT_EQ(run(io_, server().mechanisms({})), (std::vector<std::string>{"LOGIN", "CRAM-MD5"}));
  settings_.options.noplaintext = true;
  server_.reset();
  EXPECT_EQ(run(io_, server().mechanisms({})), (std::vector<std::string>{"CRAM-MD5"}));
  EXPECT_EQ(run(io_, server().mechanisms({.has_tls = true})),
            (std::vector<std::string>{"LOGIN", "CRAM-MD5"}));
  settings_.options.forward_secrecy = true;
  server_.reset();
  EXPECT_EQ(run(io_, server().mechanisms({})), std::vector<std::string>());
}

TEST_F(CyrusServerTest, RefusesOtherMechanisms) {
  const std::unique_ptr<SaslConversation> conversation = server().converse({});
  const SaslAnswer answer = run(io_, conversation->start("FOO", std::nullopt));
  EXPECT_EQ(answer.kind, Kind::kFailure);
  EXPECT_EQ(answer.text, "no mechanism available");
}

TEST_F(CyrusServerTest, OthersGoOnWhileOneWaits) {
  is_hanging_ = true;
  settings_.timeout = 500ms;
  int ticks = 0;
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        asio::steady_timer timer(io_);
        for (; ticks < 5; ++ticks) {
          timer.expires_after(20ms);
          co_await timer.async_wait(asio::use_awaitable);
        }
      },
      asio::detached);
  const SaslAnswer answer = plain("joe", "secret");
  EXPECT_EQ(ticks, 5);
  EXPECT_EQ(answer.kind, Kind::kTemporary);
  EXPECT_EQ(answer.text, "Authentication backend timed out");
  // What comes late finds nobody any more.
  server_.reset();
}

}  // namespace
}  // namespace mta
