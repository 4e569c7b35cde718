#include <iostream>
#include <string>
#include <vector>

#include "tools/deliver_as/run.h"

int main(int argc, char** argv) {
  return deliver_as::run(std::vector<std::string>(argv + 1, argv + argc), std::cerr);
}
