#include "tools/mta/smtp/session_statistics.h"

#include "libconf/text.h"
#include "libmaps/utf8.h"

namespace mta {

void SessionStatistics::append(std::string& out, std::string_view name, const Counter& counter) {
  out += libconf::concat(" ", name, "=", std::to_string(counter.ok));
  if (counter.ok != counter.all || counter.all == 0) out += libconf::concat("/", std::to_string(counter.all));
}

std::string SessionStatistics::to_string() const {
  std::string out;
  Counter sum;
  const auto append_used = [&](std::string_view name, const Counter& counter) {
    if (counter.all > 0) append(out, name, counter);
    sum.ok += counter.ok;
    sum.all += counter.all;
  };
  for (const Command& command : kCommands) {
    append_used(libmaps::fold_ascii(command.name), counters_[static_cast<std::size_t>(command.verb)]);
  }
  append_used("unknown", unknown_);
  append(out, "commands", sum);
  if (has_bare_newline_) out += " notes=bare_lf";
  return out;
}

}  // namespace mta
