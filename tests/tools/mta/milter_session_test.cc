// Commands and verdicts are those of the stock smtpd and cleanup with a filter that gives the same replies.
#include "tools/mta/content/milter_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libconf/main_cf_document.h"
#include "tests/tools/mta/milter_edits.h"

namespace mta {
namespace {

using namespace std::string_literals;
using Lines = std::vector<std::string>;

libconf::Host no_host() {
  return {"h.example.com",
          [] {
            return libconf::Result<std::vector<libconf::InterfaceAddress>>(
                std::vector<libconf::InterfaceAddress>());
          },
          [](const std::string&) { return std::vector<std::vector<std::uint8_t>>(); }};
}

libconf::Result<std::vector<MilterOptions>> options_of(const std::string& main_cf) {
  const auto document = libconf::MainCfDocument::parse(main_cf, "main.cf");
  const libconf::Settings settings(&document, no_host());
  return milter_options(settings, "smtpd_milters");
}

/// A filter that answers each command with a reply of its own, or goes on; and the session with it.
class Conversation {
 public:
  explicit Conversation(MilterNegotiation choice = {.version = 6, .protocol = 0})
      : choice_(std::move(choice)),
        session(
            [this](MilterOptions options) -> const MilterOptions& {
              options_ = std::move(options);
              return options_;
            }(default_options()),
            lookup) {}

  /// Options other than the default ones. REQUIRES: nothing was said yet.
  MilterOptions& options() { return options_; }

  /// Answers `command` with `packet` (code and data) from now on.
  void answer(MilterCommand command, std::vector<std::string> packets) {
    answers_.emplace_back(command, std::move(packets));
  }

  /// Tells something; gives the verdict, as a word or a reply.
  std::string say(const std::string& packets) {
    note(packets);
    if (session.awaits_reply()) reply();
    const MilterVerdict& verdict = session.verdict();
    constexpr const char* kWords[] = {"continue", "discard", "hold", "", "close "};
    return kWords[static_cast<std::size_t>(verdict.kind)] + verdict.reply;
  }

  std::string say(MilterCommand command) {
    const std::vector<std::string> mail = {"<s@example.com>"};
    const std::vector<std::string> recipient = {"<r@example.com>"};
    switch (command) {
      case MilterCommand::kNegotiate:
        return say(session.negotiate());
      case MilterCommand::kConnect:
        return say(session.connect("client", MilterFamily::kInet, 1, "127.0.0.1"));
      case MilterCommand::kHelo:
        return say(session.helo("helo"));
      case MilterCommand::kMail:
        return say(session.mail(mail));
      case MilterCommand::kRecipient:
        return say(session.recipient(recipient));
      case MilterCommand::kData:
        return say(session.data());
      case MilterCommand::kUnknown:
        return say(session.unknown("FOO"));
      case MilterCommand::kHeader:
        return say(session.header("A", " b"));
      case MilterCommand::kEndOfHeaders:
        return say(session.end_of_headers());
      case MilterCommand::kBody:
        return say(session.body("x\r\n"));
      case MilterCommand::kEndOfBody:
        return say(session.end_of_message());
      case MilterCommand::kAbort:
        return say(session.abort());
      default:
        return say(session.quit());
    }
  }

  /// Tells each of `codes`, which are those of MilterCommand; gives what differs from "continue".
  Lines say_all(std::string_view codes) {
    Lines verdicts;
    for (const char code : codes) {
      const std::string verdict = say(static_cast<MilterCommand>(code));
      if (verdict != "continue") verdicts.push_back(std::string(1, code) + " " + verdict);
    }
    return verdicts;
  }

  std::string told;  ///< The codes of the commands that the filter got, without those of macros.
  Lines macros;      ///< The data of macro commands, with '|' for a NUL.
  MilterEditRecorder edits;

 private:
  static std::optional<std::string> lookup(std::string_view name) {
    if (name == "i") return "QID";
    if (name == "j") return "h.example.com";
    return std::nullopt;
  }

  static MilterOptions default_options() { return options_of("smtpd_milters = inet:host:1\n")->at(0); }

