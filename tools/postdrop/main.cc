#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "tools/postdrop/run.h"

int main(int argc, char** argv) {
  return postdrop::run(std::vector<std::string>(argv + 1, argv + argc), STDIN_FILENO, STDOUT_FILENO,
                       std::cout, std::cerr);
}
