/// What an answer of the DNS says that c-ares has no words for: where aliases lead, records of any type, and
/// whether the server has validated it (RFC 1035, section 4; RFC 4035, section 3.2.3).
///
///     std::optional<DnsMessage> message = read_dns_message(bytes, 52);   // TLSA
///     if (message && message->is_authentic) use(message->data);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mta {

struct DnsMessage {
  int response_code = 0;      ///< RCODE
  bool is_authentic = false;  ///< AD: the server says that it has validated all of it.
  std::uint32_t ttl = 0;      ///< Of the first of the records, in seconds; the others have the same.
  std::string name = {};      ///< Where the aliases of the question lead; without aliases, the question.
  std::vector<std::string> data = {};  ///< Of the records of that name and the wanted type, as they are.
};

/// Reads the bytes of an answer. Nothing: they are none. Pure; thread-safe.
std::optional<DnsMessage> read_dns_message(std::span<const std::uint8_t> bytes, int type);

}  // namespace mta
