/// What bounce(8) has written down about the recipients of a message: a file `bounce/ID`, `defer/ID` or
/// `trace/ID` for those that failed, are late, or whose sender wants to know.
///
///     append(path, format_notice_entry({.address = "ann@example.com", .reason = "No such user"}, true));
///     for (const NoticeEntry& each : parse_notice_log(text)) ...
///
/// An entry has a line "NAME=VALUE" for each fact, and a blank line before it and at its end; without the
/// last one it is not finished, and does not count. Any text is taken. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mta {

/// How much of a log is read: more than a message with any sensible number of recipients has.
inline constexpr std::size_t kLongestNoticeLog = std::size_t{256} << 20;

struct NoticeEntry {
  std::string address;               ///< In its external form.
  std::string original = {};         ///< Likewise; before aliases; empty: the same.
  std::uint64_t offset = 0;          ///< QueueRecipient::offset
  std::string dsn_original = {};     ///< ORCPT of RFC 3461, "rfc822;ann@example.com"; empty: not known.
  int notify = 0;                    ///< An OR of NotifyFlag.
  std::string status = {};           ///< "5.1.1"
  std::string action = {};           ///< "failed", "delayed", "delivered", ... (RFC 3464, section 2.3.3)
  std::string diagnostic_type = {};  ///< "smtp"; empty: there is no diagnostic.
  std::string diagnostic = {};
  std::string server_type = {};  ///< "dns"; empty: no server had to do with it.
  std::string server = {};
  std::string reason = {};  ///< For people.

  friend bool operator==(const NoticeEntry&, const NoticeEntry&) = default;
};

/// The text of an entry. Control characters in values are shown as '?'. `has_sentence`: with a line that
/// versions of Postfix before 2.0 read (backwards_bounce_logfile_compatibility).
std::string format_notice_entry(const NoticeEntry& entry, bool has_sentence);

/// The entries in their order. An address or reason that one does not say is replaced as by Postfix's
/// showq(8); other facts are empty then.
std::vector<NoticeEntry> parse_notice_log(std::string_view text);

}  // namespace mta
