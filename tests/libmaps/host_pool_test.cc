#include "libmaps/host_pool.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace libmaps {
namespace {

using std::chrono::seconds;

/// Servers with a clock of their own, and what was done to them: "+a" a connection to a, "-a" one that
/// failed, "a" a use, "~a" the end of a connection.
class HostPoolTest : public testing::Test {
 protected:
  struct Session {
    Session(HostPoolTest& in_test, std::string to_host) : test(in_test), host(std::move(to_host)) {}
    ~Session() { test.log_.push_back("~" + host); }
    HostPoolTest& test;
    std::string host;
    bool is_dead = false;
  };
  using Pool = HostPool<Session>;
  using Log = std::vector<std::string>;

  Pool pool(const std::string& hosts, HostIntervals intervals = {}) {
    return Pool(
        *parse_database_hosts(hosts), intervals,
        [this](const DatabaseHost& host) -> std::unique_ptr<Session> {
          const bool is_up = !down_.contains(host.name);
          log_.push_back((is_up ? "+" : "-") + host.name);
          if (!is_up) return nullptr;
          auto session = std::make_unique<Session>(*this, host.name);
          open_[host.name] = session.get();
          return session;
        },
        [this] { return now_; });
  }

  /// One lookup; says what happened, and whether it was answered.
  Log ask(Pool& pool) {
    log_.clear();
    const bool is_answered = pool.try_each([this](Session& session) {
      log_.push_back(session.host);
      if (session.is_dead) return Attempt::kLost;
      const auto answer = answers_.find(session.host);
      return answer == answers_.end() ? Attempt::kDone : answer->second;
    });
    log_.push_back(is_answered ? "yes" : "no");
    return log_;
  }

  void pass(seconds time) { now_ += time; }

  std::set<std::string> down_;
  std::map<std::string, Attempt> answers_;  ///< kDone where nothing is said.
  std::map<std::string, Session*> open_;    ///< The last connection to a host; gone when the host is lost.
  Log log_;
  Pool::Clock::time_point now_{std::chrono::hours(1)};
};

TEST_F(HostPoolTest, ConnectsOnceAndStays) {
  Pool hosts = pool("a");
  EXPECT_EQ(ask(hosts), (Log{"+a", "a", "yes"}));
  EXPECT_EQ(ask(hosts), (Log{"a", "yes"}));
}

TEST_F(HostPoolTest, DoesNotChangeTheHostWithoutNeed) {
  Pool hosts = pool("a b c d");
  const std::string first = ask(hosts)[1];
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(hosts), (Log{first, "yes"}));
}

TEST_F(HostPoolTest, StartsAnywhere) {
  std::map<std::string, int> firsts;
  for (int i = 0; i < 300; ++i) {
    Pool hosts = pool("a b c");
    ++firsts[ask(hosts)[1]];
  }
  // A fair choice has fewer than 50 of one with a probability below 10^-9.
  EXPECT_EQ(firsts.size(), 3u);
  for (const auto& [host, count] : firsts) EXPECT_GT(count, 50) << host;
}

TEST_F(HostPoolTest, PrefersLocalSockets) {
  for (int i = 0; i < 30; ++i) {
    Pool hosts = pool("a b unix:/s c");
    EXPECT_EQ(ask(hosts), (Log{"+/s", "/s", "yes"}));
  }
  down_ = {"/s"};
  Pool hosts = pool("a unix:/s");
  EXPECT_EQ(ask(hosts), (Log{"-/s", "+a", "a", "yes"}));
}

TEST_F(HostPoolTest, PrefersWhatIsOpen) {
  down_ = {"/s"};
  Pool hosts = pool("a unix:/s", {.retry = seconds(5)});
  ask(hosts);
  down_.clear();
  pass(seconds(6));
  EXPECT_EQ(ask(hosts), (Log{"a", "yes"}));
}

TEST_F(HostPoolTest, LeavesAFailedHostAlone) {
  Pool hosts = pool("a", {.retry = seconds(5)});
  down_ = {"a"};
  EXPECT_EQ(ask(hosts), (Log{"-a", "no"}));
  down_.clear();
  pass(seconds(4));
  EXPECT_EQ(ask(hosts), (Log{"no"}));
  pass(seconds(1));
  EXPECT_EQ(ask(hosts), (Log{"+a", "a", "yes"}));
}

TEST_F(HostPoolTest, ClosesWhatIsIdle) {
  Pool hosts = pool("a", {.retry = seconds(60), .idle = seconds(5)});
  ask(hosts);
  pass(seconds(4));
  EXPECT_EQ(ask(hosts), (Log{"a", "yes"}));
  pass(seconds(4));
  EXPECT_EQ(ask(hosts), (Log{"a", "yes"})) << "A use counts from its own time.";
  pass(seconds(5));
  EXPECT_EQ(ask(hosts), (Log{"~a", "+a", "a", "yes"}));
}

TEST_F(HostPoolTest, ConnectsAnewWhereAnOldConnectionWasLost) {
  Pool hosts = pool("a");
  ask(hosts);
  open_["a"]->is_dead = true;
  EXPECT_EQ(ask(hosts), (Log{"a", "~a", "+a", "a", "yes"}));
}

TEST_F(HostPoolTest, GivesANewConnectionNoSecondChance) {
  answers_ = {{"a", Attempt::kLost}};
  Pool hosts = pool("a", {.retry = seconds(5)});
  EXPECT_EQ(ask(hosts), (Log{"+a", "a", "~a", "no"}));
  EXPECT_EQ(ask(hosts), (Log{"no"})) << "It is left alone.";
  pass(seconds(5));
  EXPECT_EQ(ask(hosts), (Log{"+a", "a", "~a", "no"}));
}

TEST_F(HostPoolTest, GoesToAnotherHostWhenOneDies) {
  Pool hosts = pool("unix:/s b");
  ask(hosts);
  open_["/s"]->is_dead = true;
  down_ = {"/s"};
  EXPECT_EQ(ask(hosts), (Log{"/s", "~/s", "-/s", "+b", "b", "yes"}));
  EXPECT_EQ(ask(hosts), (Log{"b", "yes"}));
}

TEST_F(HostPoolTest, DoesNotTryASilentHostAgain) {
  Pool hosts = pool("unix:/s b", {.retry = seconds(5)});
  ask(hosts);
  answers_ = {{"/s", Attempt::kUnusable}};
  EXPECT_EQ(ask(hosts), (Log{"/s", "~/s", "+b", "b", "yes"}));
  EXPECT_EQ(ask(hosts), (Log{"b", "yes"}));
}

TEST_F(HostPoolTest, KeepsAConnectionThatRefusesOneRequest) {
  answers_ = {{"/s", Attempt::kRefused}};
  Pool hosts = pool("unix:/s b");
  EXPECT_EQ(ask(hosts), (Log{"+/s", "/s", "+b", "b", "yes"}));
  answers_ = {{"/s", Attempt::kRefused}, {"b", Attempt::kRefused}};
  Log both = ask(hosts);
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, (Log{"/s", "b", "no"})) << "Both are asked, over the connections that there are.";
}

TEST_F(HostPoolTest, AsksEachHostOnceWhenNoneHasAnAnswer) {
  down_ = {"a", "b", "c"};
  Pool hosts = pool("a b c");
  Log all = ask(hosts);
  EXPECT_EQ(all.back(), "no");
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (Log{"-a", "-b", "-c", "no"}));
  EXPECT_EQ(ask(hosts), (Log{"no"}));
}

}  // namespace
}  // namespace libmaps
