/// What is done with the rights of another user: mail put into a mailbox or a file, a command run, a file
/// read. See local(8), virtual(8) and pipe(8) for who that is.
///
///     MailboxDelivery delivery{.path = "/home/ann/Maildir/", .copy = copy};
///     ActionResult done = co_await actions.deliver(ann, std::move(delivery), message);
///     if (done.fault) defer(done.fault->code, done.fault->reason);
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/daemon/identity.h"
#include "tools/mta/delivery/mailbox_lock.h"

namespace mta {

/// How the text of a message is written.
struct MessageCopy {
  std::uint64_t content_offset = 0;  ///< In the queue file, for read_content().
  std::string head = {};             ///< Lines that come first, as they are.
  std::string end_of_line = "\n";
  std::string tail = {};     ///< What comes last.
  bool quotes_from = false;  ///< "From " at the start of a line becomes ">From ".
  bool stuffs_dots = false;  ///< A dot at the start of a line becomes two.
};

/// A message into a file, or into a maildir, when the path ends in a slash.
struct MailboxDelivery {
  std::string path;
  MessageCopy copy = {};
  LockRules locks = {};
  std::uint64_t size_limit = 0;  ///< Of the file, in bytes; 0: none.
  bool must_be_owned = true;     ///< strict_mailbox_ownership
  bool needs_dot_lock = true;    ///< Without: a lock file that cannot be made is warned of, no more.
  bool may_be_special = false;   ///< Such as /dev/null; that is not locked.
};

/// A command that gets the message on its standard input.
struct CommandRun {
  std::string program;                 ///< The delivery agent, "local", for what the command would say...
  std::string failure = "execvp";      ///< ...and what it calls that, when it cannot be executed.
  std::vector<std::string> arguments;  ///< The first is the command, looked for in PATH.
  std::vector<std::string> environment = {};
  std::string directory = {};  ///< Empty: where the mail system is.
  MessageCopy copy = {};
  std::uint32_t time_limit = 1000;  ///< command_time_limit, in seconds.
  std::uint64_t file_limit = 0;     ///< Of a file that the command writes, in bytes; 0: none.
  std::uint32_t root = 0;           ///< The directory that becomes "/": UserActions::find_root(); 0: none.
};

/// Why something was not done.
struct ActionFault {
  std::string code;    ///< Enhanced (RFC 3463).
  std::string reason;  ///< "cannot open file: Permission denied"
};

struct ActionResult {
  std::optional<ActionFault> fault = {};  ///< Nothing: it was done.
  std::string warning = {};               ///< For the log; empty: none.
  std::uint64_t offset = 0;               ///< Where in a file the message begins; of a maildir: 0.
};

/// How a command ended.
struct CommandResult {
  enum class End : std::uint8_t {
    kExit,
    kSignal,
    kTimeLimit,
    kNotRun,
  };
  End end = End::kNotRun;
  int number = 0;  ///< The exit status, or the signal.
  std::string output = {};
  std::string reason = {};  ///< Why it did not run; with kExit: it was not found, or could not be executed.
};

/// What a file says.
struct FileText {
  enum class State : std::uint8_t {
    kText,
    kAbsent,
    kRefused,      ///< Not to be believed, as `reason` says.
    kUnavailable,  ///< It could not be told whether there is one, as `reason` says.
  };
  State state = State::kUnavailable;
  Identity owner = {};
  std::string text = {};
  std::string reason = {};
};

/// Not thread-safe; several actions may be under way at a time. `message` is the queue file, open for
/// reading; it must stay open until the action ends. What cannot be asked for comes back as a temporary
/// fault.
class UserActions {
 public:
  UserActions() = default;
  UserActions(const UserActions&) = delete;
  UserActions& operator=(const UserActions&) = delete;
  virtual ~UserActions() = default;

  /// CommandRun::root of a directory; 0: commands may not have it for their root.
  virtual std::uint32_t find_root(std::string_view directory) const = 0;

  virtual asio::awaitable<ActionResult> deliver(Identity who, MailboxDelivery delivery, int message) = 0;
  virtual asio::awaitable<CommandResult> run(Identity who, CommandRun command, int message) = 0;
  /// A regular file that not everybody may write to.
  virtual asio::awaitable<FileText> read(Identity who, std::string path) = 0;
};

}  // namespace mta
