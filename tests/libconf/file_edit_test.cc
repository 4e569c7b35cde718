#include "libconf/file_edit.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "libconf/file.h"
#include "tests/libconf/temp_directory.h"

namespace libconf {
namespace {

using postkit_test::TempDirectory;

struct stat status_of(const std::string& file) {
  struct stat status {};
  EXPECT_EQ(::lstat(file.c_str(), &status), 0) << file;
  return status;
}

TEST(ReadFile, AbsentAndPresent) {
  const TempDirectory directory;
  directory.write("empty", "");
  directory.write("bytes", std::string_view("a\0\xFF\n", 4));
  EXPECT_EQ(*read_file(directory.path("empty")), "");
  EXPECT_EQ(*read_file(directory.path("bytes")), std::string_view("a\0\xFF\n", 4));
  const Result<std::string> absent = read_file(directory.path("absent"));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kInputOutput);
  EXPECT_EQ(absent.error().message, "open " + directory.path("absent") + ": No such file or directory");
  const Result<std::string> not_a_file = read_file(directory.path());
  ASSERT_FALSE(not_a_file);
  EXPECT_EQ(not_a_file.error().message, "read " + directory.path() + ": Is a directory");
}

TEST(ReadFile, PipeIsReadToItsEnd) {
  const TempDirectory directory;
  const std::string file = directory.path("pipe");
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  const std::string text(100'000, 'x');
  std::thread writer([&] { directory.write("pipe", text); });
  const Result<std::string> read = read_file(file);
  writer.join();
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, text);
}

TEST(FileEdit, CommitReplacesTheText) {
  struct Case {
    const char* name;
    std::string before;
    std::string after;
  };
  for (const Case& c :
       {Case{"longer", "a = 1\n", "a = 1\nb = 2\n"}, Case{"shorter", "a = 1\nb = 2\n", "a = 1\n"},
        Case{"to nothing", "a = 1\n", ""}, Case{"from nothing", "", "a = 1\n"},
        Case{"long", "a", std::string(3'000'000, 'b')}}) {
    SCOPED_TRACE(c.name);
    const TempDirectory directory;
    directory.write("main.cf", c.before);
    Result<FileEdit> edit = FileEdit::begin(directory.path("main.cf"));
    ASSERT_TRUE(edit) << edit.error().message;
    EXPECT_EQ(edit->original(), c.before);
    EXPECT_TRUE(directory.has("main.cf.tmp"));
    const Result<bool> changed = edit->commit(c.after);
    ASSERT_TRUE(changed) << changed.error().message;
    EXPECT_TRUE(*changed);
    EXPECT_EQ(directory.read("main.cf"), c.after);
    EXPECT_FALSE(directory.has("main.cf.tmp"));
  }
}

TEST(FileEdit, NoChangeKeepsInodeAndTime) {
  const TempDirectory directory;
  directory.write("main.cf", "a = 1\n");
  const std::string file = directory.path("main.cf");
  const timespec old_times[2] = {{1'000'000'000, 5}, {1'000'000'000, 7}};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), old_times, 0), 0);
  const struct stat before = status_of(file);
  Result<FileEdit> edit = FileEdit::begin(file);
  ASSERT_TRUE(edit);
  const Result<bool> changed = edit->commit("a = 1\n");
  ASSERT_TRUE(changed);
  EXPECT_FALSE(*changed);
  const struct stat after = status_of(file);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
  EXPECT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
  EXPECT_FALSE(directory.has("main.cf.tmp"));
}

TEST(FileEdit, ChangeReplacesTheInode) {
  const TempDirectory directory;
  directory.write("main.cf", "a = 1\n");
  ASSERT_EQ(::link(directory.path("main.cf").c_str(), directory.path("old").c_str()), 0);
  Result<FileEdit> edit = FileEdit::begin(directory.path("main.cf"));
  ASSERT_TRUE(edit);
  ASSERT_TRUE(edit->commit("a = 2\n"));
  EXPECT_EQ(directory.read("old"), "a = 1\n");  // Never written over in place.
  EXPECT_EQ(directory.read("main.cf"), "a = 2\n");
}

TEST(FileEdit, KeepsTheMode) {
  for (const mode_t mode : {0600, 0644, 0640, 0664, 0444, 0755}) {
    SCOPED_TRACE(mode);
    const TempDirectory directory;
    directory.write("main.cf", "a = 1\n");
    const std::string file = directory.path("main.cf");
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    const mode_t old_mask = ::umask(077);
    Result<FileEdit> edit = FileEdit::begin(file);
    if (!edit) {
      ::umask(old_mask);
      FAIL() << edit.error().message;
    }
    const Result<bool> changed = edit->commit("a = 2\n");
    ::umask(old_mask);
    ASSERT_TRUE(changed);
    EXPECT_EQ(status_of(file).st_mode & 07777, mode);
  }
}

TEST(FileEdit, KeepsOwnerAndGroupForRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const TempDirectory directory;
  directory.write("main.cf", "a = 1\n");
  const std::string file = directory.path("main.cf");
  ASSERT_EQ(::chown(file.c_str(), 1234, 2345), 0);
  Result<FileEdit> edit = FileEdit::begin(file);
  ASSERT_TRUE(edit);
  ASSERT_TRUE(edit->commit("a = 2\n"));
  EXPECT_EQ(status_of(file).st_uid, 1234U);
  EXPECT_EQ(status_of(file).st_gid, 2345U);
}