  void note(std::string_view packets) {
    while (!packets.empty()) {
      std::size_t length = 0;
      for (const char byte : packets.substr(0, 4)) length = length << 8 | static_cast<unsigned char>(byte);
      std::string packet(packets.substr(4, length));
      packets.remove_prefix(4 + length);
      if (packet[0] != 'D') {
        told += packet[0];
        last_ = packet[0];
        continue;
      }
      std::replace(packet.begin(), packet.end(), '\0', '|');
      macros.push_back(packet.substr(1));
    }
  }

  void reply() {
    if (last_ == 'O') {
      session.take({.code = MilterReplyCode::kNegotiate, .negotiation = choice_}, edits);
      return;
    }
    for (const auto& [command, packets] : answers_) {
      if (static_cast<char>(command) != last_) continue;
      for (const std::string& packet : packets) session.take(*decode_milter_reply(packet), edits);
      return;
    }
    session.take({}, edits);
  }

  MilterNegotiation choice_;
  MilterOptions options_;
  std::vector<std::pair<MilterCommand, Lines>> answers_;
  char last_ = 0;

 public:
  MilterSession session;  ///< Last: it refers to the options.
};

const std::string kSession = "OCHUMRRTLLNBE";

TEST(MilterSession, TellsEverything) {
  Conversation conversation;
  EXPECT_EQ(conversation.say_all(kSession), Lines{});
  EXPECT_EQ(conversation.told, kSession);
  EXPECT_EQ(conversation.say_all("AMRAQ"), Lines{});
  EXPECT_EQ(conversation.told, kSession + "AMRAQ");
  EXPECT_EQ(conversation.session.take_warnings(), Lines{});
}

TEST(MilterSession, OffersItsVersion) {
  const auto offer = [](const std::string& protocol) {
    const auto options = options_of("smtpd_milters = inet:h:1\nmilter_protocol = " + protocol + "\n");
    MilterSession session(options->at(0), [](std::string_view) { return std::nullopt; });
    return session.negotiate();
  };
  EXPECT_EQ(offer("2"), encode_negotiation({.version = 2, .actions = 0x1FF, .protocol = 0x7F}));
  EXPECT_EQ(offer("4"), encode_negotiation({.version = 4, .actions = 0x1FF, .protocol = 0x37F}));
  EXPECT_EQ(offer("6"), encode_negotiation({.version = 6, .actions = 0x1FF, .protocol = 0x1FFFFF}));
  EXPECT_EQ(offer("2 no_header_reply"),
            encode_negotiation({.version = 2, .actions = 0x1FF, .protocol = 0xFF}));
}

TEST(MilterSession, KeepsToWhatWasAgreed) {
  struct Case {
    MilterNegotiation choice;
    const char* told;
  };
  const Case cases[] = {
      {{.version = 6, .protocol = 0x1FFFFF}, "OE"},
      {{.version = 6, .protocol = milter_protocol::kNoHelo | milter_protocol::kNoHeader}, "OCUMRRTNBE"},
      {{.version = 2}, "OCHMRRLLNBE"},
      {{.version = 3}, "OCHUMRRLLNBE"},
      {{.version = 6, .protocol = 0xFFE00000}, "OCHUMRRTLLNBE"},
  };
  for (const Case& c : cases) {
    Conversation conversation(c.choice);
    EXPECT_EQ(conversation.say_all(kSession), Lines{});
    EXPECT_EQ(conversation.told, c.told);
  }
}

TEST(MilterSession, WaitsForNoReplyWhereThereIsNone) {
  Conversation conversation(
      {.version = 6, .protocol = milter_protocol::kNoHeaderReply | milter_protocol::kNoMailReply});
  conversation.answer(MilterCommand::kMail, {"r"});
  conversation.answer(MilterCommand::kHeader, {"r"});
  EXPECT_EQ(conversation.say_all(kSession), Lines{});
}

TEST(MilterSession, RefusesBadNegotiations) {
  struct Case {
    MilterNegotiation choice;
    const char* warning;
  };
  const Case cases[] = {
      {{.version = 7}, "milter inet:host:1: protocol version 7 conflict with MTA protocol version 6"},
      {{.version = 6, .actions = 0xFFFF},
       "milter inet:host:1: request mask 0xffff conflict with MTA request mask 0x1ff"},
  };
  for (const Case& c : cases) {
    Conversation conversation(c.choice);
    conversation.options().default_action = MilterDefaultAction::kTempfail;
    EXPECT_EQ(conversation.say(MilterCommand::kNegotiate), "451 4.7.1 Service unavailable - try again later");
    EXPECT_EQ(conversation.say(MilterCommand::kMail), "451 4.7.1 Service unavailable - try again later");
    EXPECT_EQ(conversation.told, "O");
    EXPECT_EQ(conversation.session.take_warnings(), Lines{c.warning});
  }
  Conversation old({.version = 1});
  EXPECT_EQ(old.say(MilterCommand::kNegotiate), "continue");
  EXPECT_EQ(old.session.take_warnings(), Lines{"milter inet:host:1: unexpected protocol version 1"});
}

TEST(MilterSession, SendsMacros) {
  Conversation conversation;
  conversation.say_all("OCHMLBE");
  EXPECT_EQ(conversation.macros,
            (Lines{"Cj|h.example.com|", "H", "Mi|QID|", "Li|QID|", "Bi|QID|", "Ei|QID|"}));
  Conversation wishes({.version = 6, .macro_lists = {{0, "i {x}"}, {5, ""}, {9, "j"}}});
  wishes.say_all("OCE");
  EXPECT_EQ(wishes.macros, (Lines{"Ci|QID|", "E"}));
  EXPECT_EQ(wishes.session.take_warnings(), Lines{"milter inet:host:1: ignoring unknown macro type 9"});
}

TEST(MilterSession, UnderstandsReplies) {
  const std::string busy = "451 4.7.1 Service unavailable - try again later";
  const std::string no = "550 5.7.1 Command rejected";
  struct Case {
    MilterCommand command;
    const char* reply;
    std::string told;  // Of two transactions.
    Lines verdicts;
  };
  using Command = MilterCommand;
  const std::string all = "OCHUMRRTLLNBEAMR";
  const auto each = [](std::string_view codes, const std::string& verdict) {
    Lines lines;
    for (const char code : codes) lines.push_back(std::string(1, code) + " " + verdict);
    return lines;
  };
  const Case cases[] = {
      {Command::kConnect, "r", "OC", each("CHUMRRTLLNBEMR", no)},
      {Command::kConnect, "t", "OC", each("CHUMRRTLLNBEMR", busy)},
      {Command::kConnect, "a", "OC", {}},
      {Command::kConnect, "d", all, {}},
      {Command::kConnect, "s", all, {}},
      {Command::kHelo, "r", "OCH", each("HUMRRTLLNBEMR", no)},
      {Command::kHelo, "a", "OCH", {}},
      {Command::kUnknown, "r", all, each("U", no)},
      {Command::kUnknown, "a", all, {}},
      {Command::kMail, "r", "OCHUMAM", each("MRRTLLNBEMR", no)},
      {Command::kMail, "a", "OCHUMAM", {}},
      {Command::kMail, "d", "OCHUMAM", each("MM", "discard")},
      {Command::kMail, "s", all, {}},
      {Command::kRecipient, "r", all, each("RRR", no)},
      {Command::kRecipient, "t", all, each("RRR", busy)},
      {Command::kRecipient, "a", "OCHUMRAMR", {}},
      {Command::kRecipient, "d", "OCHUMRAMR", each("RR", "discard")},
      {Command::kRecipient, "s", "OCHUMRTLLNBEAMR", {}},
      {Command::kData, "y450 4.2.0 later", "OCHUMRRTAMR", each("TLLNBE", "450 4.2.0 later")},
      {Command::kData, "a", "OCHUMRRTAMR", {}},
      {Command::kHeader, "r", "OCHUMRRTLAMR", each("LLNBE", no)},
      {Command::kHeader, "s", "OCHUMRRTLNBEAMR", {}},
      {Command::kEndOfHeaders, "d", "OCHUMRRTLLNAMR", each("N", "discard")},
      {Command::kBody, "s", all, {}},
      {Command::kBody, "a", "OCHUMRRTLLNBAMR", {}},
      {Command::kEndOfBody, "r", all, each("E", no)},
      {Command::kEndOfBody, "d", all, each("E", "discard")},
      {Command::kEndOfBody, "y550-5.7.1 a\r\n550 5.7.1 b", all, each("E", "550-5.7.1 a\r\n550 5.7.1 b")},
      {Command::kMail, "4", "OCHUM", each("MRRTLLNBEMR", "close 421 4.7.0 Server closing connection")},
      {Command::kMail, "y421 4.3.0 bye", "OCHUMAM", each("MRRTLLNBEMR", "close 421 4.3.0 bye")},
      {Command::kRecipient, "y250 ok", "OCHUMR",
       each("RRTLLNBEMR", "451 4.3.5 Server configuration problem - try again later")},
      {Command::kMail, "f", "OCHUM", each("MRRTLLNBEMR", busy)},
      {Command::kHeader, "hX\0v\0", "OCHUMRRTL", each("LLNBEMR", busy)},
  };
  for (const Case& c : cases) {
    Conversation conversation;
    conversation.options().default_action = MilterDefaultAction::kTempfail;
    const std::string reply = c.reply[0] == 'h' ? "hX\0v\0"s : c.reply;
    conversation.answer(c.command, {reply});
    EXPECT_EQ(conversation.say_all("OCHUMRRTLLNBEAMR"), c.verdicts)
        << static_cast<char>(c.command) << c.reply;
    EXPECT_EQ(conversation.told, c.told) << static_cast<char>(c.command) << c.reply;
  }
}

TEST(MilterSession, WarnsOfBadReplies) {
  const auto warnings = [](MilterCommand command, const std::string& reply) {
    Conversation conversation;
    conversation.answer(command, {reply});
    conversation.say_all("OCHMRTLNBE");
    return conversation.session.take_warnings();
  };
  const std::string milter = "milter inet:host:1: ";
  EXPECT_EQ(warnings(MilterCommand::kHelo, "d"),
            Lines{milter + "DISCARD action is not allowed for connect or helo"});
  EXPECT_EQ(warnings(MilterCommand::kMail, "f"),
            Lines{milter + "unexpected filter response SMFIR_CONN_FAIL after event SMFIC_MAIL"});
  EXPECT_EQ(warnings(MilterCommand::kConnect, "Zfoo"),
            Lines{milter + "unexpected filter response (unknown filter reply) after event SMFIC_CONNECT"});
  EXPECT_EQ(warnings(MilterCommand::kHeader, "hX\0v\0"s),
            Lines{milter + "unexpected filter response SMFIR_ADDHEADER after event SMFIC_HEADER"});
  EXPECT_EQ(warnings(MilterCommand::kMail, "y250 ok"), Lines{milter + "malformed reply: 250 ok"});
}

TEST(MilterSession, DoesWithoutAFilter) {
  struct Case {
    MilterDefaultAction action;
    const char* verdict;
  };
  const Case cases[] = {
      {MilterDefaultAction::kAccept, "continue"},
      {MilterDefaultAction::kQuarantine, "hold"},
      {MilterDefaultAction::kReject, "550 5.5.0 Service unavailable"},
      {MilterDefaultAction::kShutdown, "close 421 4.7.0 Server closing connection"},
      {MilterDefaultAction::kTempfail, "451 4.7.1 Service unavailable - try again later"},
  };
  for (const Case& c : cases) {
    Conversation conversation;
    conversation.options().default_action = c.action;
    conversation.say_all("OC");
    conversation.session.fail("can't read SMFIC_CONNECT reply packet header: Connection reset by peer");
    EXPECT_EQ(conversation.say(MilterCommand::kHelo), c.verdict);
    EXPECT_EQ(conversation.say(MilterCommand::kMail), c.verdict);
    EXPECT_EQ(conversation.told, "OC");
    EXPECT_EQ(
        conversation.session.take_warnings(),
        Lines{"milter inet:host:1: can't read SMFIC_CONNECT reply packet header: Connection reset by peer"});
  }
}

TEST(MilterSession, PassesEditsOn) {
  const Lines replies = {"p",
                         "hX-A\0v\0"s,
                         "i\0\0\0\x02X-B\0w\n x\0"s,
                         "m\0\0\0\x02X-C\0y\0"s,
                         "m\0\0\0\0X-D\0\0"s,
                         "+<a@b>\0"s,
                         "2<c@d>\0NOTIFY=NEVER\0"s,
                         "-<e@f>\0"s,
                         "e<g@h>\0SIZE=5\0"s,
                         "bline\r\n",
                         "qwhy\0"s,
                         "c"};
  const Lines edits = {
      "add X-A: v", "insert 2 X-B: w\n x", "change 2 X-C: y", "delete 1 X-D", "+<a@b>", "+<c@d> NOTIFY=NEVER",
      "-<e@f>",     "from <g@h> SIZE=5",   "body line\r\n",   "hold why"};
  Conversation conversation;
  conversation.answer(MilterCommand::kEndOfBody, replies);
  EXPECT_EQ(conversation.say_all(kSession), Lines{});
  EXPECT_EQ(conversation.edits.edits, edits);
  // With its own blanks, a filter gives the value as it is to be.
  Conversation spaced({.version = 6, .protocol = milter_protocol::kLeadingSpace});
  spaced.answer(MilterCommand::kEndOfBody, {"hX-A\0v\0"s, "c"});
  spaced.say_all(kSession);
  EXPECT_EQ(spaced.edits.edits, Lines{"add X-A:v"});
}

TEST(MilterSession, KeepsTheBlankOfAHeaderOnlyWhenAsked) {
  const auto sent = [](std::uint32_t protocol, const std::string& value) {
    Conversation conversation({.version = 6, .protocol = protocol});
    conversation.say_all("OM");
    const std::string packets = conversation.session.header("A", value);
    return packets.substr(packets.find("LA") + 3);
  };
  EXPECT_EQ(sent(0, "  b"), " b\0"s);
  EXPECT_EQ(sent(0, "\tb"), "\tb\0"s);
  EXPECT_EQ(sent(milter_protocol::kLeadingSpace, "  b"), "  b\0"s);
}

TEST(MilterSession, ReadsItsOptions) {
  const auto filters = options_of(
      "smtpd_milters = unix:/run/a, { inet:h:1, connect_timeout=10s, default_action=accept, {protocol = 3} "
      "}\n"
      "milter_default_action = quarantine\nmilter_command_timeout = 2m\nmilter_mail_macros = i, "
      "{auth_type}\n");
  ASSERT_TRUE(filters);
  ASSERT_EQ(filters->size(), 2U);
  const MilterOptions& first = filters->at(0);
  EXPECT_EQ(first.endpoint, "unix:/run/a");
  EXPECT_EQ(first.version, 6U);
  EXPECT_EQ(first.default_action, MilterDefaultAction::kQuarantine);
  EXPECT_EQ(first.connect_timeout, std::chrono::seconds(30));
  EXPECT_EQ(first.command_timeout, std::chrono::seconds(120));
  EXPECT_EQ(first.macros[static_cast<std::size_t>(MilterStage::kMail)], (Lines{"i", "{auth_type}"}));
  const MilterOptions& second = filters->at(1);
  EXPECT_EQ(second.endpoint, "inet:h:1");
  EXPECT_EQ(second.version, 3U);
  EXPECT_EQ(second.default_action, MilterDefaultAction::kAccept);
  EXPECT_EQ(second.connect_timeout, std::chrono::seconds(10));
  EXPECT_EQ(options_of("")->size(), 0U);
}

TEST(MilterSession, RefusesBadOptions) {
  const auto fault = [](const std::string& main_cf) {
    const auto filters = options_of(main_cf);
    return filters ? "none" : filters.error().message;
  };
  EXPECT_EQ(fault("smtpd_milters = foo:bar\n"), "invalid transport name: foo in Milter service: foo:bar");
  EXPECT_EQ(fault("smtpd_milters = { inet:h:1, bogus=1 }\n"), "unknown option: \"bogus = 1\"");
  EXPECT_EQ(fault("smtpd_milters = { inet:h:1, default_action = accept }\n"),
            "malformed option: missing '=' after attribute name: \"...default_action...\"");
  EXPECT_EQ(fault("smtpd_milters = inet:h:1\nmilter_protocol = 5\n"),
            "milter inet:h:1: bad protocol information: 5");
  EXPECT_EQ(fault("smtpd_milters = inet:h:1\nmilter_protocol = 6 foo\n"),
            "milter inet:h:1: bad protocol information: foo");
  EXPECT_NE(fault("smtpd_milters = inet:h:1\nmilter_default_action = foo\n"), "none");
  EXPECT_NE(fault("smtpd_milters = { inet:h:1, connect_timeout=0 }\n"), "none");
  EXPECT_NE(fault("smtpd_milters = {}\n"), "none");
}

}  // namespace
}  // namespace mta
