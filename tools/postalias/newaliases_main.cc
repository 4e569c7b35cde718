#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "tools/postmap/run.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  return postmap::run(postmap::kNewaliases, std::vector<std::string>(argv + 1, argv + argc), STDIN_FILENO,
                      std::cout, std::cerr);
}
