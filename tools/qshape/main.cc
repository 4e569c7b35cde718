#include <iostream>
#include <string>
#include <vector>

#include "tools/qshape/run.h"

int main(int argc, char** argv) {
  return qshape::run(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
