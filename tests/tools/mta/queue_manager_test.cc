#include "tools/mta/queue/queue_manager.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <utime.h>

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <map>
#include <set>

#include "libconf/file.h"
#include "libconf/host.h"
#include "libconf/text.h"
#include "tests/tools/mta/queue_samples.h"
#include "tests/tools/mta/queue_scratch.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/queue/queue_file_reader.h"

namespace mta {
namespace {

using libconf::Result;
using namespace std::chrono_literals;

class Log final : public MailLog {
 public:
  Log() : MailLog("postfix") {}
  /// Whether a line has it.
  bool has(std::string_view text) const { return all.find(text) != std::string::npos; }
  std::string all;

 private:
  void put(Severity /*severity*/, std::string_view tag, std::string_view text) override {
    all += libconf::concat(tag, ": ", text, "\n");
  }
};

/// The domain is the transport, and the next hop.
class DomainRouter final : public MailRouter {
 public:
  MailRoute route(const RoutedMail& /*mail*/, QueueRecipient& recipient) override {
    const std::string domain = recipient.address.substr(recipient.address.rfind('@') + 1);
    return {.transport = domain.substr(0, domain.find('.')), .nexthop = domain};
  }
};

/// Does what the user part of an address says: "sent", "deferred", "bounced"; "dead": as deferred, and the
/// destination is of no use.
class ScriptedAgent final : public DeliveryAgent {
 public:
  asio::awaitable<DeliveryReport> deliver(const DeliveryRequest& request, int message) override {
    EXPECT_GE(message, 0);
    requests.push_back(request);
    if (delay > 0ms) {
      asio::steady_timer timer(co_await asio::this_coro::executor, delay);
      co_await timer.async_wait(asio::use_awaitable);
    }
    DeliveryReport report;
    for (std::size_t i = 0; i < request.recipients.size(); ++i) {
      const std::string& address = request.recipients[i].address;
      const auto starts = [&](std::string_view text) { return address.starts_with(text); };
      if (starts("silent")) continue;
      const bool is_dead = starts("dead");
      report.is_destination_dead = report.is_destination_dead || is_dead;
      const auto outcome = starts("sent")      ? DeliveryOutcome::kSent
                           : starts("bounced") ? DeliveryOutcome::kBounced
                                               : DeliveryOutcome::kDeferred;
      report.recipients.push_back(
          {.recipient = i, .outcome = outcome, .status = {.code = "4.4.1", .text = "as told"}});
    }
    co_return report;
  }
  std::vector<DeliveryRequest> requests;
  std::chrono::milliseconds delay{0};
};

class OneAgent final : public TransportTable {
 public:
  DeliveryAgent* find(std::string_view transport) override {
    return transport == "nosuch" ? nullptr : &agent;
  }
  ScriptedAgent agent;
};

class Notices final : public Notifier {
 public:
  Result<void> record(NoticeKind kind, std::string_view /*queue_id*/, const QueueRecipient& recipient,
                      const RecipientReport& /*report*/) override {
    if (fails) return libconf::Error{.kind = libconf::ErrorKind::kTemporary, .message = "no room"};
    recorded[kind].insert(recipient.address);
    return {};
  }
  asio::awaitable<bool> send(NoticeKind kind, const NoticeSubject& subject, int message) override {
    EXPECT_GE(message, 0);
    sent[kind].insert(subject.sender);
    co_return !fails;
  }
  Result<void> forget(NoticeKind /*kind*/, std::string_view /*queue_id*/) override { return {}; }
  std::map<NoticeKind, std::set<std::string>> recorded;
  std::map<NoticeKind, std::set<std::string>> sent;
  bool fails = false;
};

class QueueManagerTest : public testing::Test {
 protected:
  /// A message in incoming/.
  void put(const std::string& id, const std::vector<QueueRecipient>& recipients,
           const std::string& queue = "incoming", std::int64_t warning_time = 0,
           QueueTime arrival = queue_time_now()) {
    StringOutput output;
    QueueFileWriter writer(output, {.form = QueueFileForm::kQueue, .line_length_limit = 2048});
    writer.arrival_time(arrival);
    if (warning_time != 0) writer.put(RecordType::kWarning, fixed_width_number(warning_time));
    writer.attribute("log_client_name", "client.example");
    writer.put(RecordType::kSender, "ann@example.org");
    if (!verp_delimiters_.empty()) writer.put(RecordType::kVerp, verp_delimiters_);
    for (const QueueRecipient& each : recipients) writer.recipient(each);
    writer.begin_content();
    writer.body("Subject: hello\n\nhello\n");
    writer.end_content();
    EXPECT_TRUE(writer.finish());
    scratch_.write(queue + "/" + id, output.bytes, 0700);
  }

