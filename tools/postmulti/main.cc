#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "tools/postmulti/run.h"

int main(int argc, char** argv) {
  std::error_code failure;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", failure).parent_path();
  return postmulti::run(std::vector<std::string>(argv + 1, argv + argc), here / "postfix", std::cout,
                        std::cerr);
}
