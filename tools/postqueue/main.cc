#include <iostream>
#include <string>
#include <vector>

#include "tools/postqueue/run.h"

int main(int argc, char** argv) {
  return postqueue::run(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
