// The order of attributes is that of a genuine smtpd, recorded by a policy server; those of Postfix 3.8 and
// later follow.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <functional>
#include <string>
#include <vector>

#include "tools/mta/access/policy_client.h"
#include "tools/mta/access/policy_protocol.h"

namespace mta {
namespace {

SmtpdState sample_state() {
  SmtpdState state;
  state.stage = SmtpStage::kRcpt;
  state.client = {"192.0.2.7",        "4567",        "client.example",
                  NameStatus::kFound, "rev.example", NameStatus::kFound};
  state.server_address = "127.0.0.1";
  state.server_port = "25";
  state.protocol = "ESMTP";
  state.helo = "helo.example";
  state.sender = "a@example.com";
  state.recipient = "b@example.org";
  state.recipient_count = 3;
  state.instance = "324a.6b0b5561.43c48.0";
  state.size = 123;
  return state;
}

TEST(PolicyProtocol, SendsAllAttributesInOrder) {
  SmtpdState state = sample_state();
  state.tls.is_certificate_trusted = true;
  state.tls.certificate_issuer = "Wietse Venema+=\xc3";
  state.helo = "evil\nname";
  EXPECT_EQ(format_policy_request(state, "submission", {"3.12", "3.12.0"}),
            "request=smtpd_access_policy\n"
            "protocol_state=RCPT\n"
            "protocol_name=ESMTP\n"
            "client_address=192.0.2.7\n"
            "client_name=client.example\n"
            "client_port=4567\n"
            "reverse_client_name=rev.example\n"
            "server_address=127.0.0.1\n"
            "server_port=25\n"
            "helo_name=evil?name\n"
            "sender=a@example.com\n"
            "recipient=b@example.org\n"
            "recipient_count=0\n"
            "queue_id=\n"
            "instance=324a.6b0b5561.43c48.0\n"
            "size=123\n"
            "etrn_domain=\n"
            "stress=\n"
            "sasl_method=\n"
            "sasl_username=\n"
            "sasl_sender=\n"
            "ccert_subject=\n"
            "ccert_issuer=Wietse+20Venema+2B+3D+C3\n"
            "ccert_fingerprint=\n"
            "ccert_pubkey_fingerprint=\n"
            "encryption_protocol=\n"
            "encryption_cipher=\n"
            "encryption_keysize=0\n"
            "policy_context=submission\n"
            "compatibility_level=3.12\n"
            "mail_version=3.12.0\n"
            "\n");
}

TEST(PolicyProtocol, KnowsTheStatesAndTheirRecipients) {
  struct StateCase {
    SmtpStage stage;
    const char* name;
    const char* count;
  };
  const StateCase cases[] = {
      {SmtpStage::kConnect, "CONNECT", "0"}, {SmtpStage::kHelo, "HELO", "0"},
      {SmtpStage::kEhlo, "EHLO", "0"},       {SmtpStage::kMail, "MAIL", "0"},
      {SmtpStage::kData, "DATA", "3"},       {SmtpStage::kEndOfData, "END-OF-MESSAGE", "3"},
      {SmtpStage::kVrfy, "VRFY", "0"},       {SmtpStage::kEtrn, "ETRN", "0"},
  };
  for (const StateCase& each : cases) {
    SmtpdState state = sample_state();
    state.stage = each.stage;
    const std::string request = format_policy_request(state, "", {});
    EXPECT_NE(request.find(std::string("protocol_state=") + each.name + "\n"), std::string::npos)
        << each.name;
    EXPECT_NE(request.find(std::string("recipient_count=") + each.count + "\n"), std::string::npos)
        << each.name;
  }
}

TEST(PolicyProtocol, ReadsReplies) {
  struct ReplyCase {
    const char* text;
    std::size_t length;
    std::optional<std::string> action;
  };
  const ReplyCase cases[] = {
      {"action=DUNNO\n\n", 14, "DUNNO"},
      {"other=x\naction=REJECT two\n\nmore", 27, "REJECT two"},
      {"action=\n\n", 9, ""},
      {"foo=bar\n\n", 9, std::nullopt},
      {"\n", 1, std::nullopt},
      {"action=x\n", 0, std::nullopt},
      {"", 0, std::nullopt},
  };
  for (const ReplyCase& each : cases) {
    const std::string_view text = each.text;
    EXPECT_EQ(policy_reply_length(text), each.length) << each.text;
    EXPECT_EQ(parse_policy_reply(text.substr(0, each.length)), each.action) << each.text;
  }
}

/// A policy server that lets a function answer each request; it counts connections and requests.
class PolicyServer {
 public:
  using Answer = std::function<std::string(int connection, int request)>;

