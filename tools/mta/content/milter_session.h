/// One filter's part in one SMTP session: what is told to it at each step, and what its replies mean
/// (MILTER_README). No sockets, no clock: the owner sends what the functions return and reads while
/// awaits_reply().
///
///     std::string packets = session.helo("client.example.com");
///     send(packets);
///     while (session.awaits_reply()) session.take(read_reply(), edits);
///     if (session.verdict().kind == MilterVerdictKind::kReject) reply(session.verdict().reply);
///
/// Several filters are asked one after the other; the first that refuses decides.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/settings.h"
#include "tools/mta/content/milter_protocol.h"
#include "tools/mta/daemon/server_place.h"

namespace mta {

/// milter_default_action: what happens when a filter cannot be asked.
enum class MilterDefaultAction { kAccept, kQuarantine, kReject, kShutdown, kTempfail };

/// One entry of smtpd_milters or non_smtpd_milters.
struct MilterOptions {
  std::string endpoint;  ///< "inet:host:port" or "unix:path"; also the name in messages.
  ServerPlace place;
  std::uint32_t version = kNewestMilterVersion;
  bool has_no_header_reply = false;  ///< milter_protocol has no_header_reply.
  MilterDefaultAction default_action = MilterDefaultAction::kTempfail;
  std::chrono::seconds connect_timeout{};
  std::chrono::seconds command_timeout{};
  std::chrono::seconds content_timeout{};
  std::array<std::vector<std::string>, kMilterStages> macros;  ///< Names, in the order of MilterStage.
};

/// The filters that `parameter` names, with the milter_ parameters, and with settings of their own in braces:
/// `{ inet:host:port, connect_timeout=10s, default_action=accept }`. Errors: kConfiguration, "unknown option:
/// ..." and the like in Postfix's words; as the getters of Settings.
libconf::Result<std::vector<MilterOptions>> milter_options(const libconf::Settings& settings,
                                                           std::string_view parameter);

/// The same for `entries`, as smtpd_milter_maps have them.
libconf::Result<std::vector<MilterOptions>> parse_milter_options(const libconf::Settings& settings,
                                                                 std::string_view entries);

enum class MilterVerdictKind {
  kContinue,  ///< Nothing speaks against the mail.
  kDiscard,   ///< The message is accepted and thrown away.
  kHold,      ///< The message goes to the hold queue: milter_default_action is quarantine.
  kReject,    ///< This command is refused with `reply`.
  kClose,     ///< `reply` is sent, and the session ends.
};

struct MilterVerdict {
  MilterVerdictKind kind = MilterVerdictKind::kContinue;
  std::string reply = {};  ///< "550 5.7.1 Command rejected"; lines of a longer one have \r\n between them.
};

/// What a filter does to a message at its end; the queue file writer implements it. Header names are matched
/// without regard to case; values come with the blank that is to stand behind the colon.
class MilterEdits {
 public:
  virtual ~MilterEdits() = default;

  virtual void add_header(std::string_view name, std::string_view value) = 0;
  /// `index` is the place among all headers as they are now, from 0, the server's own Received: included;
  /// beyond the last: at the end.
  virtual void insert_header(std::uint32_t index, std::string_view name, std::string_view value) = 0;
  /// The `index`-th header of that name, from 1; when there is none, it is added.
  virtual void change_header(std::uint32_t index, std::string_view name, std::string_view value) = 0;
  virtual void delete_header(std::uint32_t index, std::string_view name) = 0;
  /// Addresses are as the filter wrote them, mostly in angle brackets.
  virtual void add_recipient(std::string_view address, std::span<const std::string> parameters) = 0;
  virtual void delete_recipient(std::string_view address) = 0;
  virtual void change_sender(std::string_view address, std::span<const std::string> parameters) = 0;
  /// The next piece of a new body; lines end with \r\n. The first one discards the old body.
  virtual void replace_body(std::string_view piece) = 0;
  virtual void hold(std::string_view reason) = 0;
};

/// The value of a macro such as "{client_addr}" or "i"; nothing: it is not known now.
using MilterMacroLookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Not thread-safe; `options` must outlive the object.
class MilterSession {
 public:
  MilterSession(const MilterOptions& options, MilterMacroLookup macros);

  /// Each returns the packets to send, macros included; empty: the filter is not to be told. verdict() holds
  /// once awaits_reply() is false. negotiate() comes first. Arguments are as in milter_protocol.h.
  std::string negotiate();
  std::string connect(std::string_view client_name, MilterFamily family, std::uint16_t port,
                      std::string_view address);
  std::string helo(std::string_view name);
  std::string mail(std::span<const std::string> arguments);
  std::string recipient(std::span<const std::string> arguments);
  std::string data();
  std::string unknown(std::string_view line);
  /// `value` is what follows the colon.
  std::string header(std::string_view name, std::string_view value);
  std::string end_of_headers();
  /// REQUIRES: at most kMilterChunkSize bytes; lines end with \r\n.
  std::string body(std::string_view chunk);
  std::string end_of_message();
  /// The transaction is over, however it ended; another may follow.
  std::string abort();
  std::string quit();

  bool awaits_reply() const { return awaited_.has_value(); }
  /// What the filter is to reply to.
  std::optional<MilterCommand> awaited() const { return awaited_; }

  /// Takes a reply. Edits come at the end of the message only.
  void take(const MilterReply& reply, MilterEdits& edits);

  /// The filter cannot be asked (any more): no connection, a time limit, a packet that makes no sense.
  /// `reason` is for the warning.
  void fail(std::string_view reason);
  void fail_to_connect(std::string_view reason);

  const MilterVerdict& verdict() const { return verdict_; }

  /// What to warn of since the last call, in Postfix's words.
  std::vector<std::string> take_warnings();

  /// Whether recipients that were refused are told too.
  bool wants_rejected_recipients() const;

 private:
  struct Event;
  static const Event kEvents[];

  static const Event& event_of(MilterCommand command);
  std::string start(MilterCommand command, std::string_view packet);
  std::string macros_for(const Event& event) const;
  void settle(MilterVerdict verdict);
  void settle_by_default();
  void refuse(std::string reply);
  void accept();
  void discard();
  void skip();
  void take_negotiation(const MilterNegotiation& chosen);
  bool take_edit(const MilterReply& reply, MilterEdits& edits);
  std::string with_space(std::string_view value) const;
  void warn(std::string_view text);

  const MilterOptions& options_;
  MilterMacroLookup macros_;
  std::array<std::vector<std::string>, kMilterStages> macro_names_;
  std::uint32_t protocol_ = 0;  ///< What was agreed.
  std::optional<MilterCommand> awaited_;
  MilterVerdict verdict_;
  std::optional<MilterVerdict> for_session_;  ///< The answer to everything that follows.
  std::optional<MilterVerdict> for_message_;  ///< The same, until the next message.
  std::optional<MilterCommand> skipped_;      ///< Not told any more in this message.
  bool is_in_message_ = false;
  std::vector<std::string> warnings_;
};

}  // namespace mta
