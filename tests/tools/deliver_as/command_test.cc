#include "tools/deliver_as/command.h"

#include <chrono>
#include <csignal>

#include "tests/tools/deliver_as/message_file.h"

namespace deliver_as {
namespace {

using End = mta::CommandResult::End;

mta::CommandRun shell(const MessageFile& message, const std::string& script) {
  mta::CommandRun command{.program = "local", .arguments = {"/bin/sh", "-c", script}};
  command.environment = {"PATH=/usr/bin:/bin", "NAME=value"};
  command.copy = {.content_offset = message.content_offset(), .head = "Head: x\n"};
  command.directory = message.path("");
  return command;
}

class CommandTest : public testing::Test {
 protected:
  void SetUp() override { ::signal(SIGPIPE, SIG_IGN); }  // NOLINT: the constant is the C library's
  const MessageFile message_{std::vector<std::string>(20'000, "line")};
};

TEST_F(CommandTest, ItGetsTheMessageAndItsOutputComesBack) {
  const mta::CommandResult done =
      run_command(shell(message_, "head -2; wc -l; echo $NAME >&2"), message_.get());
  EXPECT_EQ(done.end, End::kExit);
  EXPECT_EQ(done.number, 0);
  EXPECT_TRUE(done.output.starts_with("Head: x\nline\n")) << done.output;
  EXPECT_TRUE(done.output.ends_with("value\n")) << done.output;
}

TEST_F(CommandTest, WhatItDoesNotReadIsNotMissed) {
  const mta::CommandResult done = run_command(shell(message_, "exit 67"), message_.get());
  EXPECT_EQ(done.end, End::kExit);
  EXPECT_EQ(done.number, 67);
}

TEST_F(CommandTest, MuchOutputIsCutOff) {
  const mta::CommandResult done = run_command(shell(message_, "cat; exit 1"), message_.get());
  EXPECT_EQ(done.number, 1);
  EXPECT_EQ(done.output.size(), 4096U);
}

TEST_F(CommandTest, ASignalIsTold) {
  const mta::CommandResult done = run_command(shell(message_, "kill -15 $$"), message_.get());
  EXPECT_EQ(done.end, End::kSignal);
  EXPECT_EQ(done.number, SIGTERM);
}

TEST_F(CommandTest, TheTimeLimitCountsWhetherItReadsOrNot) {
  for (const char* script :
       {"echo before; sleep 60", "cat >/dev/null; echo before; sleep 60", "echo before; sleep 60 &"}) {
    mta::CommandRun command = shell(message_, script);
    command.time_limit = 1;
    const auto start = std::chrono::steady_clock::now();
    const mta::CommandResult done = run_command(command, message_.get());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)) << script;
    EXPECT_EQ(done.end, End::kTimeLimit) << script;
    EXPECT_EQ(done.output, "before\n") << script;
  }
}

TEST_F(CommandTest, WhatCannotBeRunIsTemporary) {
  mta::CommandRun command = shell(message_, "");
  command.arguments = {"/nonexistent/command"};
  const mta::CommandResult done = run_command(command, message_.get());
  EXPECT_EQ(done.end, End::kExit);
  EXPECT_EQ(done.number, 75);
  EXPECT_EQ(done.output, "local: fatal: execvp /nonexistent/command: No such file or directory\n");
}

TEST_F(CommandTest, ADirectoryThatIsNotThereIsTold) {
  mta::CommandRun command = shell(message_, "exit 0");
  command.directory = "/nonexistent";
  const mta::CommandResult done = run_command(command, message_.get());
  EXPECT_EQ(done.end, End::kNotRun);
  EXPECT_TRUE(done.reason.starts_with("cannot change directory to \"/nonexistent\" for uid=")) << done.reason;
}

TEST_F(CommandTest, FilesHaveALimit) {
  mta::CommandRun command = shell(message_, "cat > file; exit 3");
  command.file_limit = 10'000;
  const mta::CommandResult done = run_command(command, message_.get());
  EXPECT_NE(done.end, End::kTimeLimit);
  EXPECT_EQ(message_.read("file").size(), 10'000U);
}

}  // namespace
}  // namespace deliver_as
