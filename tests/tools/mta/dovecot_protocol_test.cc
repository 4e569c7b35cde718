// The lines are those of Dovecot's documentation, "Dovecot Authentication Protocol", and what Dovecot 2.3
// sends.
#include "tools/mta/sasl/dovecot_protocol.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

using libconf::Result;
using Kind = SaslAnswer::Kind;

/// Reads lines until the handshake ends; an error message, or the names of mechanisms.
std::string read_handshake(DovecotHandshake& handshake, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    const Result<bool> is_done = handshake.read(line);
    if (!is_done) {
      EXPECT_EQ(is_done.error().kind, libconf::ErrorKind::kTemporary);
      return is_done.error().message;
    }
    if (*is_done) return "done";
  }
  return "more";
}

TEST(DovecotHandshake, Ends) {
  struct Case {
    std::vector<std::string> lines;
    std::string expected;
  };
  const Case cases[] = {
      {{"VERSION\t1\t2", "MECH\tPLAIN\tplaintext", "SPID\t7", "CUID\t1", "COOKIE\tabc", "DONE"}, "done"},
      {{"VERSION\t1\t99", "NEW\tthing", "", "\t\t", "MECH", "DONE\tmore"}, "done"},
      {{"VERSION\t1\t2", "MECH\tPLAIN"}, "more"},
      {{"VERSION\t2\t0"}, "SASL: Protocol version mismatch (2 vs. 1)"},
      {{"VERSION"}, "SASL: Protocol version mismatch ( vs. 1)"},
      {{"VERSION\t11111111111111111111\t0"}, "SASL: Protocol version mismatch (11111111111111111111 vs. 1)"},
      {{"VERSION\tx\001y"}, "SASL: Protocol version mismatch (x?y vs. 1)"},
      {{"MECH\tPLAIN", "DONE"}, "SASL: Dovecot did not tell its protocol version"},
      {std::vector<std::string>(1000, "MECH\tPLAIN"), "SASL: Dovecot's handshake has no end"},
  };
  for (const Case& each : cases) {
    DovecotHandshake handshake;
    EXPECT_EQ(read_handshake(handshake, each.lines), each.expected) << each.lines[0];
  }
}

TEST(DovecotHandshake, HasMechanismsThatOptionsAllow) {
  DovecotHandshake handshake;
  ASSERT_EQ(read_handshake(handshake,
                           {"VERSION\t1\t2", "MECH\tplain\tplaintext", "MECH\tCRAM-MD5\tdictionary\tactive",
                            "MECH\tSCRAM-SHA-256\tmutual-auth", "MECH\tANONYMOUS\tanonymous",
                            "MECH\tDH\tforward-secrecy\tunknown=1", "MECH\tSECRET\tprivate", "DONE"}),
            "done");
  const std::pair<SecurityOptions, std::string> cases[] = {
      {{}, "PLAIN CRAM-MD5 SCRAM-SHA-256 ANONYMOUS DH "},
      {{.noanonymous = true}, "PLAIN CRAM-MD5 SCRAM-SHA-256 DH "},
      {{.noplaintext = true, .noanonymous = true}, "CRAM-MD5 SCRAM-SHA-256 DH "},
      {{.nodictionary = true}, "PLAIN SCRAM-SHA-256 ANONYMOUS DH "},
      {{.noactive = true}, "PLAIN SCRAM-SHA-256 ANONYMOUS DH "},
      {{.forward_secrecy = true}, "DH "},
      {{.mutual_auth = true}, "SCRAM-SHA-256 "},
      {{.forward_secrecy = true, .mutual_auth = true}, ""},
  };
  for (const auto& [options, expected] : cases) {
    std::string names;
    for (const DovecotMechanism& each : handshake.mechanisms())
      if (allows(options, each)) names += each.name + " ";
    EXPECT_EQ(names, expected);
  }
}

