#include <iostream>
#include <string>
#include <vector>

#include "tools/smtpd/run.h"

int main(int argc, char** argv) {
  return smtpd::run(std::vector<std::string>(argv + 1, argv + argc), std::cerr);
}
