/// Waits for requests and lets a process of the user do what is asked: see mta/delivery/user_action_wire.h.
///
///     serve(connection, {"/var/spool/chroot"});
///
/// A request is one packet, with descriptors: the pipe that the answer goes to, and for what needs a message
/// the queue file. This process does nothing but receive and fork. The child reads the header, becomes the
/// user, and only then looks at the rest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libconf/handle.h"

namespace deliver_as {

/// Until the other side closes `connection`, a SOCK_SEQPACKET socket. `roots` are the directories that a
/// command may have for its root.
void serve(int connection, const std::vector<std::string>& roots);

/// What the child does with privileges, and then without; returns the answer. `message`: the queue file, or
/// -1.
std::string answer(std::string_view packet, int message, const std::vector<std::string>& roots);

}  // namespace deliver_as
