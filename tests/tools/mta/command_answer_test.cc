#include "tools/mta/delivery/command_answer.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

class CommandAnswerTest : public testing::Test {
 protected:
  /// "5.1.1 user unknown", as the log has it.
  std::string answer(CommandResult ended) {
    const RecipientAnswer said = command_answer(ended, "/bin/x", reporter_);
    return said.status.code + " " + said.status.text;
  }
  static CommandResult exited(int status, std::string output = "") {
    return {.end = CommandResult::End::kExit, .number = status, .output = std::move(output)};
  }

  class Lines final : public MailLog {
   public:
    Lines() : MailLog("postfix") {}
    std::string text;

   private:
    void put(Severity, std::string_view, std::string_view line) override { text += std::string(line) + "\n"; }
  } log_;
  DeliveryRequest request_;
  DeliveryStatusFilter filter_;
  RecipientReporter reporter_{request_, log_, {.program = "pipe"}, "pipe", filter_};
};

// Each as Postfix 3.7 has it.
TEST_F(CommandAnswerTest, ExitStatusesMeanWhatSysexitsSays) {
  const struct {
    int status;
    std::string answer;
  } cases[] = {
      {0, "2.0.0 "},
      {1, "5.3.0 Command died with status 1: \"/bin/x\""},
      {64, "5.3.0 command line usage error"},
      {65, "5.6.0 data format error"},
      {67, "5.1.1 user unknown"},
      {68, "5.1.2 host name unknown"},
      {71, "4.3.0 system resource problem"},
      {73, "5.2.0 can't create user output file"},
      {75, "4.3.0 temporary failure"},
      {76, "5.5.0 remote error in protocol"},
      {77, "5.7.0 permission denied"},
      {78, "5.3.5 local configuration error"},
      {79, "5.3.0 Command died with status 79: \"/bin/x\""},
  };
  for (const auto& each : cases) EXPECT_EQ(answer(exited(each.status)), each.answer);
}

TEST_F(CommandAnswerTest, ACodeInTheOutputComesFirst) {
  EXPECT_EQ(answer(exited(1, "4.1.2 a soft  thing\n\nsecond\n")), "4.1.2 a soft  thing  second ");
  EXPECT_EQ(answer(exited(1, "5.7.9 refused\n")), "5.7.9 refused ");
  EXPECT_EQ(answer(exited(1, "4.1.2\n")), "4.1.2 ");
  EXPECT_EQ(answer(exited(75, "  5.1.2 blanks\n")),
            "4.3.0 temporary failure. Command output:   5.1.2 blanks ");
}

TEST_F(CommandAnswerTest, ACodeOfSuccessIsNotBelieved) {
  EXPECT_EQ(answer(exited(67, "2.1.2 fine\n")), "5.0.0 fine ");
  EXPECT_NE(log_.text.find("bounce_append: ignoring dsn code \"2.1.2\""), std::string::npos) << log_.text;
}

TEST_F(CommandAnswerTest, OtherEndsAreTold) {
  CommandResult ended{.end = CommandResult::End::kSignal, .number = 15, .output = "dying\n"};
  EXPECT_EQ(answer(ended), "4.3.0 Command died with signal 15: \"/bin/x\". Command output: dying ");
  ended.end = CommandResult::End::kTimeLimit;
  EXPECT_EQ(answer(ended), "5.3.0 Command time limit exceeded: \"/bin/x\". Command output: dying ");
  EXPECT_EQ(answer({.reason = "cannot change directory"}), "4.3.0 temporary failure");
}

TEST_F(CommandAnswerTest, OutputIsOneLine) {
  EXPECT_EQ(printable_output("a\tb\r\n\001c\200\n"), "a b_ _c_ ");
  EXPECT_EQ(answer(exited(0, "hello\n4.7.1 world\n")), "2.0.0 hello 4.7.1 world");
}

}  // namespace
}  // namespace mta
