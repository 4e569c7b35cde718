#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "tools/postfix/run.h"

namespace {

/// smtpd is beside this program, or where it was installed as seen from here.
std::string find_server() {
  std::error_code failure;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", failure).parent_path();
  const std::filesystem::path beside = here / "smtpd";
  if (std::filesystem::exists(beside, failure)) return beside;
  return (here / POSTKIT_DAEMONS_FROM_PROGRAMS / "smtpd").lexically_normal();
}

}  // namespace

int main(int argc, char** argv) {
  return postfix::run(std::vector<std::string>(argv + 1, argv + argc),
                      {.server_program = find_server(), .has_terminal = ::isatty(STDERR_FILENO) == 1},
                      std::cout, std::cerr);
}
