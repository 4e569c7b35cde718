// The program as a function: what it decides, what it prints, how it ends. Replies are smtpd's, as
// tests/differential/explain_differential.py compares them with a genuine one.
#include "tools/postexplain/run.h"

#include <gtest/gtest.h>

#include <sstream>

#include "libconf/text.h"
#include "tests/libconf/temp_directory.h"

namespace postexplain {
namespace {

constexpr const char* kMainCf = R"(compatibility_level = 3.6
myhostname = mx.test.example
mydestination = local.example
inet_interfaces = 127.0.0.1
mynetworks = 10.0.0.0/8
relay_domains = relay.example
alias_maps =
local_recipient_maps = inline:{ann=x}
virtual_alias_domains = va.example
virtual_alias_maps = inline:{{bob@va.example=ann@local.example, joe@far.example}}
sender_canonical_maps = inline:{{root@local.example=it@example.com}}
transport_maps = inline:{{far.example=relay:[hub.example]},{lost.example=nosuch:x}}
smtpd_recipient_restrictions = check_client_access texthash:$config_directory/clients,
  reject_unauth_destination
)";

constexpr const char* kMasterCf = R"(smtp inet n - n - - smtpd
587 inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject
2525 inet n - n - - postscreen
smtpd pass - - n - - smtpd -o smtpd_client_restrictions=reject
filtered inet n - n - - smtpd -o content_filter=scan:[127.0.0.1]:10025
nosafeguard inet n - n - - smtpd -o smtpd_recipient_restrictions=permit -o smtpd_relay_restrictions=permit
cleanup unix n - n - 0 cleanup
smtp unix - - n - - smtp
relay unix - - n - - smtp
local unix - n n - - local
)";

struct Result {
  int status;
  std::string out;
  std::string err;
};

class RunTest : public testing::Test {
 protected:
  RunTest() {
    directory_.write("main.cf", kMainCf);
    directory_.write("master.cf", kMasterCf);
    directory_.write("clients",
                     "# clients\n192.0.2.9 REJECT go away\n192.0.2.10 HOLD\n192.0.2.11 DISCARD\n"
                     "192.0.2.12 DEFER_IF_PERMIT later\n");
  }

  Result run_program(std::vector<std::string> arguments) {
    std::ostringstream out;
    std::ostringstream err;
    const int status = run(arguments, out, err);
    return {status, out.str(), err.str()};
  }

