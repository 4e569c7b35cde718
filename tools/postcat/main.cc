#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "tools/postcat/run.h"

int main(int argc, char** argv) {
  return postcat::run(std::vector<std::string>(argv + 1, argv + argc), STDIN_FILENO, std::cout, std::cerr);
}
