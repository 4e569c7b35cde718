#include <unistd.h>

#include "tests/tools/postconf/run_fixture.h"

namespace postconf {
namespace {

struct EditCase {
  const char* name;
  Strings arguments;
  const char* file;
  std::string before;
  std::string after;
};

const EditCase kEdits[] = {
    {"set", {"-e", "relayhost=new"}, "main.cf", "relayhost = old\n", "relayhost = new\n"},
    {"set without -e", {"relayhost = a b"}, "main.cf", "relayhost = old\n", "relayhost = a b\n"},
    {"set several", {"b=2", "a=1"}, "main.cf", "", "a = 1\nb = 2\n"},
    {"remove", {"-X", "a", "b"}, "main.cf", "a = 1\n# note\nb = 2\nc = 3\n", "# note\nc = 3\n"},
    {"comment out", {"-#", "a"}, "main.cf", "a = 1\n  2\n", "#a = 1\n#  2\n"},
    {"no such name", {"-X", "nosuch"}, "main.cf", "a = 1", "a = 1"},
    {"entry",
     {"-M", "a/unix=a unix - n n - - a"},
     "master.cf",
     "",
     "a          unix  -       n       n       -       -       a\n"},
    {"remove an entry",
     {"-MX", "a/unix"},
     "master.cf",
     "a unix - n n - - a\nb unix - n n - - b\n",
     "b unix - n n - - b\n"},
    {"comment an entry out", {"-M#", "a/unix"}, "master.cf", "a unix - n n - - a\n", "#a unix - n n - - a\n"},
    {"field",
     {"-F", "a/unix/chroot=y"},
     "master.cf",
     "a unix - n n - - a\n",
     "a          unix  -       n       y       -       -       a\n"},
    {"parameter",
     {"-P", "a/unix/x=1"},
     "master.cf",
     "a unix - n n - - a\n",
     "a          unix  -       n       n       -       -       a\n    -o x=1\n"},
    {"remove a parameter",
     {"-PX", "a/unix/x"},
     "master.cf",
     "a unix - n n - - a -o x=1 -o y=2\n",
     "a          unix  -       n       n       -       -       a\n    -o y=2\n"},
};

TEST_F(RunTest, Edits) {
  for (const EditCase& c : kEdits) {
    SCOPED_TRACE(std::string(c.name) + ": " + shown(c.arguments));
    write(c.file, c.before);
    const Outcome outcome = run_here(c.arguments);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(directory.read(c.file), c.after);
    EXPECT_FALSE(directory.has(std::string(c.file) + ".tmp"));
  }
}

TEST_F(RunTest, DryRunPrintsTheDifferenceAndTouchesNothing) {
  for (const EditCase& c : kEdits) {
    SCOPED_TRACE(std::string(c.name) + ": " + shown(c.arguments));
    write(c.file, c.before);
    struct stat before {
    }, after{};
    ASSERT_EQ(::stat(directory.path(c.file).c_str(), &before), 0);
    Strings arguments = c.arguments;
    arguments.emplace_back("--dry-run");
    const Outcome outcome = run_here(arguments);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    const std::string heading = std::string("--- DIR/") + c.file + "\n+++ DIR/" + c.file + "\n@@ ";
    EXPECT_EQ(outcome.out.empty(), c.before == c.after) << outcome.out;
    EXPECT_TRUE(outcome.out.empty() || outcome.out.starts_with(heading)) << outcome.out;
    EXPECT_EQ(directory.read(c.file), c.before);
    ASSERT_EQ(::stat(directory.path(c.file).c_str(), &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino);
    EXPECT_EQ(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
    EXPECT_FALSE(directory.has(std::string(c.file) + ".tmp"));
  }
}

TEST_F(RunTest, DryRunText) {
  const Outcome outcome = run_here({"--dry-run", "relayhost=[new]"});
  EXPECT_EQ(outcome.out,
            "--- DIR/main.cf\n"
            "+++ DIR/main.cf\n"
            "@@ -1,5 +1,5 @@\n"
            " # head\n"
            " myhostname = mail.example.com\n"
            "-relayhost = [$gateway]\n"
            "+relayhost = [new]\n"
            " gateway = gw\n"
            " mynetworks = 127.0.0.0/8\n");
}

TEST_F(RunTest, ChangedTellsByItsStatus) {
  for (const bool dry_run : {false, true}) {
    for (const EditCase& c : kEdits) {
      SCOPED_TRACE(std::string(c.name) + ": " + shown(c.arguments));
      write(c.file, c.before);
      Strings arguments = c.arguments;
      arguments.emplace_back("--changed");
      if (dry_run) arguments.emplace_back("--dry-run");
      EXPECT_EQ(run_here(arguments).status, c.before == c.after ? 0 : 10);
      if (dry_run) continue;
      EXPECT_EQ(run_here(arguments).status, 0) << "the second time";
    }
  }
  EXPECT_EQ(run_here({"--changed", "a"}).status, 1);
  EXPECT_EQ(run_here({"--changed", "-e", "a"}).status, 1);
}

TEST_F(RunTest, StrictRefusesMistakes) {
  struct StrictCase {
    const char* name;
    Strings arguments;
    const char* error;  ///< Empty: accepted.
  };
  const StrictCase cases[] = {
      {"good value", {"biff=no"}, ""},
      {"number", {"message_size_limit=20000000"}, ""},
      {"expression", {"mail_name=$myhostname"}, ""},
      {"name that another uses", {"gateway=other"}, ""},
      {"new name that another new setting uses", {"mail_name=$my_own", "my_own=x"}, ""},
      {"unknown name", {"nosuch_name=1"}, "unknown parameter: nosuch_name"},
      {"misspelt name", {"relayhots=[gw]"}, "unknown parameter: relayhots"},
      {"bad boolean", {"biff=perhaps"}, "bad boolean configuration: biff = perhaps"},
      {"bad number", {"message_size_limit=10M"}, "bad numerical configuration: message_size_limit = 10M"},
      {"number out of range",
       {"default_process_limit=0"},
       "invalid default_process_limit parameter value 0 < 1"},
      {"bad time", {"queue_run_delay=5y"}, "parameter queue_run_delay: bad time value or unit: 5y"},
      {"one of two is bad", {"mail_name=x", "biff=x"}, "bad boolean configuration: biff = x"},
      {"good option", {"-P", "submission/inet/biff=no"}, ""},
      {"bad option", {"-P", "submission/inet/biff=x"}, "bad boolean configuration: biff = x"},
      {"unknown option", {"-P", "submission/inet/nosuch_name=1"}, "unknown parameter: nosuch_name"},
      {"no such service, parameter",
       {"-P", "nosuch/inet/biff=no"},
       "DIR/master.cf: no such service: nosuch/inet"},
      {"no such service, field",
       {"-F", "nosuch/inet/chroot=y"},
       "DIR/master.cf: no such service: nosuch/inet"},
      {"good field", {"-F", "smtp/inet/chroot=y"}, ""},
      {"good entry", {"-M", "new/unix=new unix - - n - - smtp -o relayhost=x"}, ""},
      {"entry with a bad option",
       {"-M", "new/unix=new unix - - n - - smtp -o biff=x"},
       "bad boolean configuration: biff = x"},
      {"removal", {"-X", "relayhost"}, ""},
      {"removal of an entry", {"-MX", "qmgr/unix"}, ""},
  };
  for (const StrictCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + shown(c.arguments));
    for (const bool dry_run : {true, false}) {
      SCOPED_TRACE(dry_run ? "dry run" : "");
      write("main.cf", kMainCf);
      write("master.cf", kMasterCf);
      Strings arguments = c.arguments;
      arguments.emplace_back("--strict");
      if (dry_run) arguments.emplace_back("--dry-run");
      const Outcome outcome = run_here(arguments);
      const bool refused = *c.error != '\0';
      EXPECT_EQ(outcome.status, refused ? 1 : 0) << outcome.err;
      EXPECT_EQ(outcome.err.find(std::string("postconf: fatal: ") + c.error +
                                 " (--strict; nothing was changed)\n") != std::string::npos,
                refused)
          << outcome.err;
      const bool is_same = main_cf() == kMainCf && master_cf() == kMasterCf;
      EXPECT_EQ(is_same, refused || dry_run);
      EXPECT_FALSE(directory.has("main.cf.tmp"));
      EXPECT_FALSE(directory.has("master.cf.tmp"));
    }
  }
}

TEST_F(RunTest, EditOfAMissingFile) {
  ASSERT_EQ(::unlink(directory.path("main.cf").c_str()), 0);
  for (const Strings& arguments : {Strings{"a=1"}, Strings{"-X", "a"}}) {
    const Outcome outcome = run_here(arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err, "postconf: fatal: open DIR/main.cf for reading: No such file or directory\n");
    EXPECT_FALSE(directory.has("main.cf"));
  }
}

}  // namespace
}  // namespace postconf
