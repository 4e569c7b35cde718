/// Tells users at their terminals of new mail: comsat(8), biff(1).
///
///     tell_comsat("ann", 4711);        // a message begins at byte 4711 of ann's mailbox
#pragma once

#include <cstdint>
#include <string_view>

namespace mta {

/// Sends a datagram to the service of this host, which nobody may listen at: nothing is known of what becomes
/// of it. `offset`: in bytes, of the message in the mailbox. Thread-safe.
void tell_comsat(std::string_view user, std::uint64_t offset);

}  // namespace mta
