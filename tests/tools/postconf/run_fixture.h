/// What the tests of postconf::run() share: a small configuration in directories of its own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/libconf/temp_directory.h"
#include "tools/postconf/run.h"

namespace postconf {

using Strings = std::vector<std::string>;

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

inline constexpr char kMainCf[] =
    "# head\n"
    "myhostname = mail.example.com\n"
    "relayhost = [$gateway]\n"
    "gateway = gw\n"
    "mynetworks = 127.0.0.0/8\n";

inline constexpr char kMasterCf[] =
    "smtp inet n - n - - smtpd\n"
    "submission inet n - n - - smtpd -o relayhost=local -o smtpd_tls_security_level=encrypt\n"
    "qmgr unix n - n 300 1 qmgr\n";

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t i = text.find(from); i != std::string::npos; i = text.find(from, i + to.size()))
    text.replace(i, from.size(), to);
  return text;
}

/// Two directories: DIR is the one of -c, OTHER is there for --diff. Their paths are written so in what is
/// printed.
class RunTest : public testing::Test {
 protected:
  RunTest() {
    ::unsetenv("MAIL_CONFIG");
    write("main.cf", kMainCf);
    write("master.cf", kMasterCf);
  }

  /// Old files: a main.cf that changed just now hides config_directory, as in Postfix.
  void write(const std::string& name, std::string_view text) {
    directory.write(name, text);
    make_old(directory.path(name));
  }
  void write_other(const std::string& name, std::string_view text) {
    other.write(name, text);
    make_old(other.path(name));
  }

  Outcome run_plain(Strings arguments) {
    for (std::string& argument : arguments) argument = replaced(argument, "OTHER", other.path());
    std::ostringstream out, err;
    Outcome outcome;
    outcome.status = run(arguments, out, err);
    outcome.out = normalised(out.str());
    outcome.err = normalised(err.str());
    return outcome;
  }

  /// With -c DIR in front.
  Outcome run_here(Strings arguments) {
    arguments.insert(arguments.begin(), {"-c", directory.path()});
    return run_plain(std::move(arguments));
  }

  std::string main_cf() const { return directory.read("main.cf"); }
  std::string master_cf() const { return directory.read("master.cf"); }

  postkit_test::TempDirectory directory;
  postkit_test::TempDirectory other;

 private:
  std::string normalised(std::string text) const {
    return replaced(replaced(std::move(text), directory.path(), "DIR"), other.path(), "OTHER");
  }
  static void make_old(const std::string& file) {
    const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  }
};

inline std::string shown(const Strings& arguments) {
  std::string out = "postconf";
  for (const std::string& argument : arguments) out += " '" + argument + "'";
  return out;
}

struct Case {
  const char* name;
  Strings arguments;
  int status;
  const char* out;
  const char* err = "";
};

class RunCases : public RunTest {
 protected:
  void check(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
      SCOPED_TRACE(std::string(c.name) + ": " + shown(c.arguments));
      const Outcome outcome = run_here(c.arguments);
      EXPECT_EQ(outcome.status, c.status);
      EXPECT_EQ(outcome.out, c.out);
      EXPECT_EQ(outcome.err, c.err);
    }
  }
};

}  // namespace postconf