  /// A mail to ann@local.example from a client without a name, unless `more` says otherwise.
  Result explain(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"-c",       directory_.path(), "--client",         "192.0.2.7",
                                          "--helo",   "client.example",  "--sender",         "a@x.example",
                                          "--no-dns", "--recipient",     "ann@local.example"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  std::string verdict(std::vector<std::string> more) {
    const Result done = explain(std::move(more));
    const std::size_t start = done.out.rfind("verdict: ");
    if (start == std::string::npos) return done.err;
    return done.out.substr(start + 9, done.out.size() - start - 10);
  }

  postkit_test::TempDirectory directory_;
};

TEST_F(RunTest, Decides) {
  struct DecisionCase {
    std::vector<std::string> arguments;
    const char* verdict;
  };
  const DecisionCase cases[] = {
      {{}, "permit, local:mx.test.example for <ann@local.example>"},
      {{"--client", "192.0.2.9"},
       "reject at RCPT TO:<ann@local.example>: 554 5.7.1 <unknown[192.0.2.9]>: Client host rejected: go "
       "away"},
      {{"--client", "192.0.2.9", "--client-name", "c.example"},
       "reject at RCPT TO:<ann@local.example>: 554 5.7.1 <c.example[192.0.2.9]>: Client host rejected: go "
       "away"},
      {{"--client", "192.0.2.10"}, "permit, held, local:mx.test.example for <ann@local.example>"},
      {{"--client", "192.0.2.11"}, "discard"},
      {{"--client", "192.0.2.12"},
       "defer at RCPT TO:<ann@local.example>: 450 4.7.1 <unknown[192.0.2.12]>: Client host rejected: later"},
      {{"--recipient", "<eve@local.example>"},
       "reject at RCPT TO:<eve@local.example>: 550 5.1.1 <eve@local.example>: Recipient address rejected: "
       "User "
       "unknown in local recipient table"},
      {{"--recipient", "b@far.example"},
       "defer at RCPT TO:<b@far.example>: 454 4.7.1 <b@far.example>: Relay access denied"},
      {{"--recipient", "bob@va.example"},
       "permit, local:mx.test.example for <ann@local.example>, relay:[hub.example] for <joe@far.example>"},
      {{"--service", "submission"},
       "reject at RCPT TO:<ann@local.example>: 554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access "
       "denied"},
      {{"--service", "submission", "--sasl-user", "joe"},
       "permit, local:mx.test.example for <ann@local.example>"},
      {{"--service", "2525"},
       "reject at RCPT TO:<ann@local.example>: 554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access "
       "denied"},
      {{"--service", "filtered"}, "permit, scan:[127.0.0.1]:10025 for <ann@local.example>"},
      {{"--sender", "nobody", "--recipient", "a@x, b@y"}, "postexplain: fatal: no address: a@x, b@y\n"},
      {{"--client", "x"}, "postexplain: fatal: no IP address: x\n"},
      {{"--recipient", "r@relay.example"}, "permit, relay:relay.example for <r@relay.example>"},
  };
  for (const DecisionCase& each : cases) {
    EXPECT_EQ(verdict(each.arguments), each.verdict);
  }
}

TEST_F(RunTest, NamesTheLineThatDecides) {
  const Result done = explain({"--client", "192.0.2.9"});
  const std::string place = directory_.path("clients") + ":2";
  EXPECT_NE(done.out.find("\"192.0.2.9\" = \"REJECT go away\" at " + place), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("  smtpd_recipient_restrictions (" + directory_.path("main.cf") + ":13)\n"),
            std::string::npos)
      << done.out;
  EXPECT_EQ(done.out.find("not there"), std::string::npos);
  const Result verbose = explain({"--client", "192.0.2.9", "-v"});
  EXPECT_NE(verbose.out.find("\"unknown\": not there"), std::string::npos) << verbose.out;
}

TEST_F(RunTest, ShowsStepsOfRewritingAndTheAgent) {
  const Result done = explain({"--sender", "root@local.example", "--recipient", "bob@va.example"});
  for (const std::string& line :
       {std::string("sender <root@local.example> -> <it@example.com>"),
        std::string("canonical maps: root@local.example -> it@example.com"),
        std::string("virtual aliases: bob@va.example -> ann@local.example, joe@far.example"),
        std::string("<joe@far.example>, class default -> relay:[hub.example], for <joe@far.example>"),
        "delivery agent at " + directory_.path("master.cf") + ":10: relay unix - - n - - smtp"})
    EXPECT_NE(done.out.find(line + "\n"), std::string::npos) << line << "\n" << done.out;
}

TEST_F(RunTest, TheClientIsToldWhatTheSiteMakesOfARefusal) {
  directory_.write("main.cf", libconf::concat(kMainCf, "smtpd_reject_footer = \\c. Ask $server_name\n"));
  EXPECT_EQ(verdict({"--client", "192.0.2.9"}),
            "reject at RCPT TO:<ann@local.example>: 554 5.7.1 <unknown[192.0.2.9]>: Client host rejected: go "
            "away. Ask mx.test.example");
}

TEST_F(RunTest, ShowsWhatIsSentInPlaceOfLocalAddresses) {
  directory_.write(
      "main.cf",
      libconf::concat(kMainCf, "smtp_generic_maps = inline:{ann@local.example=ann@example.com}\n"));
  const Result done = explain({"--sender", "ann@local.example", "--recipient", "bob@va.example"});
  EXPECT_NE(done.out.find("generic maps: ann@local.example -> ann@example.com\n"), std::string::npos)
      << done.out;
}

TEST_F(RunTest, AProxyFilterHasTheLastWord) {
  directory_.write("main.cf", libconf::concat(kMainCf, "smtpd_proxy_filter = 127.0.0.1:10024\n"));
  EXPECT_EQ(verdict({}), "permit");
  EXPECT_NE(explain({}).out.find("the mail goes to the server 127.0.0.1:10024"), std::string::npos);
}

TEST_F(RunTest, ATransportWithoutAServiceIsShown) {
  const Result done =
      explain({"--client", "10.0.0.1", "--recipient", "x@relay.example", "--service", "filtered"});
  EXPECT_NE(done.out.find("has no service scan; the mail is deferred"), std::string::npos) << done.out;
}

TEST_F(RunTest, InspectsContent) {
  directory_.write("main.cf", libconf::concat(kMainCf,
                                              "header_checks = regexp:{{/^Subject: bad/ REJECT not that},"
                                              "{/^Subject: redirect/ REDIRECT it@far.example},"
                                              "{/^Subject: copy/ BCC keeper@far.example}}\n"
                                              "body_checks = regexp:{{/secret/ HOLD}}\n"));
  struct ContentCase {
    const char* message;
    const char* verdict;
  };
  const ContentCase cases[] = {
      {"Subject: bad\n\nx\n", "reject at end of data: 550 5.7.1 not that"},
      {"Subject: redirect\r\n\r\nx\r\n", "permit, relay:[hub.example] for <it@far.example>"},
      {"Subject: copy\n\nx",
       "permit, local:mx.test.example for <ann@local.example>, relay:[hub.example] for <keeper@far.example>"},
      {"Subject: x\n\na secret\n", "permit, held, local:mx.test.example for <ann@local.example>"},
  };
  for (const ContentCase& each : cases) {
    directory_.write("message", each.message);
    EXPECT_EQ(verdict({"--message", directory_.path("message")}), each.verdict) << each.message;
  }
}

TEST_F(RunTest, AsksTheAnswersFile) {
  directory_.write("main.cf",
                   libconf::concat(kMainCf,
                                   "smtpd_client_restrictions = check_policy_service inet:localhost:1, "
                                   "reject_unknown_client_hostname\n"
                                   "smtpd_sender_restrictions = reject_unverified_sender\n"
                                   "smtpd_milters = inet:localhost:2\n"));
  std::vector<std::string> arguments = {
      "-c",     directory_.path(),          "--client",    "192.0.2.7",
      "--helo", "client.example",           "--sender",    "a@x.example",
      "--dns",  directory_.path("answers"), "--recipient", "ann@local.example"};
  const std::string names =
      "7.2.0.192.in-addr.arpa PTR c.example\nc.example A 192.0.2.7\nverify a@x.example: deliverable\n";
  const std::pair<std::string, std::string> cases[] = {
      {"", "verdict: defer at RCPT TO:<ann@local.example>: 450 4.7.25 "},
      {names, "verdict: permit, local:mx.test.example for <ann@local.example>\n"},
      {names + "policy: REJECT by policy\n",
       "554 5.7.1 <c.example[192.0.2.7]>: Client host rejected: by policy\n"},
      {names + "verify a@x.example: undeliverable nobody\n",
       "450 4.1.7 <a@x.example>: Sender address rejected: unverified address: nobody\n"},
      {names + "milter: reject\n", "verdict: reject at end of data: 550 5.7.1 Command rejected\n"},
      {names + "milter inet:localhost:2: 452 4.3.1 no room\n",
       "verdict: defer at end of data: 452 4.3.1 no room\n"},
      {names + "milter: quarantine\n",
       "verdict: permit, held, local:mx.test.example for <ann@local.example>\n"},
  };
  for (const auto& [answers, verdict] : cases) {
    directory_.write("answers", answers);
    const Result done = run_program(arguments);
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_NE(done.out.find(verdict), std::string::npos) << answers << done.out;
  }
}

// A checkout has the sources of tables, and no indexes.
TEST_F(RunTest, ReadsTheSourceOfAnIndexThatIsNotThere) {
  directory_.write("main.cf", libconf::concat(kMainCf,
                                              "virtual_alias_maps = proxy:lmdb:$config_directory/virtual\n"
                                              "alias_maps = hash:$config_directory/aliases\n"
                                              "local_recipient_maps = $alias_maps\n"));
  directory_.write("virtual", "# aliases\nBob@va.example\n  root@local.example\n");
  directory_.write("aliases", "# aliases\nRoot: ann\n\"a b\": |\"/bin/x y\"\n");
  EXPECT_EQ(verdict({"--recipient", "bob@va.example"}),
            "permit, local:mx.test.example for <root@local.example>");
  EXPECT_EQ(verdict({"--recipient", "root@local.example"}),
            "permit, local:mx.test.example for <root@local.example>");
  EXPECT_EQ(verdict({"--recipient", "ann@local.example"}),
            "reject at RCPT TO:<ann@local.example>: 550 5.1.1 <ann@local.example>: Recipient address "
            "rejected: User "
            "unknown in local recipient table");
  const Result done = explain({"--recipient", "bob@va.example"});
  const std::string table = "proxy:lmdb:" + directory_.path("virtual");
  EXPECT_NE(done.out.find(table + " has no index: its source is read\n"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find(table + " \"bob@va.example\" = \"root@local.example\" at " +
                          directory_.path("virtual") + ":2\n"),
            std::string::npos)
      << done.out;
  // Without a source either, nobody can tell.
  std::filesystem::remove(directory_.path("virtual"));
  EXPECT_EQ(verdict({"--recipient", "bob@va.example"}),
            "defer at RCPT TO:<bob@va.example>: 451 4.3.0 <bob@va.example>: Temporary lookup failure");
}

TEST_F(RunTest, WithoutAnswersNamesFailForNow) {
  directory_.write("main.cf",
                   libconf::concat(kMainCf, "smtpd_client_restrictions = reject_unknown_client_hostname\n"));
  const Result done = run_program(
      {"-c", directory_.path(), "--client", "192.0.2.7", "--sender", "", "--recipient", "ann@local.example"});
  EXPECT_NE(
      done.out.find("verdict: defer at RCPT TO:<ann@local.example>: 450 4.7.25 Client host rejected: cannot "
                    "find your hostname, [192.0.2.7]\n"),
      std::string::npos)
      << done.out;
}

TEST_F(RunTest, ExitStatus) {
  struct StatusCase {
    std::vector<std::string> arguments;
    int status;
    const char* err;
  };
  const StatusCase cases[] = {
      {{"--expect", "permit"}, 0, ""},
      {{"--expect", "local:mx.test.example"}, 0, ""},
      {{"--expect", "reject"},
       1,
       "postexplain: warning: expected reject, got permit, local:mx.test.example for <ann@local.example>\n"},
      {{"--expect", "smtp:x"},
       1,
       "postexplain: warning: expected smtp:x, got permit, local:mx.test.example for <ann@local.example>\n"},
      {{"--expect", "bounce"},
       2,
       "postexplain: fatal: --expect takes permit, reject, defer, discard or transport:nexthop\n"},
      {{"--live"}, 2, "postexplain: fatal: specify one of --dns, --no-dns, --live\n"},
      {{"stray"}, 2, "postexplain: fatal: unexpected: stray\n"},
  };
  for (const StatusCase& each : cases) {
    const Result done = explain(each.arguments);
    EXPECT_EQ(done.status, each.status);
    EXPECT_EQ(done.err, each.err);
  }
  EXPECT_EQ(run_program({"--client", "192.0.2.7"}).status, 2);
  EXPECT_EQ(run_program({"--help"}).status, 0);
  Result done = explain({"--service", "nosuch"});
  EXPECT_EQ(done.status, 3);
  EXPECT_EQ(done.err,
            "postexplain: fatal: " + directory_.path("master.cf") + " has no smtpd service \"nosuch\"\n");
  EXPECT_EQ(explain({"-c", "/no/such/directory"}).status, 3);
  EXPECT_EQ(explain({"--message", "/no/such/file"}).status, 3);
  // What keeps smtpd from serving keeps it from being explained.
  done = explain({"--service", "nosafeguard"});
  EXPECT_EQ(done.status, 3);
  EXPECT_NE(done.err.find("specify at least one working instance of"), std::string::npos) << done.err;
}

TEST_F(RunTest, CasesAreATest) {
  directory_.write("cases",
                   "# relaying\n"
                   "--expect permit                              # its own mail\n"
                   "--client 192.0.2.9 --expect reject           # an unwanted client\n"
                   "--recipient bob@va.example --expect 'relay:[hub.example]'\n"
                   "--recipient x@far.example --expect reject    # fails\n");
  Result done = explain({"--cases", directory_.path("cases")});
  EXPECT_EQ(done.status, 1);
  EXPECT_EQ(done.err, "");
  const std::string start =
      "TAP version 13\n1..4\nok 1 - its own mail\nok 2 - an unwanted client\nok 3 - line 4\nnot ok 4 - "
      "fails\n"
      "# expected reject, got defer at RCPT TO:<x@far.example>: 454 4.7.1 <x@far.example>: Relay access "
      "denied\n"
      "#   service at ";
  EXPECT_EQ(done.out.substr(0, start.size()), start);
  done = explain({"--cases", directory_.path("cases"), "-j"});
  EXPECT_EQ(done.status, 1);
  EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 4);
  directory_.write("cases", "--tls\n--no-such-option\n");
  done = explain({"--cases", directory_.path("cases")});
  EXPECT_EQ(done.status, 2);
  EXPECT_NE(done.err.find("cases, line 2: unknown option --no-such-option"), std::string::npos) << done.err;
  directory_.write("cases", "--cases x\n");
  EXPECT_EQ(explain({"--cases", directory_.path("cases")}).status, 2);
}

TEST_F(RunTest, PrintsJson) {
  const Result done = explain({"-j", "--client", "192.0.2.9"});
  const std::string start =
      "{\"decision\": \"reject\", \"stage\": \"RCPT TO:<ann@local.example>\", \"reply\": \"554 5.7.1 "
      "<unknown[192.0.2.9]>: Client host rejected: go away\", \"held\": false, \"deliveries\": [], "
      "\"trace\": [";
  EXPECT_EQ(done.out.substr(0, start.size()), start);
  EXPECT_NE(done.out.find("{\"kind\": \"lookup\", \"table\": \"texthash:"), std::string::npos);
  EXPECT_TRUE(done.out.ends_with("]}\n"));
}

}  // namespace
}  // namespace postexplain
