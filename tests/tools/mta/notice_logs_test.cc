#include "tools/mta/delivery/notice_logs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>

#include "libconf/main_cf_document.h"
#include "tests/libconf/temp_directory.h"

namespace {

using mta::DeliveryOutcome;
using mta::DsnAction;
using mta::NoticeEntry;
using mta::NoticeKind;
using mta::RecipientReport;

const mta::QueueRecipient kRecipient = {.address = "a b@example.com", .original = "A B@example.com"};

// The words are what Postfix's bounce(8) wrote for such deliveries.
TEST(NoticeEntry, SaysWhatBecameOfARecipient) {
  const struct {
    NoticeKind kind;
    RecipientReport report;
    const char* action;
    const char* reason;
  } cases[] = {
      {NoticeKind::kFailure,
       {.outcome = DeliveryOutcome::kBounced, .relay = "mx[192.0.2.1]:25", .status = {.text = "no"}},
       "failed",
       "no"},
      {NoticeKind::kDelay, {.relay = "mx[192.0.2.1]:25", .status = {.text = "later"}}, "delayed", "later"},
      {NoticeKind::kTrace,
       {.outcome = DeliveryOutcome::kSent, .relay = "virtual", .status = {.text = "delivered to mailbox"}},
       "delivered",
       "delivery via virtual: delivered to mailbox"},
      {NoticeKind::kTrace,
       {.outcome = DeliveryOutcome::kSent,
        .relay = "local",
        .status = {.text = "forwarded as 4A1B2C3D4E", .action = DsnAction::kExpanded}},
       "expanded",
       "delivery via local: alias expanded"},
      {NoticeKind::kTrace,
       {.outcome = DeliveryOutcome::kSent,
        .relay = "local",
        .status = {.text = "forwarded as 4A1B2C3D4E", .action = DsnAction::kRelayed}},
       "relayed",
       "delivery via local: forwarded as 4A1B2C3D4E"},
      {NoticeKind::kTrace, {.status = {.text = "come back later"}}, "delayed", "come back later"},
      {NoticeKind::kTrace,
       {.outcome = DeliveryOutcome::kBounced, .status = {.text = "No such user"}},
       "failed",
       "No such user"},
      {NoticeKind::kProbe,
       {.outcome = DeliveryOutcome::kSent, .relay = "virtual", .status = {.text = "delivers to mailbox"}},
       "deliverable",
       "delivery via virtual: delivers to mailbox"},
      {NoticeKind::kProbe, {.status = {.text = "come back later"}}, "undeliverable", "come back later"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.reason);
    const NoticeEntry entry = notice_entry(c.kind, kRecipient, c.report);
    EXPECT_EQ(entry.action, c.action);
    EXPECT_EQ(entry.reason, c.reason);
    EXPECT_EQ(entry.address, "\"a b\"@example.com");
    EXPECT_EQ(entry.original, "") << "the same but for the case";
  }
}

TEST(NoticeEntry, NamesTheServer) {
  const RecipientReport report = {
      .status = {.remote_server = "mx.example", .diagnostic = "450 no", .diagnostic_type = "smtp"}};
  const NoticeEntry entry = notice_entry(NoticeKind::kDelay, {.address = "a@b", .original = "c@d"}, report);
  EXPECT_EQ(entry.server_type, "dns");
  EXPECT_EQ(entry.server, "mx.example");
  EXPECT_EQ(entry.diagnostic_type, "smtp");
  EXPECT_EQ(entry.original, "c@d");
}

class NoticeLogsTest : public testing::Test {
 protected:
  NoticeLogsTest() {
    for (const char* const name : {"bounce", "defer", "trace"})
      ::mkdir((scratch_.path() + "/" + name).c_str(), 0700);
  }
  mta::NoticeLogs logs() {
    const auto logs = mta::NoticeLogs::open(queue_, settings_);
    EXPECT_TRUE(logs);
    return *logs;
  }
  std::string text_of(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(scratch_.path() + "/" + name, std::ios::binary).rdbuf();
    return text.str();
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(scratch_.path() + "/" + name, std::ios::binary) << text;
  }

  const libconf::MainCfDocument main_cf_ =
      libconf::MainCfDocument::parse("backwards_bounce_logfile_compatibility = no\n", "main.cf");
  const libconf::Settings settings_{&main_cf_, {}};
  const postkit_test::TempDirectory scratch_;
  const mta::QueueDirectory queue_{{.path = scratch_.path(), .hash_queue_names = {"defer"}}};
};

TEST_F(NoticeLogsTest, HasALogForEachKind) {
  const NoticeEntry entry = {.address = "a@b", .reason = "why"};
  const struct {
    NoticeKind kind;
    const char* file;
  } cases[] = {{NoticeKind::kFailure, "bounce/4A"},
               {NoticeKind::kDelay, "defer/4/4A"},
               {NoticeKind::kTrace, "trace/4A"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file);
    ASSERT_TRUE(logs().append(c.kind, "4A", entry));
    ASSERT_TRUE(logs().append(c.kind, "4A", entry));
    const std::string text = "\nrecipient=a@b\nreason=why\n\n";
    EXPECT_EQ(text_of(c.file), text + text);
    struct stat status {};
    ASSERT_EQ(::stat((scratch_.path() + "/" + c.file).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    const auto read = logs().read(c.kind, "4A");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (std::vector<NoticeEntry>{entry, entry}));
    ASSERT_TRUE(logs().remove(c.kind, "4A"));
    EXPECT_NE(::stat((scratch_.path() + "/" + c.file).c_str(), &status), 0);
  }
}

TEST_F(NoticeLogsTest, IsEmptyWhereThereIsNone) {
  const auto read = logs().read(NoticeKind::kFailure, "4A");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->empty());
  EXPECT_TRUE(logs().remove(NoticeKind::kFailure, "4A"));
}

TEST_F(NoticeLogsTest, LosesWhatACrashCutOffAndNothingElse) {
  const std::string whole = "\nrecipient=a@b\nreason=why\n\n";
  const std::string more = "\nrecipient=c@d\nreason=because\n\n";
  for (std::size_t length = 0; length < more.size(); ++length) {
    SCOPED_TRACE(length);
    write("bounce/4A", whole + more.substr(0, length));
    ASSERT_TRUE(logs().append(NoticeKind::kFailure, "4A", {.address = "e@f", .reason = "new"}));
    const auto read = logs().read(NoticeKind::kFailure, "4A");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (std::vector<NoticeEntry>{{.address = "a@b", .reason = "why"},
                                               {.address = "e@f", .reason = "new"}}));
  }
}

TEST_F(NoticeLogsTest, SaysWhatWentWrong) {
  ::rmdir((scratch_.path() + "/bounce").c_str());
  EXPECT_FALSE(logs().append(NoticeKind::kFailure, "4A", {}));
  write("bounce", "not a directory");
  EXPECT_FALSE(logs().read(NoticeKind::kFailure, "4A"));
  EXPECT_FALSE(logs().remove(NoticeKind::kFailure, "4A"));
}

}  // namespace
