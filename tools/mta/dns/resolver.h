/// Questions to the DNS, as the mail runtime asks them.
///
///     const DnsAnswer answer = co_await resolver.resolve("example.com", DnsType::kMx);
///     if (answer.status == DnsStatus::kTemporaryFailure) co_return defer();
///     for (const DnsRecord& record : answer.records) use(record.data);
///
/// These outcomes are kept apart, because mail is treated differently for each. Aliases (CNAME) are followed:
/// the records are those of the name at the end of the chain, and so is the outcome.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mta {

enum class DnsType { kA, kAaaa, kMx, kNs, kPtr, kSoa, kTxt, kTlsa };

/// "A", "AAAA", "MX" and so on.
std::string_view dns_type_name(DnsType type);

/// The type of that name, in any case of letters; nothing: it is none of these.
std::optional<DnsType> find_dns_type(std::string_view name);

enum class DnsStatus {
  kFound,             ///< There is at least one record.
  kNoData,            ///< The name is there, but has no records of the type.
  kNoSuchName,        ///< The name is not there (NXDOMAIN), or cannot be one.
  kTemporaryFailure,  ///< Nobody answered in time, or the answer was a failure: ask again later.
  kFiltered,          ///< There are records, but a rule of this site ignores them all (DnsReplyFilter).
  kFilterFailed,      ///< There are records, but such a rule could not be applied.
};

/// Whether it may be another one later, or when this site has changed its mind.
bool is_temporary(DnsStatus status);

/// What the resolver library of the C language calls the outcome, for messages: "Host not found, try again".
std::string_view describe(DnsStatus status);

/// What the log says of an outcome that is not kFound: "Host or domain name not found. Name service error for
/// name=example.com type=MX: Host not found".
std::string lookup_error(std::string_view name, DnsType type, DnsStatus status);

/// One record. `data` is an address, a host name without the dot at its end, the pieces of a text one after
/// the other, the name of a zone's first server (SOA), or bytes as they are (TLSA). Host "." is empty: RFC
/// 7505's null MX.
struct DnsRecord {
  std::string data;
  int preference = 0;  ///< Of an MX.
  friend bool operator==(const DnsRecord&, const DnsRecord&) = default;
};

/// REQUIRES: records are there if and only if the status is kFound.
struct DnsAnswer {
  DnsStatus status = DnsStatus::kNoSuchName;
  std::vector<DnsRecord> records = {};
  std::uint32_t ttl = 0;  ///< How long the records may be kept, in seconds; 0 without records.
  std::string name = {};  ///< Where the aliases of the question lead; empty: not known.
  /// The system's resolver has validated it with DNSSEC, and is trusted with that (trust-ad, resolv.conf(5)).
  bool is_validated = false;
};

/// Not thread-safe: to be used from the thread that runs its executor. Answers are in no order; an MX list is
/// not sorted.
class Resolver {
 public:
  virtual ~Resolver() = default;

  /// Asks for `name`, with or without a dot at its end; never with the search list of the host. Other
  /// sessions go on meanwhile.
  virtual asio::awaitable<DnsAnswer> resolve(std::string name, DnsType type) = 0;
};

}  // namespace mta
