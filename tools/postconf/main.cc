#include <iostream>
#include <string>
#include <vector>

#include "tools/postconf/run.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  return postconf::run(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