  std::string file(const std::string& name) const {
    return libconf::read_file(scratch_.path() + "/" + name).value_or("");
  }
  /// Recipients of a message that wait.
  std::vector<std::string> waiting(const std::string& name) const {
    const std::string bytes = file(name);
    QueueFileReader reader = QueueFileReader::over(bytes);
    const auto message = read_queue_message(reader);
    std::vector<std::string> addresses;
    if (message)
      for (const QueueRecipient& each : message->recipients)
        if (!each.is_done) addresses.push_back(each.address);
    return addresses;
  }
  std::time_t time_of(const std::string& name) const {
    struct stat status {};
    return ::stat((scratch_.path() + "/" + name).c_str(), &status) == 0 ? status.st_mtime : 0;
  }

  QueueManager& manager() {
    if (manager_ != nullptr) return *manager_;
    Result<std::unique_ptr<QueueManager>> created =
        QueueManager::create(settings_, {.io = io_,
                                         .log = log_,
                                         .queue = queue_,
                                         .router = router_,
                                         .transports = transports_,
                                         .notifier = notices_,
                                         .process_limit = [](std::string_view) { return 10; }});
    EXPECT_TRUE(created) << created.error().message;
    manager_ = std::move(*created);
    return *manager_;
  }

  /// Goes on until there is nothing to do but to wait.
  void go_on() {
    io_.restart();
    io_.poll();
  }
  /// Goes on for a while.
  void go_on(std::chrono::milliseconds time) {
    asio::steady_timer timer(io_, time);
    timer.async_wait([this](const asio::error_code&) { io_.stop(); });
    io_.restart();
    io_.run();
  }
  void start() {
    manager().start();
    go_on();
  }

