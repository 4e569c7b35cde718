// Replies are those of Postfix (smtpd with both implementations), and of RFC 4954.
#include "tools/mta/sasl/sasl_server.h"

#include <gtest/gtest.h>

#include "libconf/host.h"
#include "libmaps/open.h"
#include "tests/tools/mta/coroutine.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using State = SaslReply::State;

/// Says what it is told to say, and remembers what it heard.
struct Script {
  Result<std::vector<std::string>> mechanisms = std::vector<std::string>{"PLAIN", "LOGIN", "EXTERNAL"};
  std::vector<SaslAnswer> answers = {};
  std::vector<std::string> heard = {};

  SaslAnswer next() {
    if (answers.empty()) return {.kind = SaslAnswer::Kind::kFailure, .text = "no answer left"};
    SaslAnswer answer = answers.front();
    answers.erase(answers.begin());
    return answer;
  }
};

class ScriptedConversation final : public SaslConversation {
 public:
  explicit ScriptedConversation(Script& script) : script_(script) {}
  asio::awaitable<SaslAnswer> start(std::string mechanism, std::optional<std::string> initial) override {
    script_.heard.push_back(mechanism + (initial ? " [" + *initial + "]" : ""));
    co_return script_.next();
  }
  asio::awaitable<SaslAnswer> step(std::string response) override {
    script_.heard.push_back("[" + response + "]");
    co_return script_.next();
  }

 private:
  Script& script_;
};

class ScriptedBackend final : public SaslBackend {
 public:
  explicit ScriptedBackend(Script& script) : script_(script) {}
  asio::awaitable<Result<std::vector<std::string>>> mechanisms(const SaslPeer&) override {
    co_return script_.mechanisms;
  }
  std::unique_ptr<SaslConversation> converse(const SaslPeer&) override {
    return std::make_unique<ScriptedConversation>(script_);
  }

 private:
  Script& script_;
};

class SaslServerTest : public testing::Test {
 protected:
  std::unique_ptr<SaslServer> make() {
    Result<std::unique_ptr<SaslServer>> server =
        SaslServer::create(settings_, std::make_unique<ScriptedBackend>(script_), open_table_);
    EXPECT_TRUE(server) << server.error().message;
    return server ? std::move(*server) : nullptr;
  }

  /// The replies to AUTH and what follows, joined with '|'.
  std::string converse(std::string_view mechanism, std::optional<std::string_view> initial,
                       const std::vector<std::string>& lines = {}) {
    const std::unique_ptr<SaslServer> server = make();
    SaslExchange exchange = server->exchange({});
    last_ = run(io_, exchange.start(mechanism, initial));
    std::string replies = last_.text;
    for (const std::string& line : lines) {
      if (last_.state != State::kChallenge) break;
      last_ = run(io_, exchange.step(line));
      replies += "|" + last_.text;
    }
    return replies;
  }

  asio::io_context io_;
  Script script_;
  libconf::Settings settings_{nullptr, libconf::Host{}};
  libconf::DiagnosticList log_;
  libmaps::MatchList::OpenTable open_table_ = [this](std::string_view spec) {
    return libmaps::open(spec, {.settings = settings_, .warnings = log_});
  };
  SaslReply last_;
};

TEST_F(SaslServerTest, OffersWhatTheFilterPasses) {
  struct Case {
    std::optional<const char*> filter;
    std::string expected;
  };
  const Case cases[] = {
      {std::nullopt, "PLAIN LOGIN "},  // the default: !external, static:rest
      {"", "PLAIN LOGIN EXTERNAL "},
      {"plain, login", "PLAIN LOGIN "},
      {"!login static:rest", "PLAIN EXTERNAL "},
      {"none", "smtpd_sasl_mechanism_filter discards all mechanisms in 'PLAIN LOGIN EXTERNAL'"},
  };
  for (const Case& each : cases) {
    if (each.filter) settings_.override_value("smtpd_sasl_mechanism_filter", *each.filter);
    const Result<std::vector<std::string>> names = run(io_, make()->mechanisms({}));
    std::string text;
    if (names) {
      for (const std::string& name : *names) text += name + " ";
    } else {
      text = names.error().message;
    }
    EXPECT_EQ(text, each.expected);
  }
}

TEST_F(SaslServerTest, TellsNoMechanismsFromNoAnswer) {
  script_.mechanisms = std::vector<std::string>{};
  const Result<std::vector<std::string>> none = run(io_, make()->mechanisms({}));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "no SASL authentication mechanisms");
  script_.mechanisms = Error{.kind = ErrorKind::kTemporary, .message = "away"};
  const Result<std::vector<std::string>> away = run(io_, make()->mechanisms({}));
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().message, "away");
}

