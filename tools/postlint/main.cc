#include <iostream>
#include <string>
#include <vector>

#include "tools/postlint/run.h"

int main(int argc, char** argv) {
  return postlint::run(std::vector<std::string>(argv + 1, argv + argc), std::cin, std::cout, std::cerr);
}
