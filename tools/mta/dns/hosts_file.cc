#include "tools/mta/dns/hosts_file.h"

#include <algorithm>

#include "libconf/file.h"
#include "libconf/text.h"

namespace mta {

HostsFile HostsFile::load(const std::string& file) {
  const libconf::Result<std::string> text = libconf::read_file(file);
  return text ? parse(*text) : HostsFile();
}

HostsFile HostsFile::parse(std::string_view text) {
  HostsFile hosts;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    constexpr std::string_view kBlanks = " \t\r";
    const auto address = libconf::next_word(line, kBlanks);
    const auto name = libconf::next_word(line, kBlanks);
    if (!address || !name) continue;
    if (const auto number = libmaps::parse_ip_address(*address)) hosts.names_.try_emplace(*number, *name);
  }
  return hosts;
}

std::optional<std::string> HostsFile::name_of(const libmaps::IpAddress& address) const {
  const auto found = names_.find(address);
  return found == names_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace mta
