#include "tools/mta/queue/recipient_slots.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace mta {
namespace {

/// Messages in the order in which they were taken up; each is not read as a whole until told so.
class RecipientSlotsTest : public testing::Test {
 protected:
  RecipientSlotsTest() {
    for (std::uint64_t number = 0; number < 4; ++number) {
      messages_.push_back(std::make_unique<ActiveMessage>());
      messages_.back()->number = number;
      messages_.back()->rest = RecordPlace{};
    }
  }
  ActiveMessage& message(std::size_t number) { return *messages_[number]; }
  void add(std::size_t number, int count) {
    for (int i = 0; i < count; ++i) slots_.add(message(number));
  }
  void read_all(std::size_t number) {
    message(number).rest.reset();
    slots_.read_all(message(number));
  }
  std::vector<std::size_t> all() const {
    std::vector<std::size_t> slots;
    for (const auto& each : messages_) slots.push_back(each->slots);
    return slots;
  }
  using Slots = std::vector<std::size_t>;

  RecipientSlots slots_{20, 8};
  std::vector<std::unique_ptr<ActiveMessage>> messages_;
};

// SCHEDULER_README: "each time a job is created and appended to the job list, it gets all unused recipient
// slots from its transport's pool".
TEST_F(RecipientSlotsTest, TheFirstMessageGetsAll) {
  add(0, 5);
  add(1, 5);
  EXPECT_EQ(all(), (Slots{20, 0, 0, 0}));
  slots_.remove(message(0), 5);
  EXPECT_EQ(all(), (Slots{20, 0, 0, 0}));
}

// "It keeps them until all recipients of its message are read. When this happens, all unused recipient slots
// are transferred to the next job [...] which still has some recipients unread". "Such a transfer then also
// happens whenever a recipient entry of that job is delivered."
TEST_F(RecipientSlotsTest, PassesOnWhatItDoesNotNeed) {
  add(0, 5);
  add(1, 5);
  read_all(0);
  EXPECT_EQ(all(), (Slots{5, 15, 0, 0}));
  slots_.remove(message(0), 3);
  EXPECT_EQ(all(), (Slots{2, 18, 0, 0}));
  slots_.remove(message(0), 2);
  EXPECT_EQ(all(), (Slots{0, 20, 0, 0}));
}

// "or eventually back to the transport pool if there is no such job".
TEST_F(RecipientSlotsTest, ReturnsWhatNobodyNeeds) {
  add(0, 5);
  read_all(0);
  EXPECT_EQ(all(), (Slots{5, 0, 0, 0}));
  add(1, 1);
  EXPECT_EQ(all(), (Slots{5, 15, 0, 0}));
}

// One with more recipients in memory than slots, of what all messages may have at first, needs them all.
TEST_F(RecipientSlotsTest, GivesNothingBackBeforeThat) {
  add(0, 30);
  add(1, 1);
  read_all(0);
  slots_.remove(message(0), 10);
  EXPECT_EQ(all(), (Slots{20, 0, 0, 0}));
  slots_.remove(message(0), 1);
  EXPECT_EQ(all(), (Slots{19, 1, 0, 0}));
}

// "if it was put in front of the first unread job [...], that job is first forced to return all of its unused
// recipient slots to the transport pool".
TEST_F(RecipientSlotsTest, AnOlderMessageTakesWhatALaterOneDoesNotUse) {
  add(2, 7);
  add(1, 1);
  EXPECT_EQ(all(), (Slots{0, 13, 7, 0}));
}

// "Each time an unread job preempts the current job, it gets half of the remaining recipient slots from the
// normal pool and this extra pool".
TEST_F(RecipientSlotsTest, HasMoreForOneThatGoesAhead) {
  add(0, 5);
  add(1, 5);
  slots_.go_ahead(message(1));
  EXPECT_EQ(all(), (Slots{20, 4, 0, 0}));
  add(2, 1);
  slots_.go_ahead(message(2));
  EXPECT_EQ(all(), (Slots{20, 4, 2, 0}));
  read_all(1);
  slots_.remove(message(1), 5);
  EXPECT_EQ(all(), (Slots{20, 0, 2, 0})) << "these are for the next that goes ahead";
  add(3, 1);
  slots_.go_ahead(message(3));
  EXPECT_EQ(all(), (Slots{20, 0, 2, 3}));
}

TEST_F(RecipientSlotsTest, OneThatIsReadNeedsNoMore) {
  add(0, 5);
  read_all(0);
  slots_.go_ahead(message(0));
  EXPECT_EQ(all(), (Slots{5, 0, 0, 0}));
}

TEST_F(RecipientSlotsTest, AForgottenMessageHasNone) {
  add(0, 5);
  add(1, 5);
  slots_.forget(message(0));
  EXPECT_EQ(all(), (Slots{0, 20, 0, 0}));
  slots_.forget(message(1));
  slots_.forget(message(2));
  add(3, 1);
  EXPECT_EQ(all(), (Slots{0, 0, 0, 20}));
}

}  // namespace
}  // namespace mta
