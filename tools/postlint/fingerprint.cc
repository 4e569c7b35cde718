#include "tools/postlint/fingerprint.h"

#include <array>
#include <map>

#include "libconf/text.h"
#include "tools/postlint/source_lines.h"

namespace postlint {
namespace {

std::string hex(std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(16, '0');
  for (std::size_t i = out.size(); i-- > 0; number >>= 4) out[i] = kDigits[number & 0xF];
  return out;
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3U;
  }
  return hash;
}

void add_fingerprints(const SiteModel& site, std::vector<Finding>& findings) {
  std::map<std::string, int> count;
  for (Finding& finding : findings) {
    const std::string line =
        finding.place.line == 0
            ? finding.message
            : libconf::collapse_blanks(line_of(site.source(finding.place.file), finding.place.line));
    const std::string text = libconf::concat(finding.rule, "\n", file_name(finding.place.file), "\n", line);
    finding.fingerprint = hex(stable_hash(libconf::concat(text, "\n", std::to_string(count[text]++))));
  }
}

}  // namespace postlint