  PolicyServer(asio::io_context& context, Answer answer)
      : answer_(std::move(answer)), acceptor_(context, {asio::ip::address_v4::loopback(), 0}) {
    asio::co_spawn(context, accept(), asio::detached);
  }

  PolicyServiceSettings settings() const {
    PolicyServiceSettings settings;
    settings.host = "127.0.0.1";
    settings.port = std::to_string(acceptor_.local_endpoint().port());
    settings.name = settings.host + ":" + settings.port;
    settings.endpoint = "inet:" + settings.name;
    settings.timeout = std::chrono::seconds(1);
    settings.max_idle = settings.max_ttl = std::chrono::seconds(100);
    settings.retry_delay = std::chrono::seconds(0);
    settings.try_limit = 2;
    settings.default_action = "450 default";
    return settings;
  }

  void close() { acceptor_.close(); }
  int connections = 0;
  int requests = 0;

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      asio::error_code error;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket), ++connections), asio::detached);
    }
  }
  asio::awaitable<void> serve(asio::ip::tcp::socket socket, int connection) {
    std::string input;
    for (;;) {
      asio::error_code error;
      const std::size_t size = co_await asio::async_read_until(
          socket, asio::dynamic_buffer(input), "\n\n", asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      input.erase(0, size);
      const std::string answer = answer_(connection, ++requests);
      if (answer.empty()) co_return;  // Close without a word.
      if (answer == "silence") continue;
      co_await asio::async_write(socket, asio::buffer(answer),
                                 asio::redirect_error(asio::use_awaitable, error));
    }
  }

  Answer answer_;
  asio::ip::tcp::acceptor acceptor_;
};

struct Answers {
  std::vector<std::string> actions;
  std::vector<std::string> warnings;
};

/// Asks once for each instance, one after the other.
Answers ask(asio::io_context& context, PolicyClient& client, const PolicyServiceSettings& settings,
            const std::vector<std::string>& instances) {
  Answers answers;
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> {
        const std::function<void(std::string)> warn = [&](std::string text) {
          answers.warnings.push_back(text);
        };
        for (const std::string& instance : instances) {
          SmtpdState state = sample_state();
          state.instance = instance;
          std::string action = co_await client.ask(settings, state, warn);
          answers.actions.push_back(std::move(action));
        }
      },
      [&](std::exception_ptr failure) {
        EXPECT_FALSE(failure);
        context.stop();
      });
  context.restart();
  context.run_for(std::chrono::seconds(20));
  return answers;
}

