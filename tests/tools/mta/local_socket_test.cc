#include "tools/mta/daemon/local_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "tests/libconf/temp_directory.h"
#include "tools/mta/daemon/trigger.h"

namespace {

using libconf::FileDescriptor;
using libconf::Result;
using namespace std::chrono_literals;

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode : 0;
}

std::string error_of(const Result<FileDescriptor>& result) { return result ? "" : result.error().message; }

TEST(LocalSocket, IsForEverybodyAndReplacesWhatAnEarlierRunLeft) {
  const postkit_test::TempDirectory scratch;
  const std::string path = scratch.path() + "/socket";
  const Result<FileDescriptor> first = mta::make_local_socket(path, SOCK_STREAM, {});
  const Result<FileDescriptor> second = mta::make_local_socket(path, SOCK_STREAM, {});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(mode_of(path), S_IFSOCK | 0666);
  ASSERT_TRUE(mta::trigger(path, "W", 10s));
  const FileDescriptor client(::accept(second->get(), nullptr, nullptr));
  std::array<char, 8> bytes{};
  EXPECT_EQ(::read(client.get(), bytes.data(), bytes.size()), 2);
  EXPECT_STREQ(bytes.data(), "W");
}

TEST(LocalSocket, LeavesOtherFilesAlone) {
  const postkit_test::TempDirectory scratch;
  const std::string path = scratch.path() + "/file";
  std::ofstream(path) << "precious";
  EXPECT_EQ(error_of(mta::make_local_socket(path, SOCK_STREAM, {})),
            "bind " + path + ": Address already in use");
  EXPECT_EQ(error_of(mta::make_named_pipe(path, {})), "bind " + path + ": Address already in use");
  EXPECT_TRUE(S_ISREG(mode_of(path)));
}

TEST(LocalSocket, FailsWhereItCannotBe) {
  const postkit_test::TempDirectory scratch;
  const std::string nowhere = scratch.path() + "/none/socket";
  EXPECT_EQ(error_of(mta::make_local_socket(nowhere, SOCK_STREAM, {})),
            "bind " + nowhere + ": No such file or directory");
  const std::string too_long = scratch.path() + "/" + std::string(200, 'x');
  EXPECT_EQ(error_of(mta::make_local_socket(too_long, SOCK_STREAM, {})),
            "bind " + too_long + ": File name too long");
}

TEST(NamedPipe, IsThereForWriters) {
  const postkit_test::TempDirectory scratch;
  const std::string path = scratch.path() + "/pipe";
  const Result<void> untold = mta::trigger(path, "W", 10s);
  ASSERT_FALSE(untold);
  EXPECT_EQ(untold.error().kind, libconf::ErrorKind::kTemporary);
  EXPECT_EQ(untold.error().message, "unable to look up " + path + ": No such file or directory");
  const Result<FileDescriptor> pipe = mta::make_named_pipe(path, {});
  ASSERT_TRUE(pipe);
  EXPECT_EQ(mode_of(path), S_IFIFO | 0622);
  std::array<char, 8> bytes{};
  EXPECT_LT(::read(pipe->get(), bytes.data(), bytes.size()), 0);  // Not at its end without a writer.
  ASSERT_TRUE(mta::trigger(path, "W", 10s));
  EXPECT_EQ(::read(pipe->get(), bytes.data(), bytes.size()), 2);
}

TEST(Trigger, SaysThatNobodyIsThereAndThatTheyHaveGone) {
  const postkit_test::TempDirectory scratch;
  const std::string path = scratch.path() + "/socket";
  Result<FileDescriptor> service = mta::make_local_socket(path, SOCK_STREAM, {});
  ASSERT_TRUE(service);
  { const FileDescriptor closed = std::move(*service); }
  const Result<void> untold = mta::trigger(path, "W", 10s);
  ASSERT_FALSE(untold);
  EXPECT_EQ(untold.error().kind, libconf::ErrorKind::kTemporary);
  EXPECT_EQ(untold.error().message, "connect to " + path + ": Connection refused");
  const std::string pipe = scratch.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Result<void> unread = mta::trigger(pipe, "W", 10s);
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().kind, libconf::ErrorKind::kTemporary);
}

TEST(Trigger, WaitsNoLongerThanItIsToldTo) {
  const postkit_test::TempDirectory scratch;
  const std::string path = scratch.path() + "/socket";
  const Result<FileDescriptor> service = mta::make_local_socket(path, SOCK_STREAM, {});
  ASSERT_TRUE(service);
  ASSERT_EQ(::listen(service->get(), 0), 0);  // Room for one, who is not served.
  const Result<FileDescriptor> first = mta::connect_local(path, 1s);
  ASSERT_TRUE(first);
  const Result<void> untold = mta::trigger(path, "W", 1s);
  ASSERT_FALSE(untold);
  EXPECT_EQ(untold.error().kind, libconf::ErrorKind::kTemporary);
}

TEST(ReceiveDescriptor, TakesOneThatIsPassed) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const FileDescriptor ours(ends[0]);
  const FileDescriptor theirs(ends[1]);
  EXPECT_FALSE(mta::receive_descriptor(ours.get()));  // Nothing has come.
  ASSERT_EQ(::write(theirs.get(), "x", 1), 1);
  EXPECT_FALSE(mta::receive_descriptor(ours.get()));  // A byte, and no descriptor.

  const FileDescriptor passed(::open("/dev/null", O_RDONLY));
  const int number = passed.get();
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.data(), .msg_controllen = control.size()};
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &number, sizeof number);
  ASSERT_EQ(::sendmsg(theirs.get(), &message, 0), 1);
  const FileDescriptor received = mta::receive_descriptor(ours.get());
  ASSERT_TRUE(received);
  EXPECT_EQ(::fcntl(received.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  struct stat status {};
  ASSERT_EQ(::fstat(received.get(), &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

}  // namespace
