/// Which file of this machine a path in an audited configuration means.
///
///     FileMap files({.root = "/srv/image", .config_directory = "/srv/image/etc/postfix"});
///     files.path("/etc/aliases") == "/srv/image/etc/aliases";
///     files.state("/etc/aliases");  // there or not
///
/// A configuration that lies in a repository names files of the host that it is for. Those below
/// /etc/postfix are looked for beside main.cf; of the others nothing is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postlint {

enum class FileState : std::uint8_t {
  kPresent,
  kMissing,
  kUnknown,  ///< It would be on another host.
};

struct FileMapRules {
  std::string root = {};              ///< --root; empty: none.
  std::string config_directory = {};  ///< The directory of main.cf on this machine.
};

/// Immutable; safe to share between threads.
class FileMap {
 public:
  explicit FileMap(FileMapRules rules);

  /// Where the file would be on this machine; nothing: it is one of another host. A relative path is one
  /// below config_directory.
  std::optional<std::string> path(std::string_view configured) const;

  /// Whether it is there. What cannot be looked at, for want of rights, counts as unknown.
  FileState state(std::string_view configured) const;

  /// Whether this machine, or the tree below the root, is the host that the configuration is for.
  bool is_whole_host() const { return is_whole_host_; }

 private:
  FileMapRules rules_;
  bool is_whole_host_ = false;
};

}  // namespace postlint
