#include "libmaps/secret_setting.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::LogicalLine;

constexpr std::array<std::string_view, 2> kSecrets = {"bind_pw", "password"};

/// "scheme://user:password@host" or "scheme://host/?password=...".
bool is_url_with_password(std::string_view word) {
  const std::size_t scheme = word.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = word.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos)
    return true;
  return rest.find("password=") != std::string_view::npos;
}

/// What stands where a line has the name of its setting.
std::string_view name_of(std::string_view line) {
  const std::string_view text = libconf::trim_left(line);
  const auto* const end = std::find_if_not(text.begin(), text.end(), libconf::is_name_char);
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

}  // namespace

bool is_secret(std::string_view setting, std::string_view value) {
  if (value.empty()) return false;
  if (std::find(kSecrets.begin(), kSecrets.end(), setting) != kSecrets.end()) return true;
  // PostgreSQL: "dbname=mail password=secret".
  if ((setting == "dbname" || setting == "hosts") && value.find("password=") != std::string_view::npos)
    return true;
  while (const auto word = libconf::next_word(value, libconf::kListSeparators))
    if (is_url_with_password(*word)) return true;
  return false;
}

SecretLines::SecretLines(const libconf::MainCfDocument& document) : document_(document) {
  for (const LogicalLine& line : document.lines().logical())
    if (is_secret(name_of(line.text), line.text)) names_.emplace(name_of(line.text));
}

std::string SecretLines::hide(std::string message, int line) const {
  const auto& lines = document_.lines().logical();
  const auto found = std::find_if(lines.begin(), lines.end(), [line](const LogicalLine& candidate) {
    return static_cast<int>(candidate.first) + 1 == line;
  });
  if (found == lines.end()) return message;
  const std::string_view name = name_of(found->text);
  if (!names_.contains(name)) return message;
  // "FILE, line 3: WHAT: QUOTED" and "FILE: WHAT: QUOTED"
  const std::size_t what = message.find(": ", document_.file().size());
  const std::size_t quoted = what == std::string::npos ? what : message.find(": ", what + 2);
  if (quoted != std::string::npos)
    message.replace(quoted + 2, std::string::npos, libconf::concat(name, " ", kHidden));
  return message;
}

}  // namespace libmaps
