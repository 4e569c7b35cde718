#include <iostream>
#include <string>
#include <vector>

#include "tools/qmgr/run.h"

int main(int argc, char** argv) {
  return qmgr::run(std::vector<std::string>(argv + 1, argv + argc), std::cerr);
}
