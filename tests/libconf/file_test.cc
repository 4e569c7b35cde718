#include "libconf/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "libconf/handle.h"

namespace libconf {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read = FileDescriptor(ends[0]);
    write = FileDescriptor(ends[1]);
  }
  FileDescriptor read, write;
};

TEST(Descriptor, AllThatIsWrittenIsRead) {
  Pipe pipe;
  const std::string sent(1 << 20, 'x');  // More than a pipe holds.
  std::thread writer([&] {
    EXPECT_EQ(write_all(pipe.write.get(), sent), 0);
    pipe.write = FileDescriptor();
  });
  std::string received = "before ";
  EXPECT_EQ(read_to_end(pipe.read.get(), received), 0);
  writer.join();
  EXPECT_EQ(received, "before " + sent);
}

TEST(Descriptor, ReadingEndsAtTheLimit) {
  const FileDescriptor zeros(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  constexpr std::size_t kLimit = 100'000;
  constexpr std::size_t kBlock = 65536;
  std::string received;
  EXPECT_EQ(read_to_end(zeros.get(), received, kLimit), 0);
  EXPECT_GE(received.size(), kLimit);
  EXPECT_LT(received.size(), kLimit + kBlock);
}

TEST(Descriptor, FailuresHaveTheirNumber) {
  std::string text;
  EXPECT_EQ(read_to_end(-1, text), EBADF);
  EXPECT_EQ(write_all(-1, "x"), EBADF);
  const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(write_all(full.get(), "x"), ENOSPC);
  EXPECT_EQ(write_all(-1, ""), 0);
}

}  // namespace
}  // namespace libconf
