#include "tools/postlint/file_map.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "libconf/parameter_table.h"
#include "libconf/text.h"

namespace postlint {
namespace {

using libconf::concat;

std::string_view standard_directory() { return libconf::find_parameter("config_directory")->default_value; }

bool is_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

bool is_same_directory(const std::string& a, std::string_view b) {
  std::error_code failed;
  return std::filesystem::equivalent(a, b, failed) && !failed;
}

}  // namespace

FileMap::FileMap(FileMapRules rules) : rules_(std::move(rules)) {
  while (rules_.root.size() > 1 && rules_.root.ends_with('/')) rules_.root.pop_back();
  if (rules_.root == "/") rules_.root.clear();
  is_whole_host_ = !rules_.root.empty() || is_same_directory(rules_.config_directory, standard_directory());
}

std::optional<std::string> FileMap::path(std::string_view configured) const {
  if (!configured.starts_with('/')) return concat(rules_.config_directory, "/", configured);
  if (is_below(configured, rules_.config_directory)) return std::string(configured);
  if (!rules_.root.empty()) return concat(rules_.root, configured);
  if (is_whole_host_) return std::string(configured);
  if (is_below(configured, standard_directory()))
    return concat(rules_.config_directory, configured.substr(standard_directory().size()));
  return std::nullopt;
}

FileState FileMap::state(std::string_view configured) const {
  const std::optional<std::string> here = path(configured);
  if (!here) return FileState::kUnknown;
  struct stat status {};
  if (::stat(here->c_str(), &status) == 0) return FileState::kPresent;
  return errno == ENOENT || errno == ENOTDIR ? FileState::kMissing : FileState::kUnknown;
}

}  // namespace postlint
