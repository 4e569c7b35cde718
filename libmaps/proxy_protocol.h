/// What a proxymap client and service say to each other (proxymap(8) lists the requests; their form is what
/// Postfix 3.7's postmap and proxymap are seen to send). A message is a list of attributes, each a name and a
/// value that end with a NUL, and an empty name ends the list. The service speaks first, its greeting; then
/// each request has one reply, and the client waits for it before it sends the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libmaps {

/// The longest message that is read, in bytes.
inline constexpr std::size_t kMaxProxyMessage = std::size_t{1} << 20;

/// One attribute. Views point into the message.
struct Attribute {
  std::string_view name;
  std::string_view value;
};

/// What the front of a stream is.
struct AttributeScan {
  enum class State : std::uint8_t {
    kIncomplete,  ///< More bytes are needed to tell.
    kComplete,
    kTooLong,  ///< No end within the limit.
  };
  State state = State::kIncomplete;
  std::vector<Attribute> attributes = {};  ///< When complete.
  std::size_t length = 0;                  ///< When complete: of the message, with its end.
};

/// Looks for a message of at most `limit` bytes at the front of `text`.
AttributeScan scan_attributes(std::string_view text, std::size_t limit = kMaxProxyMessage);

/// What a service sends first.
std::string proxy_greeting();
bool is_proxy_greeting(const std::vector<Attribute>& attributes);

/// How a table is to be treated, as bits of the attribute `flags`.
namespace proxy_flag {
inline constexpr std::uint32_t kWarnOfDuplicates = 1;
inline constexpr std::uint32_t kNoNull = 1U << 2;    ///< Keys and values do not end with a NUL (postmap -n).
inline constexpr std::uint32_t kWithNull = 1U << 3;  ///< They do (postmap -N).
inline constexpr std::uint32_t kFixed = 1U << 4;     ///< Of replies: keys are fixed strings.
inline constexpr std::uint32_t kPattern = 1U << 5;   ///< Of replies: keys are matched with patterns.
inline constexpr std::uint32_t kLock = 1U << 6;
inline constexpr std::uint32_t kReplace = 1U << 7;     ///< An update replaces.
inline constexpr std::uint32_t kFoldFixed = 1U << 14;  ///< The service folds keys of fixed-string tables.
inline constexpr std::uint32_t kUtf8 = 1U << 19;   ///< The client has folded the key, and checks for UTF-8.
inline constexpr std::uint32_t kFiles = 1U << 21;  ///< Values are files in base64 (postmap -F).
}  // namespace proxy_flag

enum class ProxyRequestKind : std::uint8_t { kOpen, kLookup, kUpdate, kDelete, kSequence };

/// The attribute `request` of that kind: "open".
std::string_view to_string(ProxyRequestKind kind);

/// Which entry a sequence request asks for.
enum class ProxySequence : std::uint8_t { kFirst, kNext };

/// One request. A text cannot hold a NUL.
struct ProxyRequest {
  ProxyRequestKind kind = ProxyRequestKind::kOpen;
  std::string table;  ///< "type:name"
  std::uint32_t flags = 0;
  std::string key = {};                            ///< Of lookup, update and delete.
  std::string value = {};                          ///< Of update.
  ProxySequence function = ProxySequence::kFirst;  ///< Of sequence.
};

/// How a request ended. Services may send other numbers.
enum class ProxyStatus : std::uint8_t {
  kOk = 0,
  kNoKey = 1,   ///< Not found.
  kRetry = 2,   ///< The table could not tell.
  kBad = 3,     ///< No request that the service knows.
  kDeny = 4,    ///< The table is not approved.
  kConfig = 5,  ///< The table could not tell, and will not until somebody changes something.
};

/// One reply.
struct ProxyReply {
  std::uint32_t status = 0;  ///< A ProxyStatus, or another number.
  std::uint32_t flags = 0;   ///< Of open.
  std::string key = {};      ///< Of sequence.
  std::string value = {};    ///< Of lookup and sequence.

  bool has(ProxyStatus wanted) const { return status == static_cast<std::uint32_t>(wanted); }
};

/// Whether a message can carry `text`.
inline bool is_proxy_text(std::string_view text) { return text.find('\0') == std::string_view::npos; }

/// The bytes of a request. REQUIRES: is_proxy_text() of all its texts.
std::string encode(const ProxyRequest& request);

/// The kind that a message asks for, as far as it is a request at all.
std::optional<ProxyRequestKind> requested_kind(const std::vector<Attribute>& attributes);

/// Reads a request. The attributes have their order; more behind them change nothing. Nothing: it is none.
std::optional<ProxyRequest> parse_request(const std::vector<Attribute>& attributes);

/// The bytes of a reply to a request of that kind; without one, of the status alone. Texts end at their first
/// NUL.
std::string encode(const ProxyReply& reply, std::optional<ProxyRequestKind> kind);

/// Reads the reply to a request of that kind, by the same rules. Nothing: it is none.
std::optional<ProxyReply> parse_reply(const std::vector<Attribute>& attributes, ProxyRequestKind kind);

}  // namespace libmaps
