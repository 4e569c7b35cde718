#include <iostream>
#include <string>
#include <vector>

#include "tools/postexplain/run.h"

int main(int argc, char** argv) {
  return postexplain::run(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
