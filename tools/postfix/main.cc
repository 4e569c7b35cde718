#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "tools/postfix/run.h"

namespace {

/// Both programs are beside this one; smtpd may also be where it was installed as seen from here.
postfix::Surroundings find_surroundings() {
  std::error_code failure;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", failure).parent_path();
  const std::filesystem::path beside = here / "smtpd";
  return {.server_program = std::filesystem::exists(beside, failure)
                                ? beside
                                : (here / POSTKIT_DAEMONS_FROM_PROGRAMS / "smtpd").lexically_normal(),
          .queue_program = here / "postqueue",
          .has_terminal = ::isatty(STDERR_FILENO) == 1};
}

}  // namespace

int main(int argc, char** argv) {
  return postfix::run(std::vector<std::string>(argv + 1, argv + argc), find_surroundings(), std::cout,
                      std::cerr);
}
