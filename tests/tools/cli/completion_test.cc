// That shells read it, and answer, is for tests/integration/completion_test.py.
#include "tools/cli/completion.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cli {
namespace {

constexpr std::string_view kGroups[] = {"Options", "Other"};
constexpr Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "It's [a] place: here"},
    {'#', "comment-out", "", 0, "A letter that is none for a shell"},
    {'k', "kind", "KIND", 0, "One of a few"},
    {'x', "", "", 0, "A letter without a name"},
    {'\0', "help", "", 1, "Show this text"},
};
constexpr Values kValues[] = {
    {"KIND", ValueKind::kWord,
     [] {
       return std::vector<std::string>{"one", "two"};
     }},
    {"TABLE", ValueKind::kTable,
     [] {
       return std::vector<std::string>{"hash:", "cdb:"};
     }},
};
constexpr Syntax kSyntax = {.program = "tool",
                            .description = "A tool.",
                            .usage = "usage: tool",
                            .footer = "",
                            .options = kOptions,
                            .groups = kGroups,
                            .values = kValues,
                            .operand = "TABLE"};

void expect_all(const std::string& text, const std::vector<std::string>& pieces) {
  for (const std::string& piece : pieces)
    EXPECT_NE(text.find(piece), std::string::npos) << piece << "\n" << text;
}

TEST(Completion, OfBash) {
  expect_all(completion_text(kSyntax, "bash"),
             {"'-c --config-directory --comment-out -k --kind -x --help --completion'",
              "    -c | --config-directory)\n      compopt -o filenames 2>/dev/null\n"
              "      mapfile -t COMPREPLY < <(compgen -d -- \"$word\")\n      ;;\n",
              "    -k | --kind)\n      mapfile -t COMPREPLY < <(compgen -W 'one two' -- \"$word\")\n",
              "    --completion)\n      mapfile -t COMPREPLY < <(compgen -W 'bash fish zsh' -- \"$word\")\n",
              "compgen -W 'hash: cdb:' -- \"$word\"; compgen -f", "complete -F _postkit_tool tool\n"});
}

TEST(Completion, OfFish) {
  expect_all(
      completion_text(kSyntax, "fish"),
      {"complete -c tool -a 'hash: cdb:'\n",
       "complete -c tool -s c -l config-directory -x -a '(__fish_complete_directories)' -d 'It\\'s [a] "
       "place: here'\n",
       "complete -c tool -l comment-out -d", "complete -c tool -s k -l kind -x -a 'one two' -d",
       "complete -c tool -s x -d 'A letter without a name'\n"});
}

TEST(Completion, OfZsh) {
  expect_all(completion_text(kSyntax, "zsh"),
             {"#compdef tool\n", "compadd -S '' -- hash: cdb:\n",
              "'(-c --config-directory)-c+[It'\\''s \\[a\\] place\\: here]:DIR:_files -/'",
              "'(-c --config-directory)--config-directory=[", "'(--comment-out)--comment-out[",
              "]:KIND:(one two)'", "'*:TABLE:_postkit_tool_table'"});
}

TEST(Completion, IsAnOptionOfProgramsThatHaveHelp) {
  const auto line = parse(kSyntax, std::vector<std::string>{"--completion", "fish"});
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(text_about(kSyntax, *line), completion_text(kSyntax, "fish"));
  EXPECT_NE(help_text(kSyntax).find("--completion SHELL"), std::string::npos) << help_text(kSyntax);

  const auto unknown = parse(kSyntax, std::vector<std::string>{"--completion=csh"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "option --completion csh: need bash, zsh or fish");

  Syntax without_help = kSyntax;
  without_help.options = std::span(kOptions).first(2);
  const auto refused = parse(without_help, std::vector<std::string>{"--completion=bash"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "unknown option --completion (tool --help lists them)");
}

TEST(TextAbout, IsNothingWhereThereIsWork) {
  const auto work = parse(kSyntax, std::vector<std::string>{"-k", "one"});
  ASSERT_TRUE(work);
  EXPECT_EQ(text_about(kSyntax, *work), std::nullopt);
  const auto help = parse(kSyntax, std::vector<std::string>{"--help"});
  ASSERT_TRUE(help);
  EXPECT_EQ(text_about(kSyntax, *help), help_text(kSyntax));
}

}  // namespace
}  // namespace cli
