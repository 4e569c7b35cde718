/// What an SMTP or LMTP server says that it can do, in its reply to EHLO or LHLO (RFC 5321, section 4.1.1.1).
///
///     ServerFeatures features(reply, options.discarded_keywords);
///     if (features.has(EhloKeyword::kPipelining)) send_all_at_once();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/mta/delivery/server_reply.h"
#include "tools/mta/smtp/server_options.h"

namespace mta {

/// What a server takes with XFORWARD (XFORWARD_README).
enum class ForwardedAttribute : std::uint8_t { kName, kAddress, kPort, kHelo, kProtocol, kIdent, kSource };

/// The name in the protocol: "NAME", "ADDR".
std::string_view forwarded_attribute_name(ForwardedAttribute attribute);

class ServerFeatures {
 public:
  ServerFeatures() = default;

  /// Reads the lines of a reply to EHLO, the first of which is a greeting. What is discarded was not said.
  ServerFeatures(const ServerReply& reply, const DiscardedKeywords& discarded);

  /// It offers SMTPUTF8 without 8BITMIME, which it has all the same then.
  bool forgets_8bitmime() const { return forgets_8bitmime_; }

  bool has(EhloKeyword keyword) const { return (bits_ & static_cast<unsigned>(keyword)) != 0; }
  bool takes(ForwardedAttribute attribute) const {
    return (forwarded_ >> static_cast<unsigned>(attribute) & 1U) != 0;
  }
  /// Of AUTH, with blanks between; empty: none.
  const std::string& mechanisms() const { return mechanisms_; }
  /// In bytes; 0: none.
  std::uint64_t size_limit() const { return size_limit_; }
  /// What was given for it that is no number; empty: nothing.
  const std::string& bad_size_limit() const { return bad_size_limit_; }

 private:
  void take(EhloKeyword keyword, std::string_view arguments);

  bool forgets_8bitmime_ = false;
  unsigned bits_ = 0;
  unsigned forwarded_ = 0;
  std::uint64_t size_limit_ = 0;
  std::string bad_size_limit_;
  std::string mechanisms_;
};

}  // namespace mta