TEST(FileEdit, SymbolicLinkStaysALink) {
  struct Case {
    const char* name;
    const char* target;
  };
  for (const Case& c : {Case{"relative", "real/main.cf"}, Case{"through another link", "second"}}) {
    SCOPED_TRACE(c.name);
    const TempDirectory directory;
    std::filesystem::create_directory(directory.path("real"));
    directory.write("real/main.cf", "a = 1\n");
    std::filesystem::create_symlink("real/main.cf", directory.path("second"));
    std::filesystem::create_symlink(c.target, directory.path("main.cf"));
    Result<FileEdit> edit = FileEdit::begin(directory.path("main.cf"));
    ASSERT_TRUE(edit) << edit.error().message;
    EXPECT_EQ(edit->original(), "a = 1\n");
    const Result<bool> changed = edit->commit("a = 2\n");
    ASSERT_TRUE(changed) << changed.error().message;
    EXPECT_EQ(std::filesystem::read_symlink(directory.path("main.cf")), c.target);
    EXPECT_EQ(directory.read("real/main.cf"), "a = 2\n");
    EXPECT_FALSE(directory.has("main.cf.tmp"));
    EXPECT_FALSE(directory.has("real/main.cf.tmp"));
  }
}

TEST(FileEdit, ErrorsAreWordedAsPostfixDoes) {
  const TempDirectory directory;
  std::filesystem::create_symlink("nowhere", directory.path("dangling"));
  const std::string absent = directory.path("absent.cf");
  const std::string lost = directory.path("nowhere/main.cf");
  const std::string dangling = directory.path("dangling");
  struct Case {
    const char* name;
    std::string file;
    std::string message;
  };
  const Case cases[] = {
      {"missing file", absent, "open " + absent + " for reading: No such file or directory"},
      {"missing directory", lost, "open " + lost + ".tmp: No such file or directory"},
      {"dangling link", dangling, "open " + dangling + " for reading: No such file or directory"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Result<FileEdit> edit = FileEdit::begin(c.file);
    ASSERT_FALSE(edit);
    EXPECT_EQ(edit.error().kind, ErrorKind::kInputOutput);
    EXPECT_EQ(edit.error().message, c.message);
    EXPECT_FALSE(directory.has("absent.cf"));
    EXPECT_FALSE(directory.has("absent.cf.tmp"));
  }
}

TEST(FileEdit, StaleTmpIsTakenOver) {
  const TempDirectory directory;
  directory.write("main.cf", "a = 1\n");
  directory.write("main.cf.tmp", "half of a much longer text than what comes\n");
  Result<FileEdit> edit = FileEdit::begin(directory.path("main.cf"));
  ASSERT_TRUE(edit);
  ASSERT_TRUE(edit->commit("a = 2\n"));
  EXPECT_EQ(directory.read("main.cf"), "a = 2\n");
  EXPECT_FALSE(directory.has("main.cf.tmp"));
}

TEST(FileEdit, ALinkInThePlaceOfTmpIsNotFollowed) {
  const TempDirectory directory;
  directory.write("main.cf", "a = 1\n");
  directory.write("other", "precious\n");
  for (const char* target : {"other", "nowhere"}) {
    std::filesystem::create_symlink(target, directory.path("main.cf.tmp"));
    auto edit = FileEdit::begin(directory.path("main.cf"));
    ASSERT_TRUE(edit) << edit.error().message;
    ASSERT_TRUE(edit->commit(std::string("a = ") + target + "\n"));
    EXPECT_EQ(directory.read("main.cf"), std::string("a = ") + target + "\n");
  }
  EXPECT_EQ(directory.read("other"), "precious\n");
  EXPECT_FALSE(directory.has("nowhere"));
}

TEST(FileEdit, DiscardRemovesTmp) {
  const TempDirectory directory;
  directory.write("main.cf", "a = 1\n");
  Result<FileEdit> edit = FileEdit::begin(directory.path("main.cf"));
  ASSERT_TRUE(edit);
  edit->discard();
  EXPECT_FALSE(directory.has("main.cf.tmp"));
  EXPECT_EQ(directory.read("main.cf"), "a = 1\n");
}

TEST(FileEdit, DestructionLeavesTmpAndFreesTheLock) {
  const TempDirectory directory;
  directory.write("main.cf", "a = 1\n");
  {
    const Result<FileEdit> edit = FileEdit::begin(directory.path("main.cf"));
    ASSERT_TRUE(edit);
  }
  EXPECT_TRUE(directory.has("main.cf.tmp"));
  EXPECT_EQ(directory.read("main.cf"), "a = 1\n");
  Result<FileEdit> next = FileEdit::begin(directory.path("main.cf"));
  ASSERT_TRUE(next);
  next->discard();
}

TEST(FileEdit, HoldsTheLockThatPostfixTakes) {
  const TempDirectory directory;
  directory.write("main.cf", "a = 1\n");
  Result<FileEdit> edit = FileEdit::begin(directory.path("main.cf"));
  ASSERT_TRUE(edit);
  const FileDescriptor other(::open(directory.path("main.cf.tmp").c_str(), O_RDWR));
  ASSERT_TRUE(other);
  EXPECT_NE(::flock(other.get(), LOCK_EX | LOCK_NB), 0);
  edit->discard();
  EXPECT_EQ(::flock(other.get(), LOCK_EX | LOCK_NB), 0);
}

TEST(FileEdit, EditsOfManyThreadsAddUp) {
  const TempDirectory directory;
  directory.write("main.cf", "");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) {
        Result<FileEdit> edit = FileEdit::begin(directory.path("main.cf"));
        ASSERT_TRUE(edit) << edit.error().message;
        ASSERT_TRUE(edit->commit(edit->original() + "x"));
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(directory.read("main.cf"), std::string(40, 'x'));
  EXPECT_FALSE(directory.has("main.cf.tmp"));
}

}  // namespace
}  // namespace libconf
