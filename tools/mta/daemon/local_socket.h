/// Sockets and named pipes of local services (master(5): unix, unix-dgram, fifo and pass).
#pragma once

#include <optional>
#include <string>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "tools/mta/daemon/identity.h"

namespace mta {

/// A UNIX-domain socket at `path`, with mode 0666; of `type` SOCK_STREAM, which listens, or SOCK_DGRAM. A
/// socket of before is removed; anything else that stands there is an error. Errors: kInputOutput.
libconf::Result<libconf::FileDescriptor> make_local_socket(const std::string& path, int type,
                                                           const std::optional<Identity>& owner);

/// A named pipe at `path`, with mode 0622, to read from; it is not at its end when a writer goes. Errors:
/// kInputOutput.
libconf::Result<libconf::FileDescriptor> make_named_pipe(const std::string& path,
                                                         const std::optional<Identity>& owner);

/// The first descriptor that the peer of a stream socket passes on with the bytes that have come. Empty:
/// there is none.
libconf::FileDescriptor receive_descriptor(int socket);

}  // namespace mta
