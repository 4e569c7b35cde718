/// The commands of an SMTP server, and how a command line divides into words.
///
///     const mta::CommandLine line(text);
///     if (line.words().empty()) return bad_syntax();
///     const mta::Command* command = mta::find_command(line.name());
///
/// See request.h for what the words mean.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace mta {

/// In the order in which the log counts them; see SessionStatistics.
enum class Verb {
  kHelo,
  kEhlo,
  kXclient,
  kXforward,
  kStarttls,
  kAuth,
  kMail,
  kRcpt,
  kData,
  kBdat,
  kRset,
  kNoop,
  kVrfy,
  kEtrn,
  kQuit,
};

struct Command {
  Verb verb;
  std::string_view name;
  bool is_junk = false;            ///< Counts for smtpd_junk_command_limit.
  bool is_last_in_group = false;   ///< A client waits for the answer before it sends more (RFC 2920).
  bool works_without_tls = false;  ///< Where smtpd_tls_security_level is encrypt.
};

inline constexpr std::array<Command, 15> kCommands = {{
    {.verb = Verb::kHelo,
     .name = "HELO",
     .is_junk = true,
     .is_last_in_group = true,
     .works_without_tls = true},
    {.verb = Verb::kEhlo,
     .name = "EHLO",
     .is_junk = true,
     .is_last_in_group = true,
     .works_without_tls = true},
    {.verb = Verb::kXclient, .name = "XCLIENT", .works_without_tls = true},
    {.verb = Verb::kXforward, .name = "XFORWARD"},
    {.verb = Verb::kStarttls, .name = "STARTTLS", .works_without_tls = true},
    {.verb = Verb::kAuth, .name = "AUTH"},
    {.verb = Verb::kMail, .name = "MAIL"},
    {.verb = Verb::kRcpt, .name = "RCPT"},
    {.verb = Verb::kData, .name = "DATA", .is_last_in_group = true},
    {.verb = Verb::kBdat, .name = "BDAT"},
    {.verb = Verb::kRset, .name = "RSET", .is_junk = true},
    {.verb = Verb::kNoop,
     .name = "NOOP",
     .is_junk = true,
     .is_last_in_group = true,
     .works_without_tls = true},
    {.verb = Verb::kVrfy, .name = "VRFY", .is_junk = true, .is_last_in_group = true},
    {.verb = Verb::kEtrn, .name = "ETRN", .is_junk = true},
    {.verb = Verb::kQuit, .name = "QUIT", .works_without_tls = true},
}};

/// The command of that name, in any case of letters; null when there is none. Thread-safe.
const Command* find_command(std::string_view name);

/// Whether input that came along with `command` breaks the rules of RFC 2920, as
/// smtpd_forbid_unauth_pipelining has them. `may_pipeline`: the client was told of PIPELINING, in an answer
/// to EHLO.
inline bool forbids_more_input(const Command& command, bool may_pipeline) {
  return !may_pipeline || command.is_last_in_group;
}

/// One word of a command line.
struct CommandWord {
  std::string_view text;
  bool is_open = false;  ///< A quote or '<' in it is not closed.
};

/// A command line in words. White space separates them, but not between quotes or in angle brackets; a
/// backslash takes the meaning from the next character. In MAIL and RCPT, what follows `FROM:` or `TO:` is a
/// word of its own.
class CommandLine {
 public:
  /// `text` must live longer.
  explicit CommandLine(std::string_view text);

  const std::vector<CommandWord>& words() const { return words_; }

  /// The first word. REQUIRES: there is one.
  std::string_view name() const { return words_.front().text; }

  /// The words from number `first`, up to `last`, with one space between them.
  std::string join(std::size_t first, std::size_t last) const;

  /// The first word starts as a message header does, `Label:` or `Label :`. Postfix ends such a session, as
  /// it does for smtpd_forbidden_commands.
  bool is_message_header() const;

 private:
  std::vector<CommandWord> words_;
};

}  // namespace mta
