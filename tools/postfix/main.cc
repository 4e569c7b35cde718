#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "tools/mta/daemon/service_role.h"
#include "tools/postfix/run.h"

namespace {

/// All programs are beside this one; those that the master starts may also be where they were installed as
/// seen from here.
postfix::Surroundings find_surroundings() {
  std::error_code failure;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", failure).parent_path();
  const bool are_beside = std::filesystem::exists(here / mta::kSmtpProgram, failure);
  return {.server_directory = are_beside ? here : (here / POSTKIT_DAEMONS_FROM_PROGRAMS).lexically_normal(),
          .queue_program = here / "postqueue",
          .has_terminal = ::isatty(STDERR_FILENO) == 1};
}

}  // namespace

int main(int argc, char** argv) {
  return postfix::run(std::vector<std::string>(argv + 1, argv + argc), find_surroundings(), std::cout,
                      std::cerr);
}
