/// What the last log line of a session says of its commands.
///
///     mta::SessionStatistics statistics;
///     statistics.count(mta::Verb::kRcpt, false);
///     log("disconnect from " + client + statistics.to_string());  // " rcpt=0/1 commands=0/1"
#pragma once

#include <array>
#include <string>

#include "tools/mta/smtp/command.h"

namespace mta {

class SessionStatistics {
 public:
  /// A command came; `is_ok`: it did not count as an error. XCLIENT never is: it starts the session anew
  /// before it is counted.
  void count(Verb verb, bool is_ok) { counters_[static_cast<std::size_t>(verb)].add(is_ok); }

  /// A command that does not exist, or is forbidden.
  void count_unknown() { unknown_.add(false); }

  /// Something that smtpd_forbid_bare_newline = note wants to see was received.
  void note_bare_newline() { has_bare_newline_ = true; }

  /// ` ehlo=1 mail=1 rcpt=0/1 commands=2/3`: those that came, with how many were good, and a slash and the
  /// number of all where that differs.
  std::string to_string() const;

 private:
  struct Counter {
    unsigned ok = 0;
    unsigned all = 0;
    void add(bool is_ok) {
      ++all;
      if (is_ok) ++ok;
    }
  };
  static void append(std::string& out, std::string_view name, const Counter& counter);

  std::array<Counter, kCommands.size()> counters_;
  Counter unknown_;
  bool has_bare_newline_ = false;
};

}  // namespace mta
