#include <iostream>
#include <string>
#include <vector>

#include "tools/postkick/run.h"

int main(int argc, char** argv) {
  return postkick::run(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
