#include "tools/mta/daemon/wake_up_timer.h"

#include <gtest/gtest.h>

#include <asio/steady_timer.hpp>
#include <string>

namespace {

using namespace std::chrono_literals;

class Sleeper final : public mta::Service {
 public:
  explicit Sleeper(bool was_used) : was_used_(was_used) {}
  libconf::Result<void> listen(mta::Transport, libconf::FileDescriptor) override { return {}; }
  void wake_up() override { ++calls; }
  bool was_used() const override { return was_used_; }
  void stop() override {}
  int calls = 0;

 private:
  bool was_used_;
};

/// How often a service is woken up in the first moment, and whether the timer goes on.
struct Woken {
  int calls;
  bool goes_on;
};

Woken wake(const std::string& field, bool was_used) {
  asio::io_context io;
  Sleeper service(was_used);
  mta::WakeUpTimer timer(io, field, service);
  io.run_for(20ms);
  const bool goes_on = !io.stopped();
  timer.stop();
  io.restart();
  io.run();
  return {service.calls, goes_on};
}

TEST(WakeUpTimer, WakesWhatItsFieldSays) {
  const struct {
    const char* field;
    bool was_used;
    int calls;
    bool goes_on;
  } cases[] = {
      {"60", false, 1, true}, {"60?", false, 0, true}, {"60?", true, 1, true},
      {"-", true, 0, false},  {"0", true, 0, false},   {"0?", true, 0, false},
  };
  for (const auto& each : cases) {
    const Woken woken = wake(each.field, each.was_used);
    EXPECT_EQ(woken.calls, each.calls) << each.field;
    EXPECT_EQ(woken.goes_on, each.goes_on) << each.field;
  }
}

}  // namespace
