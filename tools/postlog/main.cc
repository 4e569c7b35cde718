#include <iostream>
#include <string>
#include <vector>

#include "tools/postlog/run.h"

int main(int argc, char** argv) {
  return postlog::run(std::vector<std::string>(argv + 1, argv + argc), std::cin, std::cout, std::cerr);
}