TEST_F(SaslServerTest, SaysWhatTheImplementationSays) {
  using Kind = SaslAnswer::Kind;
  const std::pair<SaslAnswer, std::string> cases[] = {
      {{.kind = Kind::kSuccess, .username = "joe"}, "235 2.7.0 Authentication successful"},
      {{.kind = Kind::kChallenge, .text = ""}, "334 "},
      {{.kind = Kind::kChallenge, .text = "Username:"}, "334 VXNlcm5hbWU6"},
      {{.kind = Kind::kFailure, .text = "authentication failure", .username = "joe"},
       "535 5.7.8 Error: authentication failed: authentication failure"},
      {{.kind = Kind::kFailure, .text = "a\r\nb"}, "535 5.7.8 Error: authentication failed: a??b"},
      {{.kind = Kind::kTemporary, .text = "generic failure"},
       "454 4.7.0 Temporary authentication failure: generic failure"},
  };
  for (const auto& [answer, expected] : cases) {
    script_.answers = {answer};
    EXPECT_EQ(converse("plain", std::nullopt), expected);
    EXPECT_EQ(last_.username, answer.username);
  }
  script_.answers = {{.kind = Kind::kFailure, .text = std::string(10'000, 'x')}};
  EXPECT_LT(converse("plain", std::nullopt).size(), 500u);
}

TEST_F(SaslServerTest, DecodesWhatTheClientSends) {
  const SaslAnswer challenge{.kind = SaslAnswer::Kind::kChallenge};
  struct Case {
    std::optional<std::string_view> initial;
    std::vector<std::string> lines;
    std::vector<std::string> heard;
    std::string expected;  ///< The last reply, or a part of it.
  };
  const Case cases[] = {
      {std::nullopt, {"", "dXNlcg=="}, {"LOGIN", "[]", "[user]"}, "334 "},
      {"=", {}, {"LOGIN []"}, "334 "},
      {"dXNlcg==", {"*"}, {"LOGIN [user]"}, "501 5.7.0 Authentication aborted"},
      {"!!!", {}, {}, "535 5.7.8 Error: authentication failed: Invalid base64 data in initial response"},
      {"AHV", {}, {}, "Invalid base64 data in initial response"},
      {std::nullopt,
       {"="},
       {"LOGIN"},
       "535 5.7.8 Error: authentication failed: Invalid base64 data in continued response"},
      {std::nullopt, {"Zm 9v"}, {"LOGIN"}, "Invalid base64 data in continued response"},
      {std::nullopt, {"*x"}, {"LOGIN"}, "Invalid base64 data in continued response"},
  };
  for (const Case& each : cases) {
    script_.answers = {challenge, challenge, challenge};
    script_.heard.clear();
    const std::string replies = converse("login", each.initial, each.lines);
    EXPECT_NE(replies.find(each.expected), std::string::npos) << replies;
    EXPECT_EQ(script_.heard, each.heard) << each.expected;
  }
}

TEST_F(SaslServerTest, RefusesMechanismsWithoutAsking) {
  const std::string refusal = "535 5.7.8 Error: authentication failed: Invalid authentication mechanism";
  for (const char* name : {"", "EXTERNAL", "PL(AIN", "A\tB", "NAME-OF-MORE-THAN-20-C", "PLAIN\n"})
    EXPECT_EQ(converse(name, std::nullopt), refusal) << name;
  EXPECT_TRUE(script_.heard.empty());
}

TEST_F(SaslServerTest, LimitsResponses) {
  const std::string too_long = "500 5.5.6 SASL response limit exceeded";
  const std::string longest(12'284, 'A');
  const std::string longer(12'288, 'A');
  const SaslAnswer challenge{.kind = SaslAnswer::Kind::kChallenge};
  script_.answers = {challenge, challenge};
  EXPECT_EQ(converse("plain", std::nullopt, {longest}), "334 |334 ");
  script_.answers = {challenge, challenge};
  EXPECT_EQ(converse("plain", std::nullopt, {longer}), "334 |" + too_long);
  EXPECT_EQ(last_.state, State::kTooLong);
  EXPECT_EQ(converse("plain", longer), too_long);
  settings_.override_value("smtpd_sasl_response_limit", "20000");
  script_.answers = {challenge, challenge};
  EXPECT_EQ(converse("plain", std::nullopt, {longer}), "334 |334 ");
  EXPECT_EQ(make()->response_limit(), 20'000u);
}

TEST_F(SaslServerTest, AFilterThatFailsRefusesNobodyForGood) {
  settings_.override_value("smtpd_sasl_mechanism_filter", "fail:now");
  EXPECT_TRUE(converse("plain", std::nullopt).starts_with("454 4.7.0 Temporary authentication failure: "));
  EXPECT_FALSE(run(io_, make()->mechanisms({})));
}

TEST_F(SaslServerTest, RefusesValuesThatMeanNothing) {
  struct Case {
    const char* parameter;
    const char* value;
    const char* message;
  };
  const Case cases[] = {
      {"smtpd_sasl_type", "other", "unsupported SASL server implementation: other"},
      {"smtpd_sasl_security_options", "foo", "unknown SASL security options value \"foo\" in \"foo\""},
      {"smtpd_sasl_tls_security_options", "bar", "unknown SASL security options value \"bar\" in \"bar\""},
      {"smtpd_sasl_path", "inet:localhost", "smtpd_sasl_path: inet:localhost: no port"},
      {"smtpd_sasl_path", "inet::25", "smtpd_sasl_path: inet::25: no host"},
  };
  for (const Case& each : cases) {
    libconf::Settings settings(nullptr, libconf::Host{.name = "mail.example.org"});
    settings.override_value("smtpd_sasl_type", "dovecot");
    settings.override_value("queue_directory", "/q");
    settings.override_value(each.parameter, each.value);
    const Result<std::unique_ptr<SaslServer>> server =
        SaslServer::create(settings, io_.get_executor(), open_table_, log_);
    ASSERT_FALSE(server) << each.message;
    EXPECT_EQ(server.error().kind, ErrorKind::kConfiguration);
    EXPECT_EQ(server.error().message, each.message);
  }
}

}  // namespace
}  // namespace mta