  std::string verp_delimiters_;
  QueueScratch scratch_;
  libconf::Settings settings_{nullptr, libconf::system_host()};
  QueueDirectory queue_{{.path = scratch_.path()}};
  asio::io_context io_;
  Log log_;
  DomainRouter router_;
  OneAgent transports_;
  Notices notices_;
  std::unique_ptr<QueueManager> manager_;
};

TEST_F(QueueManagerTest, RemovesWhatWasDelivered) {
  put("AAAA1", {{.address = "sent1@a.test"}, {.address = "sent2@a.test"}, {.address = "sent@b.test"}});
  start();
  EXPECT_TRUE(scratch_.files().empty());
  ASSERT_EQ(transports_.agent.requests.size(), 2U);
  const DeliveryRequest& request = transports_.agent.requests.front();
  EXPECT_EQ(request.queue_id, "AAAA1");
  EXPECT_EQ(request.transport, "a");
  EXPECT_EQ(request.nexthop, "a.test");
  EXPECT_EQ(request.sender, "ann@example.org");
  EXPECT_EQ(request.origin.client_name, "client.example");
  EXPECT_EQ(request.recipients.size(), 2U);
  EXPECT_TRUE(log_.has("postfix/qmgr: AAAA1: from=<ann@example.org>, size="));
  EXPECT_TRUE(log_.has("nrcpt=3 (queue active)"));
  EXPECT_TRUE(log_.has("postfix/qmgr: AAAA1: removed"));
}

TEST_F(QueueManagerTest, KeepsWhatIsDeferredAndMarksTheRest) {
  put("AAAA1", {{.address = "sent@a.test"}, {.address = "deferred@a.test"}, {.address = "sent@b.test"}});
  start();
  EXPECT_EQ(scratch_.files(), std::vector<std::string>{"deferred/AAAA1"});
  EXPECT_EQ(waiting("deferred/AAAA1"), std::vector<std::string>{"deferred@a.test"});
  EXPECT_NEAR(static_cast<double>(time_of("deferred/AAAA1") - std::time(nullptr)), 300, 2);
  EXPECT_EQ(notices_.recorded[NoticeKind::kDelay], std::set<std::string>{"deferred@a.test"});
  EXPECT_TRUE(notices_.sent.empty() || notices_.sent.count(NoticeKind::kFailure) == 1);
}

// An agent that does not say what became of a recipient has not delivered to it.
TEST_F(QueueManagerTest, KeepsWhatNothingIsSaidOf) {
  put("AAAA1", {{.address = "sent@a.test"}, {.address = "silent@a.test"}});
  start();
  EXPECT_EQ(waiting("deferred/AAAA1"), std::vector<std::string>{"silent@a.test"});
}

TEST_F(QueueManagerTest, TellsTheSenderOfFailures) {
  put("AAAA1", {{.address = "sent@a.test"}, {.address = "bounced@a.test"}});
  start();
  EXPECT_TRUE(scratch_.files().empty());
  EXPECT_EQ(notices_.recorded[NoticeKind::kFailure], std::set<std::string>{"bounced@a.test"});
  EXPECT_EQ(notices_.sent.count(NoticeKind::kFailure), 1U);
}

TEST_F(QueueManagerTest, KeepsMailWhoseSenderCannotBeTold) {
  notices_.fails = true;
  put("AAAA1", {{.address = "bounced@a.test"}});
  start();
  EXPECT_EQ(waiting("deferred/AAAA1"), std::vector<std::string>{"bounced@a.test"});
}

TEST_F(QueueManagerTest, TellsTheSenderOfSuccessWhenAsked) {
  put("AAAA1", {{.address = "sent@a.test", .notify = kNotifySuccess}, {.address = "sent2@a.test"}});
  start();
  EXPECT_EQ(notices_.recorded[NoticeKind::kTrace], std::set<std::string>{"sent@a.test"});
  EXPECT_EQ(notices_.sent.count(NoticeKind::kTrace), 1U);
}

TEST_F(QueueManagerTest, ReturnsWhatHasBeenTriedForTooLong) {
  put("AAAA1", {{.address = "deferred@a.test"}}, "incoming", 0, queue_time_now() - 24h * 6);
  start();
  EXPECT_TRUE(scratch_.files().empty());
  EXPECT_EQ(notices_.recorded[NoticeKind::kFailure], std::set<std::string>{"deferred@a.test"});
  EXPECT_TRUE(log_.has("AAAA1: from=<ann@example.org>, status=expired, returned to sender\n"));
}

TEST_F(QueueManagerTest, WarnsOfLateMailOnce) {
  put("AAAA1", {{.address = "deferred@a.test"}}, "incoming", std::time(nullptr) - 1);
  put("AAAA2", {{.address = "deferred@a.test"}}, "incoming", std::time(nullptr) + 1000);
  start();
  EXPECT_EQ(notices_.sent.count(NoticeKind::kDelay), 1U);
  for (const auto& [name, is_warned] :
       {std::pair("deferred/AAAA1", true), std::pair("deferred/AAAA2", false)}) {
    const std::string bytes = file(name);
    QueueFileReader reader = QueueFileReader::over(bytes);
    const auto message = read_queue_message(reader);
    ASSERT_TRUE(message) << name;
    EXPECT_EQ(message->warning_time == ActiveMessage::kWarned, is_warned) << name;
  }
}

TEST_F(QueueManagerTest, ConfirmsThatADelayIsOver) {
  settings_.override_value("confirm_delay_cleared", "yes");
  put("AAAA2", {{.address = "sent@a.test"}, {.address = "sent@b.test", .notify = kNotifyFailure}}, "deferred",
      ActiveMessage::kWarned);
  start();
  EXPECT_EQ(notices_.recorded[NoticeKind::kTrace], std::set<std::string>{"sent@a.test"});
  EXPECT_EQ(notices_.sent.count(NoticeKind::kTrace), 1U);
}

TEST_F(QueueManagerTest, DefersWhatHasNoTransport) {
  put("AAAA1", {{.address = "sent@nosuch.test"}});
  start();
  EXPECT_EQ(waiting("deferred/AAAA1"), std::vector<std::string>{"sent@nosuch.test"});
  EXPECT_TRUE(log_.has("dsn=4.3.0, status=deferred (mail transport unavailable)"));
}

TEST_F(QueueManagerTest, PutsDamagedFilesAside) {
  scratch_.write("incoming/AAAA1", "nonsense", 0700);
  put("AAAA2", {{.address = "sent@a.test"}});
  start();
  EXPECT_EQ(scratch_.files(), std::vector<std::string>{"corrupt/AAAA1"});
  EXPECT_TRUE(log_.has("saving corrupt file \"AAAA1\" from queue \"active\" to queue \"corrupt\""));
}

TEST_F(QueueManagerTest, LeavesWhatIsNotCompleteOrNotDue) {
  put("AAAA1", {{.address = "sent@a.test"}});
  ::chmod((scratch_.path() + "/incoming/AAAA1").c_str(), 0600);
  put("AAAA2", {{.address = "sent@a.test"}}, "deferred");
  const utimbuf later{.actime = std::time(nullptr) + 1000, .modtime = std::time(nullptr) + 1000};
  ::utime((scratch_.path() + "/deferred/AAAA2").c_str(), &later);
  start();
  EXPECT_EQ(scratch_.files(), (std::vector<std::string>{"deferred/AAAA2", "incoming/AAAA1"}));
  // "Ignore deferred queue file time stamps."
  manager().ask("FAD");
  go_on();
  EXPECT_EQ(scratch_.files(), std::vector<std::string>{"incoming/AAAA1"});
}

TEST_F(QueueManagerTest, TakesUpWhatComesWhenItIsTold) {
  start();
  put("AAAA1", {{.address = "sent@a.test"}});
  go_on();
  EXPECT_EQ(scratch_.files().size(), 1U);
  manager().ask("I");
  go_on();
  EXPECT_TRUE(scratch_.files().empty());
}

TEST_F(QueueManagerTest, DefersForADeadDestinationWithoutATry) {
  settings_.override_value("default_destination_concurrency_limit", "1");
  put("AAAA1", {{.address = "dead@a.test"}});
  start();
  ASSERT_EQ(transports_.agent.requests.size(), 1U);
  put("AAAA2", {{.address = "sent@a.test"}});
  manager().ask("I");
  go_on();
  EXPECT_EQ(transports_.agent.requests.size(), 1U);
  EXPECT_TRUE(log_.has("to=<sent@a.test>, relay=none,"));
  EXPECT_TRUE(log_.has("dsn=4.4.1, status=deferred (delivery temporarily suspended: as told)"));
  std::filesystem::remove(scratch_.path() + "/deferred/AAAA1");
  // "Purge all information about dead transports and destinations."
  manager().ask("FAD");
  go_on();
  EXPECT_EQ(waiting("deferred/AAAA2").size(), 0U);
}

TEST_F(QueueManagerTest, ReadsManyRecipientsStepByStep) {
  settings_.override_value("qmgr_message_recipient_limit", "20");
  settings_.override_value("qmgr_message_active_limit", "20");
  settings_.override_value("default_recipient_limit", "30");
  settings_.override_value("default_recipient_refill_limit", "5");
  std::vector<QueueRecipient> recipients;
  std::set<std::string> wanted;
  for (int i = 0; i < 500; ++i) {
    recipients.push_back({.address = "sent" + std::to_string(i) + "@d" + std::to_string(i % 7) + ".test"});
    wanted.insert(recipients.back().address);
  }
  recipients[300].address = "deferred@d1.test";
  wanted.insert("deferred@d1.test");
  wanted.erase("sent300@d6.test");
  put("AAAA1", recipients);
  start();
  std::set<std::string> got;
  for (const DeliveryRequest& request : transports_.agent.requests)
    for (const QueueRecipient& each : request.recipients) EXPECT_TRUE(got.insert(each.address).second);
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(waiting("deferred/AAAA1"), std::vector<std::string>{"deferred@d1.test"});
}

TEST_F(QueueManagerTest, KeepsToTheNumberOfMessages) {
  settings_.override_value("qmgr_message_active_limit", "3");
  transports_.agent.delay = 5ms;
  for (int i = 10; i < 40; ++i) put("AAAA" + std::to_string(i), {{.address = "sent@a.test"}});
  manager().start();
  std::size_t most = 0;
  for (int i = 0; i < 60 && !scratch_.files().empty(); ++i) {
    go_on(10ms);
    const std::vector<std::string> files = scratch_.files();
    most = std::max<std::size_t>(
        most, static_cast<std::size_t>(std::count_if(files.begin(), files.end(), [](const std::string& name) {
          return name.starts_with("active");
        })));
  }
  EXPECT_TRUE(scratch_.files().empty());
  EXPECT_LE(most, 3U);
}

// VERP_README.
TEST_F(QueueManagerTest, GivesEachRecipientASenderOfItsOwn) {
  verp_delimiters_ = "+=";
  put("AAAA1", {{.address = "sent1@a.test"}, {.address = "sent2@a.test", .original = "old@b.test"}});
  start();
  ASSERT_EQ(transports_.agent.requests.size(), 2U);
  EXPECT_EQ(transports_.agent.requests[0].sender, "ann+sent1=a.test@example.org");
  EXPECT_EQ(transports_.agent.requests[1].sender, "ann+old=b.test@example.org");
  EXPECT_TRUE(scratch_.files().empty());
}

TEST_F(QueueManagerTest, KeepsFewFilesOpen) {
  transports_.agent.delay = 200ms;
  for (int i = 1000; i < 1800; ++i) put("AAAA" + std::to_string(i), {{.address = "sent@a.test"}});
  manager().start();
  go_on(150ms);
  const auto files = std::filesystem::directory_iterator("/proc/self/fd");
  EXPECT_LT(std::distance(begin(files), end(files)), 350);
  transports_.agent.delay = 0ms;
  for (int i = 0; i < 200 && !scratch_.files().empty(); ++i) go_on(100ms);
  EXPECT_TRUE(scratch_.files().empty());
}

// "When a deferred message is force-expired, the return message will state the reason for the delay"
// (postsuper(1)).
TEST_F(QueueManagerTest, ReturnsWhatIsForcedToExpire) {
  put("AAAA1", {{.address = "deferred@a.test"}, {.address = "sent@b.test"}}, "deferred");
  ::chmod((scratch_.path() + "/deferred/AAAA1").c_str(), 0710);
  const std::string bytes = file("deferred/AAAA1");
  QueueFileReader reader = QueueFileReader::over(bytes);
  const auto message = read_queue_message(reader);
  ASSERT_TRUE(message);
  scratch_.write("defer/AAAA1",
                 format_notice_entry({.address = "deferred@a.test",
                                      .offset = message->recipients.front().offset,
                                      .status = "4.7.1",
                                      .reason = "busy"},
                                     true),
                 0600);
  start();
  EXPECT_TRUE(transports_.agent.requests.empty());
  EXPECT_EQ(notices_.recorded[NoticeKind::kFailure],
            (std::set<std::string>{"deferred@a.test", "sent@b.test"}));
  EXPECT_TRUE(log_.has("to=<sent@b.test>, relay=none,"));
  EXPECT_TRUE(log_.has("dsn=4.7.0, status=deferred (message is administratively expired)"));
  EXPECT_FALSE(log_.has("to=<deferred@a.test>"));
  EXPECT_TRUE(log_.has("AAAA1: from=<ann@example.org>, status=force-expired, returned to sender"));
  EXPECT_EQ(scratch_.files(), std::vector<std::string>{"defer/AAAA1"});
}

TEST_F(QueueManagerTest, GoesOnWithWhatAnotherProcessLeft) {
  put("AAAA1", {{.address = "sent@a.test"}}, "active");
  put("AAAA2", {{.address = "sent@b.test"}}, "active");
  const libconf::FileDescriptor other(::open((scratch_.path() + "/active/AAAA2").c_str(), O_RDWR));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  start();
  EXPECT_EQ(scratch_.files(), std::vector<std::string>{"active/AAAA2"});
  ::flock(other.get(), LOCK_UN);
  go_on(1500ms);
  EXPECT_TRUE(scratch_.files().empty());
}

TEST_F(QueueManagerTest, FinishesDeliveriesWhenItIsStopped) {
  transports_.agent.delay = 150ms;
  put("AAAA1", {{.address = "sent@a.test"}});
  put("AAAA2", {{.address = "sent@a.test"}, {.address = "deferred@b.test"}});
  manager().start();
  go_on(50ms);
  ASSERT_EQ(transports_.agent.requests.size(), 3U);
  manager().stop();
  const libconf::FileDescriptor next(::open((scratch_.path() + "/active/AAAA1").c_str(), O_RDWR));
  EXPECT_NE(::flock(next.get(), LOCK_EX | LOCK_NB), 0) << "another process would deliver it, too";
  put("AAAA3", {{.address = "sent@a.test"}});
  manager().ask("I");
  go_on(400ms);
  EXPECT_EQ(scratch_.files(), (std::vector<std::string>{"deferred/AAAA2", "incoming/AAAA3"}));
  EXPECT_EQ(waiting("deferred/AAAA2"), std::vector<std::string>{"deferred@b.test"});
}

TEST_F(QueueManagerTest, LeavesToTheNextProcessWhatItCannotStart) {
  settings_.override_value("default_destination_concurrency_limit", "1");
  settings_.override_value("default_destination_recipient_limit", "2");
  transports_.agent.delay = 150ms;
  put("AAAA1", {{.address = "sent1@a.test"}, {.address = "sent2@a.test"}, {.address = "sent3@a.test"}});
  put("AAAA2", {{.address = "sent4@a.test"}});
  manager().start();
  go_on(50ms);
  manager().stop();
  go_on(400ms);
  EXPECT_EQ(scratch_.files(), (std::vector<std::string>{"active/AAAA1", "active/AAAA2"}));
  EXPECT_EQ(waiting("active/AAAA1"), std::vector<std::string>{"sent3@a.test"});
  EXPECT_EQ(waiting("active/AAAA2"), std::vector<std::string>{"sent4@a.test"});
}

}  // namespace
}  // namespace mta
