/// What the restriction engine asks others for. Each is an interface, so that a test or a dry run answers
/// without a network.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/dns/resolver.h"

namespace mta {

/// ADDRESS_CLASS_README.
enum class AddressClass : std::uint8_t { kLocal, kVirtualAlias, kVirtualMailbox, kRelay, kDefault };

/// An address as mail to it would be treated.
struct AddressInfo {
  /// Where mail for it goes: rewritten, in its external form ("a b"@example.com), of `a%b@here` it is a@b.
  /// The key for tables.
  std::string address;
  std::string domain;  ///< Of that address.
  AddressClass address_class = AddressClass::kDefault;
  /// The sender has said how to route it: user@elsewhere@domain, user%elsewhere@domain,
  /// elsewhere!user@domain.
  bool has_sender_routing = false;
};

class AddressResolver {
 public:
  virtual ~AddressResolver() = default;

  /// Rewrites and resolves an address, in its internal form. Errors: kTemporary, when a table could not tell.
  virtual asio::awaitable<libconf::Result<AddressInfo>> resolve(std::string address) = 0;
};

/// Whether mail to an address could be delivered (ADDRESS_VERIFICATION_README).
enum class VerificationStatus : std::uint8_t {
  kDeliverable,
  kUndeliverable,  ///< It would bounce.
  kUnknown,        ///< A probe failed for now, or has no result yet.
};

struct Verification {
  VerificationStatus status = VerificationStatus::kUnknown;
  std::string status_code = {};  ///< Enhanced (RFC 3463); empty: none.
  std::string reason = {};
};

class AddressVerifier {
 public:
  virtual ~AddressVerifier() = default;

  /// Asks for an address in its internal form; when nothing is known of it yet, waits for that so long.
  virtual asio::awaitable<Verification> verify(std::string address, std::chrono::seconds patience) = 0;
};

struct PolicyServiceSettings;

class PolicyService {
 public:
  virtual ~PolicyService() = default;

  /// What the server behind `settings` answers, an access(5) action; its default action when it does not
  /// answer, after warnings have been given to `warn`.
  virtual asio::awaitable<std::string> ask(const PolicyServiceSettings& settings, const SmtpdState& state,
                                           const std::function<void(std::string)>& warn) = 0;

  /// No more questions come about the message with this SmtpdState::instance.
  virtual void release(std::string_view /*instance*/) {}
};

/// All of them. They must outlive the engine.
struct AccessServices {
  Resolver& resolver;
  /// For the addresses of hosts that access tables and permit_mx_backup are about: Postfix asks
  /// getaddrinfo(3) for them, which smtpd_dns_reply_filter does not see.
  Resolver& hosts;
  AddressResolver& addresses;
  AddressVerifier& verifier;
  PolicyService& policy;
  /// Does what `sleep` asks for.
  std::function<asio::awaitable<void>(std::chrono::seconds)> sleep;
};

}  // namespace mta
