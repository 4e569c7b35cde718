/// What DNS says of the certificates of a server, for the levels dane and dane-only (RFC 6698, RFC 7671, RFC
/// 7672).
///
///     DaneLookup lookup(options, resolver, warnings);
///     std::optional<Error> fault = co_await lookup.complete(policy, server, "example.com");
///     if (!fault && policy.level == ClientTlsLevel::kDane) use(policy.records);
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/delivery/client_tls_policy.h"
#include "tools/mta/delivery/server_lookup.h"
#include "tools/mta/dns/resolver.h"

namespace mta {

/// The record in `data` as DNS has it; nothing: it is none.
std::optional<TlsaRecord> parse_tlsa_record(std::string_view data);

/// "3 1 1 00AABB"
std::string to_string(const TlsaRecord& record);

/// Not thread-safe. What it is given must outlive it.
class DaneLookup {
 public:
  DaneLookup(const SmtpClientOptions& options, Resolver& resolver, DiagnosticSink& warnings)
      : options_(options), resolver_(resolver), warnings_(warnings) {}

  /// Finds out what a policy that asks for DANE means for a server: kDane with records, kEncrypt where they
  /// cannot be used, kMay where there are none. An error: what the sender gets to know of a server that may
  /// have no mail then. `domain` is that of the nexthop, whose name a certificate may have, too.
  asio::awaitable<std::optional<Error>> complete(ClientTlsPolicy& policy, MailServer server,
                                                 std::string domain);

 private:
  struct Found {
    std::vector<TlsaRecord> records = {};
    std::string base = {};     ///< The name that they are for.
    bool is_unknown = false;   ///< Whether there are any could not be told.
    bool is_unusable = false;  ///< There are, of kinds that do not count here.
  };
  asio::awaitable<Found> find(MailServer server);
  std::vector<TlsaRecord> usable(const DnsAnswer& answer, std::string_view name);

  const SmtpClientOptions& options_;
  Resolver& resolver_;
  DiagnosticSink& warnings_;
};

}  // namespace mta
