/// What cleanup(8) does to the headers of a message itself: removes some, adds what is missing, has addresses
/// rewritten, counts hops.
#pragma once

#include <bitset>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/settings.h"
#include "tools/mta/content/cleanup_sink.h"

namespace mta {

/// Whose addresses a header has: canonical_classes and masquerade_classes tell senders from recipients.
enum class HeaderRole { kSender, kRecipient };

/// Rewrites addresses; the address part of the runtime implements it.
class HeaderAddresses {
 public:
  virtual ~HeaderAddresses() = default;

  /// Rewrites the addresses in `header`, "Name: value" as it came, newlines of folds included. An error means
  /// that a table could not tell: the message is not accepted now.
  virtual libconf::Result<void> rewrite(HeaderRole role, std::string& header) = 0;

  /// Calls `visit` for every address in a header's value, in external form, in order.
  virtual void for_each(std::string_view value, const std::function<void(std::string_view)>& visit) = 0;
};

/// The parameters of main.cf that bear on headers.
struct HeaderOptions {
  std::vector<std::string> dropped;  ///< message_drop_headers
  bool always_adds_missing = false;  ///< always_add_missing_headers
  std::string
      undisclosed_recipients_header;  ///< Whole, "To: undisclosed-recipients:;"; empty: none is added.
  std::size_t hopcount_limit = 0;
  bool has_obsolete_from = false;  ///< header_from_format is obsolete.
  std::string my_hostname;         ///< myhostname
};

/// The options as `settings` have them. Errors: as the getters of Settings.
libconf::Result<HeaderOptions> header_options(const libconf::Settings& settings);

/// A From: header for a sender (header_from_format). `address` is in external form; empty is MAILER-DAEMON,
/// and has no name. Pure; thread-safe.
std::string from_header(std::string_view address, std::string_view full_name, bool is_obsolete);

/// The headers of one message, other than those of MIME. All references must outlive the object.
class CleanupHeaders {
 public:
  /// What takes a header that is to be written, without its last newline.
  using Write = std::function<void(std::string_view header)>;

  /// `addresses` may be null: headers stay as they are, and have no recipients.
  CleanupHeaders(const HeaderOptions& options, const MessageContext& context, HeaderAddresses* addresses,
                 CleanupSink& sink, Write write);

  /// Whose addresses a header has, by its name in any case; nothing: it has none that count.
  static std::optional<HeaderRole> role_of(std::string_view name);

  /// A logical header, checked already. Gives the reason why the message is refused, if it is: too many hops,
  /// or addresses that could not be rewritten.
  std::optional<Rejection> header(std::string_view text);

  /// Writes what is missing, and tells the recipients.
  void finish();

 private:
  enum Seen {
    kMessageId,
    kDate,
    kFrom,
    kDestination,
    kResent,
    kResentMessageId,
    kResentDate,
    kResentFrom,
    kSeenCount
  };
  struct KnownHeader {
    std::string_view name;
    std::optional<HeaderRole> role = {};
    std::optional<Seen> seen = {};
    bool is_resent = false;
    bool has_recipients = false;
  };
  static const KnownHeader kKnownHeaders[];

  static const KnownHeader* known(std::string_view name);
  bool is_dropped(std::string_view name) const;
  void log_message_id(std::string_view label, std::string_view id);
  void add_missing_origin();
  void add_missing_destination();
  void add_message_id(bool is_resent);

  const HeaderOptions& options_;
  const MessageContext& context_;
  HeaderAddresses* addresses_;
  CleanupSink& sink_;
  Write write_;
  std::bitset<kSeenCount> seen_;
  std::size_t hops_ = 0;
  std::vector<std::string> recipients_;
  std::vector<std::string> resent_recipients_;  ///< Instead of recipients_, if there are any.
};

}  // namespace mta
