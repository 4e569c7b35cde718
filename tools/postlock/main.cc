#include <iostream>
#include <string>
#include <vector>

#include "tools/postlock/run.h"

int main(int argc, char** argv) {
  return postlock::run(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
