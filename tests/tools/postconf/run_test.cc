#include "tools/postconf/run.h"

#include "libconf/parameter_table.h"
#include "tests/tools/postconf/run_fixture.h"

namespace postconf {
namespace {

// As the stock postconf, but for the program's name in messages.
TEST_F(RunCases, ShowMainCf) {
  check({
      {"a setting", {"relayhost"}, 0, "relayhost = [$gateway]\n"},
      {"expanded", {"-x", "relayhost"}, 0, "relayhost = [gw]\n"},
      {"default", {"-d", "relayhost", "mail_name"}, 0, "relayhost =\nmail_name = Postfix\n"},
      {"value only", {"-h", "gateway"}, 0, "gw\n"},
      {"name only", {"-H", "gateway", "mail_name"}, 0, "gateway\nmail_name\n"},
      {"in the order given", {"mail_name", "biff"}, 0, "mail_name = Postfix\nbiff = yes\n"},
      {"what main.cf sets",
       {"-n"},
       0,
       "config_directory = DIR\ngateway = gw\nmyhostname = mail.example.com\n"
       "mynetworks = 127.0.0.0/8\nrelayhost = [$gateway]\n"},
      {"what main.cf sets, of some names", {"-n", "biff", "gateway"}, 0, "gateway = gw\n"},
      {"user-defined", {"-C", "user"}, 0, "gateway = gw\n"},
      {"JSON", {"-j", "gateway"}, 0, "{\"gateway\": \"gw\"}\n"},
      {"override", {"-o", "gateway=other", "-x", "relayhost"}, 0, "relayhost = [other]\n"},
      {"folded",
       {"-f", "-o",
        "relayhost=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb $gateway",
        "relayhost"},
       0,
       "relayhost = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
       "    bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb $gateway\n"},
      {"unknown name",
       {"nosuch", "gateway"},
       0,
       "gateway = gw\n",
       "postconf: warning: nosuch: unknown parameter\n"},
      {"unknown class", {"-C", "x"}, 1, "", "postconf: fatal: unknown -C option value \"x\" in \"x\"\n"},
      {"override without equals sign",
       {"-o", "x", "biff"},
       1,
       "",
       "postconf: fatal: invalid parameter override: x: missing '=' after attribute name\n"},
  });
}

TEST_F(RunTest, ShowAllListsEveryBuiltInName) {
  const Outcome outcome = run_here({"-dH"});
  EXPECT_EQ(outcome.status, 0);
  std::string expected;
  for (const libconf::Parameter& parameter : libconf::all_parameters())
    if (libconf::is_listed(parameter)) expected += std::string(parameter.name) + "\n";
  EXPECT_EQ(outcome.out, expected);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(RunCases, ShowMasterCf) {
  check({
      {"all entries",
       {"-M"},
       0,
       "smtp       inet  n       -       n       -       -       smtpd\n"
       "submission inet  n       -       n       -       -       smtpd -o relayhost=local -o "
       "smtpd_tls_security_level=encrypt\n"
       "qmgr       unix  n       -       n       300     1       qmgr\n"},
      {"folded",
       {"-Mf", "submission/inet"},
       0,
       "submission inet  n       -       n       -       -       smtpd\n"
       "    -o relayhost=local\n    -o smtpd_tls_security_level=encrypt\n"},
      {"fields",
       {"-F", "qmgr/unix/wakeup", "qmgr/*/command"},
       0,
       "qmgr/unix/wakeup = 300\nqmgr/unix/command = qmgr\n"},
      {"field values", {"-Fh", "qmgr/unix/chroot"}, 0, "n\n"},
      {"parameters",
       {"-P"},
       0,
       "submission/inet/relayhost = local\nsubmission/inet/smtpd_tls_security_level = encrypt\n"},
      {"one parameter", {"-P", "submission/inet/relayhost"}, 0, "submission/inet/relayhost = local\n"},
      {"nothing matches", {"-M", "nosuch"}, 0, "", "postconf: warning: unmatched request: \"nosuch\"\n"},
  });
}

TEST_F(RunCases, Mistakes) {
  check({
      {"two modes", {"-M", "-F"}, 1, "", "postconf: fatal: specify one of -F, -M\n"},
      {"edit and exclude", {"-eX", "a=1"}, 1, "", "postconf: fatal: specify one of -e, -X\n"},
      {"master.cf and defaults", {"-Md"}, 1, "", "postconf: fatal: with option -M, do not specify -d\n"},
      {"no name=value",
       {"-e", "relayhost"},
       1,
       "",
       "postconf: fatal: missing '=' after attribute name: \"relayhost\"\n"},
      {"nothing to edit", {"-e"}, 1, "", "postconf: fatal: -e requires name=value argument\n"},
      {"value with -X",
       {"-X", "relayhost", "a=1"},
       1,
       "",
       "postconf: fatal: -X or -# requires parameter names without value\n"},
      {"newline in a value",
       {"a=1\n2"},
       1,
       "",
       "postconf: fatal: -e, -X, or -# accepts no multi-line input\n"},
      {"comment as an edit", {"#a=1"}, 1, "", "postconf: fatal: -e, -X, or -# accepts no comment input\n"},
      {"blank name", {"-X", " "}, 1, "", "postconf: fatal: -X or -# requires non-blank parameter names\n"},
      {"bad entry",
       {"-M", "a/unix=a unix - -"},
       1,
       "",
       "postconf: fatal: bad field count: \"a/unix=a unix - -\"\n"},
      {"wildcard field",
       {"-F", "a/unix/*=y"},
       1,
       "",
       "postconf: fatal: -Fe does not accept wild-card field name\n"},
      {"blank in a parameter's value",
       {"-P", "a/unix/b=c d"},
       1,
       "",
       "postconf: fatal: -Pe does not accept whitespace in parameter value\n"},
      {"an edit's option without an edit",
       {"--dry-run", "relayhost"},
       1,
       "",
       "postconf: fatal: --dry-run goes with an edit: name=value, -X or -#\n"},
  });
  EXPECT_EQ(main_cf(), kMainCf);
  EXPECT_EQ(master_cf(), kMasterCf);
  EXPECT_FALSE(directory.has("main.cf.tmp"));
  EXPECT_FALSE(directory.has("master.cf.tmp"));
}

TEST_F(RunTest, UnknownOptionShowsTheUsage) {
  const Outcome outcome = run_here({"-z"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(
      outcome.err.starts_with("postconf: invalid option -- 'z'\npostconf: fatal: usage: postconf [-a "))
      << outcome.err;
}

TEST_F(RunTest, MissingDirectory) {
  const Outcome outcome = run_plain({"-c", "OTHER/nosuch", "-n"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "postconf: fatal: open OTHER/nosuch/main.cf: No such file or directory\n");
}

TEST_F(RunTest, DirectoryFromTheEnvironment) {
  ::setenv("MAIL_CONFIG", directory.path().c_str(), 1);
  const Outcome outcome = run_plain({"-h", "gateway"});
  ::unsetenv("MAIL_CONFIG");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "gw\n");
}

TEST_F(RunTest, SyntaxErrors) {
  write("main.cf", "myhostname = a.b\nmynetworks = 10.0.0.0/8\njunk\n");
  Outcome outcome = run_here({"-n"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err,
            "postconf: fatal: DIR/main.cf, line 3: missing '=' after attribute name: \"junk\"\n");
  outcome = run_here({"-d", "biff"});
  EXPECT_EQ(outcome.status, 0);
  write("main.cf", "myhostname = a.b\nmynetworks = 10.0.0.0/8\nrelayhost = ${x\n");
  outcome = run_here({"biff"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("postconf: warning: truncated macro reference: \"${x\"\n"), std::string::npos);
  EXPECT_NE(outcome.err.find("postconf: fatal: macro processing error\n"), std::string::npos);
}

TEST_F(RunTest, UnusedNamesWarnUnlessQuiet) {
  write("main.cf", std::string(kMainCf) + "unused_name = 1\n");
  Outcome outcome = run_here({"gateway"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "postconf: warning: DIR/main.cf: unused parameter: unused_name=1\n");
  outcome = run_here({"-q", "gateway"});
  EXPECT_EQ(outcome.err, "");
}

TEST_F(RunTest, HelpAndVersion) {
  const Outcome help = run_plain({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.err, "");
  for (const char* word : {"--dry-run", "-#", "--explain", "Beyond Postfix"})
    EXPECT_NE(help.out.find(word), std::string::npos) << word;
  const Outcome version = run_plain({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_TRUE(version.out.starts_with("postconf (Postkit) ")) << version.out;
  EXPECT_EQ(version.err, "");
}

TEST_F(RunTest, AFailingOutputIsAnError) {
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  EXPECT_EQ(run({"-c", directory.path(), "gateway"}, out, err), 1);
  EXPECT_EQ(err.str(), "postconf: fatal: write error on standard output\n");
}

TEST_F(RunTest, ControlCharactersStayOutOfMessages) {
  const Outcome outcome = run_here({"-e", "a\x1B[31m"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err.find('\x1B'), std::string::npos);
}

}  // namespace
}  // namespace postconf
