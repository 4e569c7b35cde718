#include "tools/mta/queue/notice_log.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using mta::format_notice_entry;
using mta::NoticeEntry;
using mta::parse_notice_log;

// Written by Postfix's bounce(8), for smtp(8) and for a recipient that an alias led to.
constexpr char kFromServer[] =
    "\n<later@sink.test>: host 127.0.0.1[127.0.0.1] said: 450 4.2.1 later please (in reply to RCPT TO "
    "command)\n"
    "recipient=later@sink.test\n"
    "offset=1121\n"
    "dsn_orig_rcpt=rfc822;later@sink.test\n"
    "status=4.2.1\n"
    "action=delayed\n"
    "diag_type=smtp\n"
    "diag_text=450 4.2.1 later please\n"
    "mta_type=dns\n"
    "mta_mname=127.0.0.1\n"
    "reason=host 127.0.0.1[127.0.0.1] said: 450 4.2.1 later please (in reply to RCPT TO command)\n\n";
constexpr char kFromAlias[] =
    "\n<other@example.org>: stay\n"
    "recipient=other@example.org\n"
    "original_recipient=fwd@local.test\n"
    "offset=401\n"
    "dsn_orig_rcpt=rfc822;fwd@local.test\n"
    "notify_flags=1\n"
    "status=4.3.0\n"
    "action=delayed\n"
    "reason=stay\n\n";

const NoticeEntry kServerEntry = {
    .address = "later@sink.test",
    .offset = 1121,
    .dsn_original = "rfc822;later@sink.test",
    .status = "4.2.1",
    .action = "delayed",
    .diagnostic_type = "smtp",
    .diagnostic = "450 4.2.1 later please",
    .server_type = "dns",
    .server = "127.0.0.1",
    .reason = "host 127.0.0.1[127.0.0.1] said: 450 4.2.1 later please (in reply to RCPT TO command)"};
const NoticeEntry kAliasEntry = {.address = "other@example.org",
                                 .original = "fwd@local.test",
                                 .offset = 401,
                                 .dsn_original = "rfc822;fwd@local.test",
                                 .notify = 1,
                                 .status = "4.3.0",
                                 .action = "delayed",
                                 .reason = "stay"};

TEST(NoticeLog, IsWrittenAsPostfixWritesIt) {
  EXPECT_EQ(format_notice_entry(kServerEntry, true), kFromServer);
  EXPECT_EQ(format_notice_entry(kAliasEntry, true), kFromAlias);
}

TEST(NoticeLog, HasNoSentenceWhereNobodyReadsIt) {
  EXPECT_EQ(format_notice_entry({.address = "a@b", .reason = "why"}, false),
            "\nrecipient=a@b\nreason=why\n\n");
}

TEST(NoticeLog, HasNoControlCharacters) {
  EXPECT_EQ(format_notice_entry({.address = "a\n\nb@c", .reason = "one\ntwo\t\xC3\xA9"}, false),
            "\nrecipient=a??b@c\nreason=one?two?\xC3\xA9\n\n");
}

TEST(NoticeLog, TakesNoBlanksForAPartOfAnAddress) {
  const auto entries = parse_notice_log("<ann@example.org >: stay\n\n");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].address, "ann@example.org");
  EXPECT_EQ(entries[0].reason, "stay");
}

TEST(NoticeLog, ReadsWhatPostfixWrote) {
  EXPECT_EQ(parse_notice_log(std::string(kFromServer) + kFromAlias),
            (std::vector<NoticeEntry>{kServerEntry, kAliasEntry}));
}

// The examples are what Postfix's showq(8) makes of such logs.
TEST(NoticeLog, HasAnEntryForEachBlock) {
  using Found = std::vector<std::pair<std::string, std::string>>;
  const struct {
    const char* text;
    Found found;
  } cases[] = {
      {"\n<a@b>: old\nrecipient=a@b\noffset=5\nreason=why\n\n", {{"a@b", "why"}}},
      {"<a@b>: some reason\n\n", {{"a@b", "some reason"}}},
      {"reason=why\n\nrecipient=\n\n",
       {{"(recipient address unavailable)", "why"}, {"(MAILER-DAEMON)", "(description unavailable)"}}},
      {"recipient=a@b\nreason=not finished\n", {}},
      {"recipient=a@b\noffset=x\nnotify_flags=99999999999999\nnonsense\n=\nreason=why\n\n", {{"a@b", "why"}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    Found found;
    for (const NoticeEntry& each : parse_notice_log(c.text)) found.emplace_back(each.address, each.reason);
    EXPECT_EQ(found, c.found);
  }
}

}  // namespace
