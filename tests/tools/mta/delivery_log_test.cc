#include "tools/mta/delivery/delivery_log.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

using std::chrono::microseconds;

// delay_logging_resolution_limit in postconf(5): two digits of precision below 100 seconds, and no more than
// two behind the point.
TEST(DeliveryLog, Delays) {
  const struct {
    std::int64_t time;
    std::string text;
  } cases[] = {{0, "0"},
               {4'000, "0"},
               {50'000, "0.05"},
               {300'000, "0.3"},
               {120'000, "0.12"},
               {1'000'000, "1"},
               {1'240'000, "1.2"},
               {34'200'000, "34"},
               {300'000'000, "300"},
               {1'234'000'000, "1234"}};
  for (const auto& each : cases) EXPECT_EQ(log_delay(microseconds(each.time)), each.text);
}

/// A line without its delays, which are of now.
std::string line_of(DeliveryPurpose purpose, DeliveryOutcome outcome, QueueRecipient recipient) {
  const DeliveryRequest request{
      .queue_id = "4A1B2C3D4E", .purpose = purpose, .recipients = {std::move(recipient)}};
  const RecipientReport report{.outcome = outcome,
                               .relay = "mx.example.com[192.0.2.7]:25",
                               .status = {.code = "2.0.0", .text = "250 2.0.0 Ok"}};
  std::string line = delivery_log_line(request, report);
  const std::size_t start = line.find(" delay=");
  const std::size_t end = line.find(" dsn=");
  return line.erase(start, end - start);
}

TEST(DeliveryLog, Lines) {
  EXPECT_EQ(line_of(DeliveryPurpose::kDeliver, DeliveryOutcome::kSent, {.address = "bob@example.com"}),
            "4A1B2C3D4E: to=<bob@example.com>, relay=mx.example.com[192.0.2.7]:25, dsn=2.0.0, status=sent "
            "(250 2.0.0 Ok)");
  EXPECT_EQ(line_of(DeliveryPurpose::kDeliver, DeliveryOutcome::kDeferred,
                    {.address = "a b@example.com", .original = "c@example.com"}),
            "4A1B2C3D4E: to=<\"a b\"@example.com>, orig_to=<c@example.com>, "
            "relay=mx.example.com[192.0.2.7]:25, dsn=2.0.0, status=deferred (250 2.0.0 Ok)");
}

TEST(DeliveryLog, ProbesAreDeliverableOrNot) {
  const QueueRecipient bob{.address = "bob@example.com", .original = "bob@example.com"};
  for (const auto& [outcome, name] : {std::pair{DeliveryOutcome::kSent, "=deliverable ("},
                                      std::pair{DeliveryOutcome::kDeferred, "=undeliverable ("},
                                      std::pair{DeliveryOutcome::kBounced, "=undeliverable ("}}) {
    const std::string line = line_of(DeliveryPurpose::kProbe, outcome, bob);
    EXPECT_NE(line.find(name), std::string::npos) << line;
    EXPECT_EQ(line.find("orig_to"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace mta
