#include "tools/mta/smtp/request.h"

#include <gtest/gtest.h>

#include "libconf/host.h"
#include "libconf/text.h"

namespace mta {
namespace {

ServerOptions default_options() {
  libconf::Settings settings(nullptr, libconf::system_host());
  settings.override_value("compatibility_level", "3.6");
  return read_server_options(settings).value();
}

RequestResult parse(std::string_view text, const SessionState& state = {},
                    const ServerOptions& options = default_options()) {
  const CommandLine line(text);
  return parse_request(*find_command(line.name()), line, options, state);
}

/// A session in which `text` of type T is good.
template <class T>
T good(std::string_view text, const SessionState& state = {}) {
  const RequestResult result = parse(text, state);
  EXPECT_TRUE(result) << text << ": " << (result ? "" : result.error().to_string());
  return result ? std::get<T>(*result) : T();
}

/// The reply that refuses `text`; "good" when none does.
std::string refused(std::string_view text, const SessionState& state = {},
                    const ServerOptions& options = default_options()) {
  const RequestResult result = parse(text, state, options);
  return result ? "good" : result.error().to_string();
}

SessionState with_sender() {
  SessionState state;
  state.has_helo = state.has_sender = true;
  return state;
}

SessionState privileged() {
  SessionState state;
  state.may_use_xclient = state.may_use_xforward = state.may_use_verp = true;
  return state;
}

TEST(CommandLine, DividesIntoWords) {
  using Strings = std::vector<std::string>;
  const struct {
    std::string text;
    Strings words;
  } kCases[] = {
      {"", {}},
      {" \t ", {}},
      {"  NOOP\tx  y ", {"NOOP", "x", "y"}},
      {"MAIL FROM:<a b> SIZE=1", {"MAIL", "FROM:", "<a b>", "SIZE=1"}},
      {"mail from: <a>", {"mail", "from:", "<a>"}},
      {"MAIL FROM :<a>", {"MAIL", "FROM", ":<a>"}},
      {"RCPT TO:\"a b\"@c x", {"RCPT", "TO:", "\"a b\"@c", "x"}},
      {"RCPT TO:<a < b> > x", {"RCPT", "TO:", "<a < b> >", "x"}},
      {"RCPT TO:a\\ b c", {"RCPT", "TO:", "a\\ b", "c"}},
      {"VRFY FROM:<a>", {"VRFY", "FROM:<a>"}},
      {"MAIL FROM:<a> ENVID=\"x y\"", {"MAIL", "FROM:", "<a>", "ENVID=\"x y\""}},
  };
  for (const auto& test_case : kCases) {
    Strings words;
    const CommandLine line(test_case.text);
    for (const CommandWord& word : line.words()) words.emplace_back(word.text);
    EXPECT_EQ(words, test_case.words) << test_case.text;
  }
  EXPECT_TRUE(CommandLine("RCPT TO:<a \"b> c").words().back().is_open);
  EXPECT_TRUE(CommandLine("RCPT TO:<a <b> c").words().back().is_open);
  EXPECT_FALSE(CommandLine("RCPT TO:<a <b>> c").words().back().is_open);
}

TEST(CommandLine, KnowsAMessageHeader) {
  for (const char* const text : {"Subject: x", "a:b", "-x:", "rset:x", "<\t:x>"}) {
    EXPECT_TRUE(CommandLine(text).is_message_header()) << text;
  }
  for (const char* const text : {"NOOP", ":", "a b:", "A :", "x\xc3\xa4:", "A\x01:"}) {
    EXPECT_FALSE(CommandLine(text).is_message_header()) << text;
  }
}

TEST(Command, IsFoundInAnyCase) {
  for (const Command& command : kCommands) EXPECT_EQ(find_command(command.name), &command);
  EXPECT_EQ(find_command("mail")->verb, Verb::kMail);
  EXPECT_EQ(find_command("EXPN"), nullptr);
  EXPECT_EQ(find_command(""), nullptr);
}

// RFC 2920, section 3.1; what Postfix allows beside was seen with smtpd_forbid_unauth_pipelining.
TEST(Command, EndsAGroup) {
  for (const Command& command : kCommands) EXPECT_TRUE(forbids_more_input(command, false)) << command.name;
  for (const char* const name : {"HELO", "EHLO", "DATA", "NOOP", "VRFY"}) {
    EXPECT_TRUE(forbids_more_input(*find_command(name), true)) << name;
  }
  for (const char* const name :
       {"MAIL", "RCPT", "RSET", "BDAT", "QUIT", "XCLIENT", "XFORWARD", "STARTTLS", "ETRN"}) {
    EXPECT_FALSE(forbids_more_input(*find_command(name), true)) << name;
  }
}

// What a queue file of Postfix 3.7 has: helo_name.
TEST(Helo, HidesSpecialCharacters) {
  EXPECT_EQ(good<HeloRequest>("HELO a.example").name, "a.example");
  EXPECT_EQ(good<HeloRequest>("HELO  a\x01\tb   c (d)").name, "a??b?c??d?");
  EXPECT_EQ(good<HeloRequest>("HELO !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~").name,
            "!?#$%&'??*+,-./:?"
            "?=???[?]^_`{|}~");
  EXPECT_EQ(good<HeloRequest>("HELO \xc3\xa4").name, "\xc3\xa4");
  EXPECT_TRUE(good<HeloRequest>("ehlo x").is_extended);
  EXPECT_FALSE(good<HeloRequest>("helo x").is_extended);
}

TEST(Mail, HasParameters) {
  const auto mail = good<MailRequest>(
      "MAIL FROM:<\"a b\"@c> SIZE=7 BODY=8BITMIME RET=HDRS ENVID=x+2By+20 AUTH=me+2Byou SMTPUTF8 XVERP=+-",
      privileged());
  EXPECT_EQ(mail.sender, "a b@c");
  EXPECT_EQ(mail.size, 7U);
  EXPECT_EQ(mail.body, BodyType::k8BitMime);
  EXPECT_EQ(mail.dsn_return, DsnReturn::kHeaders);
  EXPECT_EQ(mail.envelope_id, "x+y ");
  EXPECT_EQ(mail.submitter, "me+2Byou");
  EXPECT_TRUE(mail.is_utf8);
  EXPECT_EQ(mail.verp_delimiters, "+-");

  const auto bare = good<MailRequest>("MAIL FROM:<>");
  EXPECT_EQ(bare.sender, "");
  EXPECT_EQ(bare.body, BodyType::kUnspecified);
  EXPECT_EQ(bare.dsn_return, DsnReturn::kUnspecified);
  EXPECT_FALSE(bare.submitter);
  EXPECT_FALSE(bare.is_utf8);
  EXPECT_EQ(bare.verp_delimiters, "");

  EXPECT_EQ(good<MailRequest>("MAIL FROM:<a@b> BODY=7BIT BODY=8bitmime").body, BodyType::k8BitMime);
  EXPECT_EQ(good<MailRequest>("MAIL FROM:<a@b> ENVID=a+00b").envelope_id, "a");
  EXPECT_EQ(good<MailRequest>("MAIL FROM:<a@b> AUTH=<>").submitter, std::nullopt);
  EXPECT_EQ(good<MailRequest>("MAIL FROM:<a@b> XVERP", privileged()).verp_delimiters, "+=");
}

// What a queue file of Postfix 3.7 has: notify_flags, dsn_orig_rcpt.
TEST(Rcpt, HasParameters) {
  const struct {
    std::string parameters;
    unsigned notify;
    std::string original_recipient;
  } kCases[] = {
      {"", 0, ""},
      {" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c", 10, "rfc822;a+b@c"},
      {" NOTIFY=NEVER ORCPT=utf-8;\xc3\xa4\\x{E4}a+2Bb", 1,
       "utf-8;\xc3\xa4\xc3\xa4"
       "a+2Bb"},
      {" NOTIFY=,FAILURE,,FAILURE ORCPT=RFC822;+C3+A4x", 4, "RFC822;\xc3\xa4x"},
      {" ORCPT=rfc+38;a", 0, "rfc+38;a"},
      {" ORCPT=rfc822;a+0Ab+01", 0, "rfc822;a"},
      {" ORCPT=rfc822;", 0, "rfc822;"},
      {" ORCPT=x400;a;b", 0, "x400;a;b"},
      {" ORCPT=rfc822;<\"a+20b\"@c>", 0, "rfc822;<\"a b\"@c>"},
  };
  for (const auto& test_case : kCases) {
    const auto rcpt = good<RcptRequest>("RCPT TO:<r@example.org>" + test_case.parameters, with_sender());
    EXPECT_EQ(rcpt.recipient, "r@example.org");
    EXPECT_EQ(rcpt.notify, test_case.notify) << test_case.parameters;
    EXPECT_EQ(rcpt.original_recipient, test_case.original_recipient) << test_case.parameters;
  }
}

TEST(Requests, CarryWhatTheySay) {
  EXPECT_EQ(good<VrfyRequest>("VRFY John  Doe <a@b>").text, "John Doe <a@b>");
  EXPECT_EQ(good<VrfyRequest>("VRFY John  Doe <a@b>").address, "a@b");
  EXPECT_EQ(good<EtrnRequest>("ETRN @example.org").domain, "example.org");
  SessionState state;
  state.offers_auth = state.offers_tls = true;
  EXPECT_EQ(good<AuthRequest>("AUTH plain", state).mechanism, "plain");
  EXPECT_FALSE(good<AuthRequest>("AUTH PLAIN", state).initial_response);
  EXPECT_EQ(good<AuthRequest>("AUTH PLAIN =", state).initial_response, "=");
  good<StarttlsRequest>("STARTTLS", state);
}

TEST(Bdat, TellsWhatFollows) {
  SessionState state = with_sender();
  state.recipients = 1;
  const auto chunk = good<BdatRequest>("BDAT 003 last", state);
  EXPECT_EQ(chunk.size, 3U);
  EXPECT_TRUE(chunk.is_last);
  EXPECT_FALSE(chunk.refusal);
  EXPECT_FALSE(good<BdatRequest>("BDAT 3", state).is_last);

  EXPECT_EQ(good<BdatRequest>("BDAT 3").refusal, Reply(503, "5.5.1", "Error: need RCPT command"));
  EXPECT_EQ(good<BdatRequest>("BDAT 3", with_sender()).refusal,
            Reply(554, "5.5.1", "Error: no valid recipients"));
  EXPECT_EQ(good<BdatRequest>("BDAT 0", state).refusal, Reply(551, "5.7.1", "Null BDAT request"));
  state.is_in_chunks = state.is_chunk_failed = true;
  EXPECT_EQ(good<BdatRequest>("BDAT 3", state).refusal,
            Reply(551, "5.0.0", "Discarded 3 bytes after earlier error"));
}

TEST(Xclient, HasAttributes) {
  const auto request = good<XclientRequest>(
      "XCLIENT name=host.example ADDR=IPV6:2001:DB8::1 PORT=25 HELO=a+20b LOGIN=[UNAVAILABLE] "
      "REVERSE_NAME=[TEMPUNAVAIL]",
      privileged());
  const struct {
    ClientAttributeName name;
    ClientAttributeState state;
    std::string value;
  } kExpected[] = {
      {ClientAttributeName::kName, ClientAttributeState::kKnown, "host.example"},
      {ClientAttributeName::kAddr, ClientAttributeState::kKnown, "2001:db8::1"},
      {ClientAttributeName::kPort, ClientAttributeState::kKnown, "25"},
      {ClientAttributeName::kHelo, ClientAttributeState::kKnown, "a b"},
      {ClientAttributeName::kLogin, ClientAttributeState::kUnavailable, ""},
      {ClientAttributeName::kReverseName, ClientAttributeState::kTemporarilyUnavailable, ""},
  };
  ASSERT_EQ(request.attributes.size(), std::size(kExpected));
  for (std::size_t i = 0; i < std::size(kExpected); ++i) {
    EXPECT_EQ(request.attributes[i].name, kExpected[i].name) << i;
    EXPECT_EQ(request.attributes[i].state, kExpected[i].state) << i;
    EXPECT_EQ(request.attributes[i].value, kExpected[i].value) << i;
  }
  ServerOptions ipv4_only = default_options();
  ipv4_only.has_ipv6 = false;
  EXPECT_EQ(refused("XCLIENT ADDR=IPV6:::1", privileged(), ipv4_only), "501 5.5.4 Bad ADDR syntax: IPV6:::1");
}

// What a queue file of Postfix 3.7 has: log_helo_name and so on.
TEST(Xforward, HidesSpecialCharacters) {
  const auto request =
      good<XforwardRequest>("XFORWARD PROTO=a+20b HELO=h+20<x> IDENT=i+3B SOURCE=LOCAL", privileged());
  ASSERT_EQ(request.attributes.size(), 4U);
  EXPECT_EQ(request.attributes[0].value, "a?b");
  EXPECT_EQ(request.attributes[1].value, "h??x?");
  EXPECT_EQ(request.attributes[2].value, "i?");
  EXPECT_EQ(request.attributes[3].value, "LOCAL");
}

// A sample; integration.smtp_replies_test asks Postfix for these and some thousand more.
TEST(Refusals, AreThoseOfPostfix) {
  SessionState with_recipient = with_sender();
  with_recipient.recipients = 1;
  SessionState in_chunks = with_recipient;
  in_chunks.is_in_chunks = true;
  SessionState needs_tls;
  needs_tls.requires_tls = true;
  SessionState without_extensions = with_sender();
  without_extensions.discarded = DiscardedKeywords::parse("dsn, chunking, smtputf8");
  const struct {
    std::string command;
    SessionState state;
    std::string expected;
  } kCases[] = {
      {"HELO", {}, "501 Syntax: HELO hostname"},
      {"EHLO", {}, "501 Syntax: EHLO hostname"},
      {"MAIL", {}, "501 5.5.4 Syntax: MAIL FROM:<address>"},
      {"MAIL FROM:<a@>", {}, "501 5.1.7 Bad sender address syntax"},
      {"MAIL FROM:<a@b> FOO", {}, "555 5.5.4 Unsupported option: FOO"},
      {"MAIL FROM:<a@b> SIZE=x", {}, "501 5.5.4 Bad message size syntax"},
      {"MAIL FROM:<a@b> SIZE=10240001", {}, "552 5.3.4 Message size exceeds fixed limit"},
      {"MAIL FROM:<a@b> SIZE=9223372036854775808",
       {},
       "552 5.3.4 Message size exceeds file system imposed limit"},
      {"MAIL FROM:<a@b> RET=x", {}, "501 5.5.4 Bad RET parameter syntax"},
      {"MAIL FROM:<a@b> ENVID=", {}, "501 5.5.4 Bad ENVID parameter syntax"},
      {"MAIL FROM:<a@b> AUTH=a AUTH=b", {}, "503 5.5.4 Error: multiple AUTH= options"},
      {"MAIL FROM:<a@b> XVERP=ab", privileged(), "501 5.5.4 Error: XVERP needs two characters from -=+"},
      {"MAIL FROM:<> XVERP", privileged(), "503 5.5.4 Error: XVERP requires non-null sender"},
      {"MAIL FROM:<>", with_sender(), "503 5.5.1 Error: nested MAIL command"},
      {"RCPT TO:<a@b>", {}, "503 5.5.1 Error: need MAIL command"},
      {"RCPT TO:<>", with_sender(), "501 5.1.3 Bad recipient address syntax"},
      {"RCPT TO:<a@b> NOTIFY=x", with_sender(), "501 5.5.4 Error: Bad NOTIFY parameter syntax"},
      {"RCPT TO:<a@b> ORCPT=x", with_sender(), "501 5.5.4 Error: Bad ORCPT parameter syntax"},
      {"RCPT TO:<a@b> NOTIFY=NEVER", without_extensions, "501 5.7.1 DSN support is disabled"},
      {"RCPT TO:<a@b>", in_chunks, "503 5.5.1 Error: RCPT after BDAT"},
      {"DATA", {}, "503 5.5.1 Error: need RCPT command"},
      {"DATA", with_sender(), "554 5.5.1 Error: no valid recipients"},
      {"DATA x", with_recipient, "501 5.5.4 Syntax: DATA"},
      {"DATA", in_chunks, "503 5.5.1 Error: DATA after BDAT"},
      {"BDAT", {}, "521 5.5.4 Syntax: BDAT count [LAST]"},
      {"BDAT 5", without_extensions, "521 5.5.1 Error: command not implemented"},
      {"RSET x", {}, "501 5.5.4 Syntax: RSET"},
      {"VRFY", {}, "501 5.5.4 Syntax: VRFY address [SMTPUTF8]"},
      {"VRFY", without_extensions, "501 5.5.4 Syntax: VRFY address"},
      {"ETRN", {}, "500 Syntax: ETRN domain"},
      {"ETRN a..b", {}, "501 Error: invalid parameter syntax"},
      {"AUTH PLAIN", {}, "503 5.5.1 Error: authentication not enabled"},
      {"STARTTLS", {}, "502 5.5.1 Error: command not implemented"},
      {"XCLIENT NAME=a", {}, "550 5.7.0 Error: insufficient authorization"},
      {"XCLIENT", {}, "501 5.5.4 Syntax: XCLIENT attribute=value..."},
      {"XFORWARD FOO=x", privileged(), "501 5.5.4 Bad XFORWARD attribute name: FOO"},
      {"RSET", needs_tls, "530 5.7.0 Must issue a STARTTLS command first"},
      {"NOOP", needs_tls, "good"},
  };
  for (const auto& test_case : kCases) {
    EXPECT_EQ(refused(test_case.command, test_case.state), test_case.expected) << test_case.command;
  }
}

TEST(Refusals, DependOnParameters) {
  ServerOptions options = default_options();
  options.smtpd_helo_required = options.disable_vrfy_command = options.strict_smtputf8 = true;
  EXPECT_EQ(refused("MAIL FROM:<>", {}, options), "503 5.5.1 Error: send HELO/EHLO first");
  EXPECT_EQ(refused("ETRN a.b", {}, options), "503 Error: send HELO/EHLO first");
  EXPECT_EQ(refused("AUTH PLAIN", {}, options), "503 5.5.1 Error: send HELO/EHLO first");
  EXPECT_EQ(refused("VRFY a", {}, options), "502 5.5.1 VRFY command is disabled");
  EXPECT_EQ(refused("RCPT TO:<\xc3\xa4@b>", with_sender(), options),
            "553 5.6.7 Must declare SMTPUTF8 to send unicode address");
  SessionState utf8 = with_sender();
  utf8.is_utf8_message = true;
  EXPECT_EQ(refused("RCPT TO:<\xc3\xa4@b>", utf8, options), "good");
}

}  // namespace
}  // namespace mta
