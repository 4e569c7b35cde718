// Expected keys are those of genuine Postfix: tests/scenarios has the same message.
#include "tools/postmap/message_keys.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace postmap {
namespace {

const BlockGuard kNothingAround = [](const std::function<libconf::Result<void>()>& work) { return work(); };

using libconf::Result;
using Keys = std::vector<std::string>;

constexpr std::string_view kMessage =
    "Received: by a\n\tfor b\n"
    "Content-Type: multipart/mixed; boundary=X\n"
    "\n"
    "--X\n"
    "Content-Type: text/plain;\n charset=x\n"
    "\n"
    "text\n"
    "--X--\n";

/// An open file with `text` in it, at its start.
class Input {
 public:
  explicit Input(std::string_view text) : file_(std::tmpfile(), &std::fclose) {
    std::fwrite(text.data(), 1, text.size(), file_.get());
    std::rewind(file_.get());
  }
  int fd() const { return fileno(file_.get()); }

 private:
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
};

Keys keys_of(std::string_view message, MessageKeys which) {
  Keys keys;
  const Input input(message);
  const auto visit = [&](std::string_view key) -> Result<void> {
    keys.emplace_back(key);
    return {};
  };
  EXPECT_TRUE(for_each_message_key(input.fd(), which, {}, kNothingAround, visit));
  return keys;
}

TEST(MessageKeys, AreHeadersOrLines) {
  const std::string received = "Received: by a\n\tfor b";
  const std::string type = "Content-Type: multipart/mixed; boundary=X";
  const std::string part = "Content-Type: text/plain;\n charset=x";
  const struct {
    const char* name;
    MessageKeys which;
    Keys keys;
  } cases[] = {
      {"-h", {.headers = true}, {received, type}},
      {"-hm", {.headers = true, .mime = true}, {received, type, part}},
      {"-b", {.body = true}, {"", "--X", "Content-Type: text/plain;", " charset=x", "", "text", "--X--"}},
      {"-bm", {.body = true, .mime = true}, {"", "--X", "", "text", "--X--"}},
      {"-hb",
       {.headers = true, .body = true},
       {received, type, "", "--X", "Content-Type: text/plain;", " charset=x", "", "text", "--X--"}},
      {"-hbm",
       {.headers = true, .body = true, .mime = true},
       {received, type, "", "--X", part, "", "text", "--X--"}},
  };
  for (const auto& c : cases) EXPECT_EQ(keys_of(kMessage, c.which), c.keys) << c.name;
}

TEST(MessageKeys, EndAtANul) {
  EXPECT_EQ(keys_of(std::string_view("A: b\0c\n\nd\0e\n", 12), {.headers = true, .body = true}),
            (Keys{"A: b", "", "d"}));
}

TEST(MessageKeys, StopAtTheFirstErrorOfTheVisitor) {
  int calls = 0;
  const Input input(kMessage);
  const auto fail = [&](std::string_view) -> Result<void> {
    ++calls;
    return libconf::Error{.message = "table lookup problem"};
  };
  const auto outcome =
      for_each_message_key(input.fd(), {.headers = true, .body = true}, {}, kNothingAround, fail);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "table lookup problem");
  EXPECT_EQ(calls, 1);
}

TEST(MessageKeys, ReportsInputThatCannotBeRead) {
  const auto outcome = for_each_message_key(-1, {.headers = true}, {}, kNothingAround,
                                            [](std::string_view) { return Result<void>(); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "read standard input: Bad file descriptor");
}

}  // namespace
}  // namespace postmap
