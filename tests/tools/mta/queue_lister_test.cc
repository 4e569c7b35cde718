#include "tools/mta/queue/queue_lister.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/libconf/temp_directory.h"
#include "tools/mta/queue/listing_protocol.h"
#include "tools/mta/queue/queue_record.h"

namespace {

using mta::ListedMessage;
using mta::RecordType;

std::string message_text() {
  std::string text;
  append_record(text, RecordType::kTime, "1795937570 5");
  append_record(text, RecordType::kSender, "a b@example.org");
  append_record(text, RecordType::kRecipient, "bob@example.com");
  append_record(text, RecordType::kDone, "carl@example.com");
  append_record(text, RecordType::kContent, "");
  return text;
}

class QueueListerTest : public testing::Test {
 protected:
  QueueListerTest() {
    for (const char* const name :
         {"maildrop", "active", "incoming", "deferred", "deferred/A", "hold", "defer"})
      ::mkdir((scratch_.path() + "/" + name).c_str(), 0700);
  }
  void put(const std::string& name, const std::string& text, mode_t mode = 0700) {
    const std::string path = scratch_.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    ::chmod(path.c_str(), mode);
  }
  std::vector<ListedMessage> list() {
    mta::QueueLister lister(queue_, {});
    std::vector<ListedMessage> found;
    for (;;) {
      const auto message = lister.next();
      EXPECT_TRUE(message);
      if (!message || !*message) return found;
      found.push_back(**message);
    }
  }

  const postkit_test::TempDirectory scratch_;
  const mta::QueueDirectory queue_{{.path = scratch_.path(), .hash_queue_names = {"deferred"}}};
};

TEST_F(QueueListerTest, TellsWhatTheFilesAndTheLogSay) {
  put("hold/H1", message_text(), 0710);
  put("deferred/A/A1", message_text());
  put("defer/A1", "recipient=bob@example.com\nreason=later\n\n");
  put("incoming/UNFINISHED", message_text(), 0600);
  put("incoming/no.name", message_text());
  put("incoming/DAMAGED", "garbage");
  const auto size = static_cast<std::int64_t>(message_text().size());
  const std::vector<ListedMessage> wanted = {
      {"deferred", "A1", 1795937570, size, false, "\"a b\"@example.org", {{"bob@example.com", "later"}}},
      {"hold", "H1", 1795937570, size, true, "\"a b\"@example.org", {{"bob@example.com", ""}}}};
  EXPECT_EQ(list(), wanted);
}

TEST_F(QueueListerTest, DoesNotTakeAMissingDirectoryForAnEmptyOne) {
  ::rmdir((scratch_.path() + "/hold").c_str());
  mta::QueueLister lister(queue_, {});
  const auto message = lister.next();
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().kind, libconf::ErrorKind::kInputOutput);
}

TEST(ListingProtocol, IsReadAsItWasWrittenHoweverItComes) {
  const ListedMessage message = {"hold", "4jcPpX1XVWz8NNP", 5, -1, true, "", {{"a@b", ""}, {"", "why"}}};
  const std::string stream = std::string(mta::kListingGreeting) + format_listed_message(message) +
                             format_listed_message(message) + std::string(mta::kListingEnd);
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    mta::ListingReader reader;
    std::size_t count = 0;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      EXPECT_FALSE(reader.is_at_end());
      reader.feed(std::string_view(stream).substr(at, step));
      for (;;) {
        const auto next = reader.next();
        ASSERT_TRUE(next);
        if (!*next) break;
        EXPECT_EQ(**next, message);
        ++count;
      }
    }
    EXPECT_EQ(count, 2U);
    EXPECT_TRUE(reader.is_at_end());
  }
}

TEST(ListingProtocol, SaysWhatIsWrong) {
  mta::ListingReader reader;
  reader.feed(mta::kListingGreeting);
  reader.feed(std::string_view("queue_name\0hold\0foo\0bar\0\0", 25));
  const auto message = reader.next();
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().message,
            "unexpected attribute foo from public/showq socket (expecting: queue_id)");
}

}  // namespace
