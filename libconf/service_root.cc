#include "libconf/service_root.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <optional>

#include "libconf/text.h"

namespace libconf {
namespace {

/// As the kernel has it (path_resolution(7)).
constexpr int kMostLinks = 40;

/// What a symbolic link says; nothing, and errno, for what is none: EINVAL where something else is there.
std::optional<std::string> link_target(const std::string& path) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(size));
}

}  // namespace

std::string RootedPath::on_host() const {
  if (root.empty() || path.empty()) return path;
  std::string found;  // Below the root, and without links.
  std::string rest = path;
  int links = 0;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string name = rest.substr(0, slash);
    rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      found.resize(found.empty() ? 0 : found.rfind('/'));
      continue;
    }
    const std::string next = concat(found, "/", name);
    const std::optional<std::string> target = link_target(concat(root, next));
    if (!target) {
      found = next;
      // Who asks is told the same of it; and what comes later cannot lead elsewhere.
      if (errno != EINVAL) break;
      continue;
    }
    if (++links > kMostLinks) return root;
    if (target->starts_with('/')) found.clear();
    rest = concat(*target, "/", rest);
  }
  return concat(root, found);
}

Result<ServiceRoot> ServiceRoot::of(const Settings& settings) {
  Result<std::string> directory = settings.get("queue_directory");
  if (!directory) return directory.error();
  return ServiceRoot{.queue_directory = std::move(*directory), .is_confined = settings.is_confined()};
}

RootedPath ServiceRoot::at(std::string_view path) const {
  if (is_confined) return {.path = std::string(path), .root = queue_directory};
  if (path.starts_with('/')) return {.path = std::string(path)};
  return {.path = concat(queue_directory, "/", path)};
}

const std::string& ServiceRoot::directory() const {
  static const std::string kNone;
  return is_confined ? queue_directory : kNone;
}

}  // namespace libconf
