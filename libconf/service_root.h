/// Which file of the host a service means by a path. A service whose entry in master.cf asks for a chroot has
/// queue_directory for its root (master(5), "Chroot"): what its settings call /opendkim/sock is
/// /var/spool/postfix/opendkim/sock.
///
///     Result<ServiceRoot> root = ServiceRoot::of(settings.for_service(entry, master_cf));
///     RootedPath socket = root->at("/opendkim/sock");
///     connect(socket.on_host());
#pragma once

#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"

namespace libconf {

/// A path, and the directory that it is taken from. Safe between threads as a std::string is.
struct RootedPath {
  std::string path = {};
  std::string root = {};  ///< Empty: the root directory of the process.

  bool empty() const { return path.empty(); }

  /// The path that the system knows it by at this moment. Below another root, symbolic links are followed as
  /// they would be after chroot(2): an absolute one starts at the root again, and ".." does not leave it.
  /// Links without end are the root itself. The path ends at what does not exist or cannot be looked at.
  std::string on_host() const;

  friend bool operator==(const RootedPath&, const RootedPath&) = default;
};

struct ServiceRoot {
  std::string queue_directory = {};
  bool is_confined = false;  ///< Absolute paths are below queue_directory, too.

  /// The root of the service that `settings` are of; without a service, that of the host. It is the same
  /// whoever the process runs as. Errors: as Settings::get().
  static Result<ServiceRoot> of(const Settings& settings);

  /// Where `path` is; a relative one is below queue_directory, the working directory of all services.
  RootedPath at(std::string_view path) const;

  /// For a program that takes relative paths from its own working directory: what RootedPath::root is.
  const std::string& directory() const;
};

}  // namespace libconf
