// What a server tells and counts: EHLO, statistics, limits.
#include <gtest/gtest.h>

#include "libconf/host.h"
#include "libconf/text.h"
#include "tools/mta/smtp/ehlo.h"
#include "tools/mta/smtp/error_limits.h"
#include "tools/mta/smtp/session_statistics.h"

namespace mta {
namespace {

using Strings = std::vector<std::string>;

ServerOptions default_options() {
  libconf::Settings settings(nullptr, libconf::system_host());
  settings.override_value("compatibility_level", "3.6");
  settings.override_value("myhostname", "mail.example.org");
  return read_server_options(settings).value();
}

// The order is that of Postfix 3.7.
TEST(Ehlo, TellsEverything) {
  ServerOptions options = default_options();
  options.broken_sasl_auth_clients = true;
  SessionState state;
  state.offers_tls = state.offers_auth = true;
  state.may_use_xclient = state.may_use_xforward = state.may_use_verp = true;
  const Strings expected = {"PIPELINING",
                            "SIZE 10240000",
                            "VRFY",
                            "ETRN",
                            "STARTTLS",
                            "AUTH PLAIN LOGIN",
                            "AUTH=PLAIN LOGIN",
                            "XVERP",
                            "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT",
                            "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT",
                            "ENHANCEDSTATUSCODES",
                            "8BITMIME",
                            "DSN",
                            "SMTPUTF8",
                            "CHUNKING"};
  EXPECT_EQ(ehlo_keywords(options, state, "PLAIN LOGIN"), expected);
}

TEST(Ehlo, LeavesOutWhatIsNotThere) {
  ServerOptions options = default_options();
  options.disable_vrfy_command = true;
  options.smtputf8_enable = false;
  options.message_size_limit = 0;
  SessionState state;
  state.offers_tls = state.is_tls = true;
  state.offers_auth = true;
  const Strings expected = {"PIPELINING", "SIZE", "ETRN",    "ENHANCEDSTATUSCODES",
                            "8BITMIME",   "DSN",  "CHUNKING"};
  EXPECT_EQ(ehlo_keywords(options, state, ""), expected);
  state.offers_auth = false;
  EXPECT_EQ(ehlo_keywords(options, state, "PLAIN"), expected);
}

// XVERP alone cannot be discarded.
TEST(Ehlo, DiscardsKeywords) {
  SessionState state;
  state.offers_tls = state.offers_auth = true;
  state.may_use_xclient = state.may_use_xforward = state.may_use_verp = true;
  state.discarded = DiscardedKeywords::parse(
      "DSN,size auth, xclient 8bitmime smtputf8 chunking enhancedstatuscodes etrn vrfy pipelining xverp "
      "xforward starttls");
  EXPECT_EQ(ehlo_keywords(default_options(), state, "PLAIN"), Strings{"XVERP"});
  EXPECT_FALSE(state.discarded.is_silent());
  EXPECT_TRUE(DiscardedKeywords::parse("chunking, Silent-Discard").is_silent());
  EXPECT_EQ(ehlo_reply(default_options(), state, ""), Reply(250, "", "mail.example.org\nXVERP"));
}

TEST(ServerOptions, AreThoseOfPostfix) {
  const ServerOptions options = default_options();
  EXPECT_EQ(options.smtpd_banner, "mail.example.org ESMTP Postfix");
  EXPECT_EQ(options.line_length_limit, 2048U);
  EXPECT_EQ(options.smtpd_forbid_bare_newline, BareNewline::kNormalize);
  EXPECT_TRUE(options.smtpd_forbid_unauth_pipelining);

  libconf::Settings settings(nullptr, libconf::system_host());
  settings.override_value("smtpd_forbid_bare_newline", "perhaps");
  EXPECT_FALSE(read_server_options(settings));
}

// The lines are those that Postfix 3.7 logged; "note" is documented in postconf(5) of 3.9.
TEST(SessionStatistics, CountCommands) {
  SessionStatistics statistics;
  EXPECT_EQ(statistics.to_string(), " commands=0/0");
  statistics.count(Verb::kEhlo, true);
  statistics.count(Verb::kMail, true);
  statistics.count(Verb::kRcpt, false);
  EXPECT_EQ(statistics.to_string(), " ehlo=1 mail=1 rcpt=0/1 commands=2/3");
  statistics.count(Verb::kQuit, true);
  statistics.count(Verb::kHelo, true);
  statistics.count(Verb::kRcpt, true);
  statistics.count_unknown();
  statistics.note_bare_newline();
  EXPECT_EQ(statistics.to_string(),
            " helo=1 ehlo=1 mail=1 rcpt=1/2 quit=1 unknown=0/1 commands=5/7 notes=bare_lf");
}

constexpr ErrorLimits kLimits{.soft_error_limit = 2,
                              .hard_error_limit = 5,
                              .junk_command_limit = 3,
                              .error_sleep_time = std::chrono::seconds(1),
                              .recipient_limit = 2,
                              .recipient_overshoot_limit = 2};

TEST(ErrorCounter, SlowsDownAndGivesUp) {
  using std::chrono::seconds;
  ErrorCounter errors(kLimits);
  for (const seconds delay : {seconds(0), seconds(0), seconds(1), seconds(1)}) {
    errors.count_error();
    EXPECT_EQ(errors.delay(), delay);
    EXPECT_FALSE(errors.must_disconnect());
  }
  errors.count_error();
  EXPECT_TRUE(errors.must_disconnect());
  errors.forgive();
  EXPECT_FALSE(errors.must_disconnect());
  EXPECT_EQ(errors.delay(), seconds(0));
}

// Postfix 3.7 takes nine NOOP commands with these limits.
TEST(ErrorCounter, TakesSomeJunk) {
  ErrorCounter errors(kLimits);
  int count = 0;
  while (!errors.must_disconnect()) {
    errors.count_junk_command();
    ++count;
  }
  EXPECT_EQ(count, 9);
}

TEST(ErrorCounter, TakesSomeRecipientsTooMany) {
  using Verdict = ErrorCounter::Verdict;
  ErrorCounter errors(kLimits);
  EXPECT_EQ(errors.judge_recipient(0), Verdict::kAccept);
  EXPECT_EQ(errors.judge_recipient(1), Verdict::kAccept);
  EXPECT_EQ(errors.judge_recipient(2), Verdict::kRefuse);
  EXPECT_EQ(errors.judge_recipient(2), Verdict::kRefuse);
  EXPECT_EQ(errors.judge_recipient(2), Verdict::kRefuseAsError);
  errors.start_message();
  EXPECT_EQ(errors.judge_recipient(2), Verdict::kRefuse);
}

TEST(ErrorLimits, AreThoseOfPostfix) {
  const libconf::Settings settings(nullptr, libconf::system_host());
  const ErrorLimits limits = read_error_limits(settings).value();
  EXPECT_EQ(limits.soft_error_limit, 10U);
  EXPECT_EQ(limits.hard_error_limit, 20U);
  EXPECT_EQ(limits.junk_command_limit, 100U);
  EXPECT_EQ(limits.error_sleep_time, std::chrono::seconds(1));
}

}  // namespace
}  // namespace mta