TEST(DovecotRequest, SaysWhatIsKnown) {
  EXPECT_EQ(dovecot_greeting(42), "VERSION\t1\t1\nCPID\t42\n");
  EXPECT_EQ(dovecot_auth_request(1, "LOGIN", "smtp", {}, std::nullopt),
            "AUTH\t1\tLOGIN\tservice=smtp\tnologin\n");
  const SaslPeer peer{.local_address = "192.0.2.1",
                      .local_port = "587",
                      .remote_address = "2001:db8::1",
                      .remote_port = "4711",
                      .has_tls = true,
                      .has_trusted_certificate = true};
  EXPECT_EQ(dovecot_auth_request(7, "PLAIN", "a\tb\n\001", peer, std::string("\0user\0pass", 10)),
            "AUTH\t7\tPLAIN\tservice=a\001tb\001l\0011\tnologin\tlip=192.0.2.1\trip=2001:db8::1\tlport=587"
            "\trport=4711\tsecured\tvalid-client-cert\tresp=AHVzZXIAcGFzcw==\n");
  EXPECT_EQ(dovecot_auth_request(2, "PLAIN", "smtp", {}, ""),
            "AUTH\t2\tPLAIN\tservice=smtp\tnologin\tresp==\n");
  EXPECT_EQ(dovecot_continue_request(7, "user"), "CONT\t7\tdXNlcg==\n");
  EXPECT_EQ(dovecot_continue_request(7, ""), "CONT\t7\t\n");
  EXPECT_EQ(dovecot_cancel_request(7), "CANCEL\t7\n");
}

TEST(DovecotReply, IsRead) {
  struct Case {
    std::string line;
    Kind kind;
    std::string text;
    std::string username;
  };
  const std::string error = "Authentication backend error";
  const Case cases[] = {
      {"CONT\t5\tVXNlcm5hbWU6", Kind::kChallenge, "Username:", ""},
      {"CONT\t5\t", Kind::kChallenge, "", ""},
      {"CONT\t5", Kind::kTemporary, error, ""},
      {"CONT\t5\t!!!", Kind::kTemporary, error, ""},
      {"OK\t5\tuser=joe", Kind::kSuccess, "", "joe"},
      {"OK\t5\tnologin\tuser=joe@example.com\tproxy\tpass=x", Kind::kSuccess, "", "joe@example.com"},
      {"OK\t5\tuser=a\0010b", Kind::kTemporary, error, ""},
      {"OK\t5\tuser=a\001lb", Kind::kTemporary, error, ""},
      {"OK\t5\tuser=a\001/b\001", Kind::kSuccess, "", "a/b"},
      {"OK\t5", Kind::kTemporary, error, ""},
      {"OK\t5\tuser=", Kind::kTemporary, error, ""},
      {"OK\t5\tusers=joe", Kind::kTemporary, error, ""},
      {"FAIL\t5", Kind::kFailure, "(reason unavailable)", ""},
      {"FAIL\t5\tuser=joe", Kind::kFailure, "(reason unavailable)", "joe"},
      {"FAIL\t5\tuser=joe\treason=Not you", Kind::kFailure, "Not you", "joe"},
      {"FAIL\t5\tuser=joe\ttemp", Kind::kTemporary, "(reason unavailable)", "joe"},
      {"FAIL\t5\ttemp\treason=Later", Kind::kTemporary, "Later", ""},
      {"FAIL\t5\tcode=temp_fail", Kind::kTemporary, "(reason unavailable)", ""},
      {"FAIL\t5\tauthz", Kind::kFailure, "authorization failed", ""},
      {"FAIL\t5\tcode=authz_fail\tauthz", Kind::kFailure, "authorization failed", ""},
      {"FAIL\t5\tuser_disabled\tuser=joe", Kind::kFailure, "user account is disabled", "joe"},
      {"FAIL\t5\tpass_expired\treason=Renew it", Kind::kFailure, "Renew it", ""},
      {"FAIL\t5\tcode=unheard", Kind::kFailure, "(reason unavailable)", ""},
  };
  for (const Case& each : cases) {
    const std::optional<DovecotReply> reply = parse_dovecot_reply(each.line);
    ASSERT_TRUE(reply) << each.line;
    EXPECT_EQ(reply->id, 5u) << each.line;
    EXPECT_EQ(reply->answer.kind, each.kind) << each.line;
    EXPECT_EQ(reply->answer.text, each.text) << each.line;
    EXPECT_EQ(reply->answer.username, each.username) << each.line;
  }
}

TEST(DovecotReply, IsNoOther) {
  for (const char* line : {"", "\t", "WHAT\t5", "OK", "OK\t", "OK\tx\tuser=joe", "OK\t-1\tuser=joe",
                           "ok\t5\tuser=joe", "OK\t99999999999\tuser=joe", "DONE", "MECH\tPLAIN"})
    EXPECT_FALSE(parse_dovecot_reply(line)) << line;
}

}  // namespace
}  // namespace mta
