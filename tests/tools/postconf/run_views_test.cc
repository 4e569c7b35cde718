#include <algorithm>

#include "tests/tools/postconf/run_fixture.h"

namespace postconf {
namespace {

TEST_F(RunCases, CheckOfAGoodConfiguration) {
  check({{"text", {"--check"}, 0, ""}, {"JSON", {"--check", "-j"}, 0, ""}});
}

TEST_F(RunTest, Check) {
  struct CheckCase {
    const char* name;
    const char* main_cf;  ///< Behind kMainCf, from line 6 on.
    const char* master_cf;
    int status;
    Strings lines;  ///< Parts of the output; each must be there.
  };
  const CheckCase cases[] = {
      {"unused name",
       "unused_name = 1\n",
       kMasterCf,
       0,
       {"DIR/main.cf:6: warning: unused parameter: unused_name=1 [unused-parameter]\n"}},
      {"bad value",
       "biff = maybe\n",
       kMasterCf,
       1,
       {"DIR/main.cf:6: error: bad boolean configuration: biff = maybe [bad-value]\n"}},
      {"out of range",
       "default_process_limit = 0\n",
       kMasterCf,
       1,
       {"error: invalid default_process_limit parameter value 0 < 1 [bad-value]\n"}},
      {"overridden",
       "relayhost = x\nmail_name = $gateway\n",
       kMasterCf,
       0,
       {"DIR/main.cf:6: warning: overriding earlier entry: relayhost=[$gateway] [duplicate-parameter]\n"}},
      {"malformed line",
       "junk\n",
       kMasterCf,
       1,
       {"DIR/main.cf:6: error: missing '=' after attribute name: \"junk\" "}},
      {"bad expression", "mail_name = ${\n", kMasterCf, 1, {"truncated macro reference"}},
      {"bad option of a service",
       "",
       "smtp inet n - n - - smtpd -o biff=x\n",
       1,
       {"DIR/master.cf:1: error: bad boolean configuration: biff = x [bad-value]\n"}},
      {"malformed entry", "", "smtp inet n - n -\n", 1, {"DIR/master.cf:1: error: bad field count "}},
      {"several at once",
       "biff = maybe\nunused_name = 1\nsoft_bounce = 2\n",
       kMasterCf,
       1,
       {"DIR/main.cf:6: error: ", "DIR/main.cf:7: warning: ", "DIR/main.cf:8: error: "}},
  };
  for (const CheckCase& c : cases) {
    SCOPED_TRACE(c.name);
    write("main.cf", std::string(kMainCf) + c.main_cf);
    write("master.cf", c.master_cf);
    const Outcome outcome = run_here({"--check"});
    EXPECT_EQ(outcome.status, c.status);
    EXPECT_EQ(outcome.err, "");
    for (const std::string& line : c.lines)
      EXPECT_NE(outcome.out.find(line), std::string::npos) << line << "\nin:\n" << outcome.out;
    const Outcome json = run_here({"--check", "-j"});
    EXPECT_EQ(json.status, c.status);
    EXPECT_TRUE(json.out.starts_with("{\"severity\": \"")) << json.out;
    EXPECT_EQ(std::count(json.out.begin(), json.out.end(), '\n'),
              std::count(outcome.out.begin(), outcome.out.end(), '\n'));
  }
}

TEST_F(RunTest, Diff) {
  write_other("main.cf",
              "myhostname = mail.example.com\nmynetworks   =   127.0.0.0/8\nrelayhost =\nbiff = no\n");
  write_other("master.cf",
              "qmgr unix n - n 300 1 qmgr\n"
              "smtp   inet  n - y - - smtpd\n"
              "submission inet n - n - - smtpd -o relayhost=other\n");
  Outcome outcome = run_here({"--diff", "OTHER"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out,
            "main.cf\n"
            "- biff = yes  # default\n"
            "+ biff = no\n"
            "- gateway = gw\n"
            "- relayhost = [$gateway]\n"
            "+ relayhost =\n"
            "\n"
            "master.cf\n"
            "- smtp/inet/chroot = n\n"
            "+ smtp/inet/chroot = y\n"
            "- submission/inet -o relayhost = local\n"
            "+ submission/inet -o relayhost = other\n"
            "- submission/inet -o smtpd_tls_security_level = encrypt\n");
  outcome = run_here({"--diff=OTHER", "-j"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 6);
  EXPECT_NE(outcome.out.find("{\"file\": \"main.cf\", \"name\": \"relayhost\", \"before\": \"[$gateway]\", "
                             "\"after\": \"\"}\n"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find(
                "{\"file\": \"main.cf\", \"name\": \"gateway\", \"before\": \"gw\", \"after\": null}\n"),
            std::string::npos)
      << outcome.out;
}

TEST_F(RunTest, DiffOfEqualDirectories) {
  write_other("main.cf",
              "mynetworks=127.0.0.0/8\n# other words\ngateway =\n  gw\nrelayhost = [$gateway]\n"
              "myhostname = mail.example.com\n");
  write_other("master.cf", std::string("# comment\n") + kMasterCf);
  const Outcome outcome = run_here({"--diff", "OTHER"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(RunTest, DiffWithAMissingDirectory) {
  const Outcome outcome = run_here({"--diff", "OTHER/nosuch"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "postconf: fatal: open OTHER/nosuch/main.cf: No such file or directory\n");
}

TEST_F(RunCases, OriginAndService) {
  check({
      {"origins",
       {"--origin", "relayhost", "mail_name"},
       0,
       "relayhost = [$gateway]  # DIR/main.cf:3\n"
       "mail_name = Postfix     # default\n"},
      {"behind the names", {"relayhost", "--origin"}, 0, "relayhost = [$gateway]  # DIR/main.cf:3\n"},
      {"expanded", {"--origin", "-x", "relayhost"}, 0, "relayhost = [gw]  # DIR/main.cf:3\n"},
      {"override", {"--origin", "-o", "gateway=x", "gateway"}, 0, "gateway = x  # -o\n"},
      {"what main.cf sets, of some names",
       {"-n", "--origin", "gateway", "biff", "mynetworks"},
       0,
       "gateway = gw              # DIR/main.cf:4\n"
       "mynetworks = 127.0.0.0/8  # DIR/main.cf:5\n"},
      {"a service",
       {"--service", "submission/inet", "relayhost", "gateway"},
       0,
       "relayhost = local  # DIR/master.cf:2 (-o)\n"
       "gateway = gw       # DIR/main.cf:4\n"},
      {"another service",
       {"--service=smtp/inet", "relayhost"},
       0,
       "relayhost = [$gateway]  # DIR/main.cf:3\n"},
      {"no such service",
       {"--service", "nosuch/inet"},
       1,
       "",
       "postconf: fatal: DIR/master.cf has no service nosuch/inet (give it as name/type; postconf -M lists "
       "the "
       "services)\n"},
  });
}

TEST_F(RunTest, OriginJson) {
  const Outcome outcome = run_here({"--origin", "-j", "relayhost", "mail_name"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out,
            "{\"name\": \"relayhost\", \"value\": \"[$gateway]\", \"set_by\": \"main.cf\", \"file\": "
            "\"DIR/main.cf\", \"line\": 3}\n"
            "{\"name\": \"mail_name\", \"value\": \"Postfix\", \"set_by\": \"default\"}\n");
}

TEST_F(RunTest, Explain) {
  const Outcome outcome = run_here({"--explain", "relayhost"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(outcome.out.starts_with("relayhost\n")) << outcome.out;
  for (const char* fact :
       {"built-in", "string", "[$gateway]  # DIR/main.cf:3", "$gateway = gw  # DIR/main.cf:4", "[gw]",
        "submission/inet sets local  # DIR/master.cf:2"})
    EXPECT_NE(outcome.out.find(fact), std::string::npos) << fact << "\nin:\n" << outcome.out;
}

TEST_F(RunTest, ExplainKinds) {
  struct ExplainCase {
    const char* name;
    std::vector<std::string> facts;
  };
  for (const ExplainCase& c : {ExplainCase{"gateway", {"user-defined", "gw  # DIR/main.cf:4"}},
                               ExplainCase{"biff", {"built-in", "boolean", "yes"}},
                               ExplainCase{"default_process_limit", {"at least 1", "100"}},
                               ExplainCase{"mydomain", {"example.com  # default (host)"}}}) {
    SCOPED_TRACE(c.name);
    const Outcome outcome = run_here({"--explain", c.name});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    for (const std::string& fact : c.facts)
      EXPECT_NE(outcome.out.find(fact), std::string::npos) << fact << "\nin:\n" << outcome.out;
  }
}

TEST_F(RunCases, ExplainOfAnUnknownName) {
  check({
      {"near a built-in name",
       {"--explain", "relayhots"},
       1,
       "",
       "postconf: fatal: relayhots: unknown parameter; did you mean relayhost?\n"},
      {"near a user-defined name",
       {"--explain", "gatway"},
       1,
       "",
       "postconf: fatal: gatway: unknown parameter; did you mean gateway?\n"},
      {"near nothing",
       {"--explain", "zzzzzzzzzzzz"},
       1,
       "",
       "postconf: fatal: zzzzzzzzzzzz: unknown parameter\n"},
  });
}

}  // namespace
}  // namespace postconf
