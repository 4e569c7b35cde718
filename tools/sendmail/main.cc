#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "tools/sendmail/run.h"

namespace {

sendmail::Surroundings find_surroundings(const std::filesystem::path& called) {
  std::error_code failure;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", failure).parent_path();
  const std::filesystem::path beside = here / "smtpd";
  return {.name = called.filename(),
          .programs = here,
          .smtp_server = std::filesystem::exists(beside, failure)
                             ? beside
                             : (here / POSTKIT_DAEMONS_FROM_PROGRAMS / "smtpd").lexically_normal()};
}

}  // namespace

int main(int argc, char** argv) {
  return sendmail::run(std::vector<std::string>(argv + 1, argv + argc), find_surroundings(argv[0]),
                       STDIN_FILENO, std::cout, std::cerr);
}
