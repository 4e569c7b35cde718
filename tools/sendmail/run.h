/// sendmail(1): takes mail from programs and people of this host.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace sendmail {

/// What the program learns from its surroundings.
struct Surroundings {
  std::string name;         ///< By which it was called: `mailq` lists the queue.
  std::string programs;     ///< The directory that this program is in.
  std::string smtp_server;  ///< The program that speaks SMTP.
};

/// Reads a message from the descriptor `input`. Returns the exit status, or does not return, when another
/// program takes over.
int run(const std::vector<std::string>& arguments, const Surroundings& surroundings, int input,
        std::ostream& out, std::ostream& err);

}  // namespace sendmail