TEST(PolicyClient, KeepsOneConnectionForOneMessage) {
  asio::io_context context;
  PolicyServer server(context,
                      [](int connection, int) { return "action=" + std::to_string(connection) + "\n\n"; });
  PolicyClient client(context.get_executor(), {});
  const auto settings = server.settings();
  EXPECT_EQ(ask(context, client, settings, {"a", "a", "b", "a"}).actions,
            (std::vector<std::string>{"1", "1", "2", "1"}));
  client.release("a");
  EXPECT_EQ(ask(context, client, settings, {"c", "b"}).actions, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(client.kept(), 2u);
}

TEST(PolicyClient, KeepsApartWhatServicesWithAnotherRootAsk) {
  asio::io_context context;
  PolicyServer server(context,
                      [](int connection, int) { return "action=" + std::to_string(connection) + "\n\n"; });
  PolicyClient client(context.get_executor(), {});
  auto settings = server.settings();
  auto confined = settings;
  confined.path.root = "/queue";
  EXPECT_EQ(ask(context, client, settings, {"a"}).actions, (std::vector<std::string>{"1"}));
  EXPECT_EQ(ask(context, client, confined, {"a"}).actions, (std::vector<std::string>{"2"}));
  EXPECT_EQ(ask(context, client, settings, {"a"}).actions, (std::vector<std::string>{"1"}));
}

TEST(PolicyClient, TriesAgainAndThenActsByDefault) {
  struct FailureCase {
    const char* name;
    PolicyServer::Answer answer;
    std::string action;
    std::vector<std::string> warnings;  ///< SERVER stands for the server's name.
  };
  const FailureCase cases[] = {
      {"closes once",
       [](int connection, int) { return connection == 1 ? "" : "action=OK\n\n"; },
       "OK",
       {"problem talking to server SERVER: Application error"}},
      {"always closes",
       [](int, int) { return ""; },
       "450 default",
       {"problem talking to server SERVER: Application error",
        "problem talking to server SERVER: Application error"}},
      {"no action",
       [](int, int) { return "foo=bar\n\n"; },
       "450 default",
       {"missing attribute action in input from SERVER",
        "problem talking to server SERVER: Application error",
        "missing attribute action in input from SERVER",
        "problem talking to server SERVER: Application error"}},
      {"says nothing",
       [](int, int) { return "silence"; },
       "450 default",
       {"problem talking to server SERVER: Connection timed out",
        "problem talking to server SERVER: Connection timed out"}},
      {"never ends",
       [](int, int) { return std::string(100'000, 'x'); },
       "450 default",
       {"problem talking to server SERVER: Application error",
        "problem talking to server SERVER: Application error"}},
  };
  for (const FailureCase& each : cases) {
    SCOPED_TRACE(each.name);
    asio::io_context context;
    PolicyServer server(context, each.answer);
    PolicyClient client(context.get_executor(), {});
    const auto settings = server.settings();
    const Answers answers = ask(context, client, settings, {"a"});
    EXPECT_EQ(answers.actions, std::vector<std::string>{each.action});
    std::vector<std::string> wanted = each.warnings;
    for (std::string& text : wanted) text.replace(text.find("SERVER"), 6, settings.name);
    EXPECT_EQ(answers.warnings, wanted);
  }
}

TEST(PolicyClient, NobodyIsThere) {
  asio::io_context context;
  PolicyServer server(context, [](int, int) { return ""; });
  auto settings = server.settings();
  server.close();
  settings.try_limit = 1;
  PolicyClient client(context.get_executor(), {});
  const Answers answers = ask(context, client, settings, {"a"});
  EXPECT_EQ(answers.actions, std::vector<std::string>{"450 default"});
  EXPECT_EQ(answers.warnings, (std::vector<std::string>{
                                  "connect to " + settings.name + ": Connection refused",
                                  "problem talking to server " + settings.name + ": Connection refused"}));
}

TEST(PolicyClient, UsesAConnectionAsOftenAsItMay) {
  asio::io_context context;
  PolicyServer server(context,
                      [](int connection, int) { return "action=" + std::to_string(connection) + "\n\n"; });
  auto settings = server.settings();
  settings.request_limit = 2;
  PolicyClient client(context.get_executor(), {});
  EXPECT_EQ(ask(context, client, settings, {"a", "a", "a"}).actions,
            (std::vector<std::string>{"1", "1", "2"}));
}

TEST(PolicyClient, DropsAConnectionThatHasMoreToSay) {
  asio::io_context context;
  PolicyServer server(context, [](int connection, int) {
    return "action=" + std::to_string(connection) + "\n\naction=REJECT not asked\n\n";
  });
  PolicyClient client(context.get_executor(), {});
  EXPECT_EQ(ask(context, client, server.settings(), {"a", "a"}).actions,
            (std::vector<std::string>{"1", "2"}));
}

}  // namespace
}  // namespace mta
