// What changes is what the smtp of Postfix 3.7 logs with the same tables.
#include "tools/mta/delivery/delivery_status_filter.h"

#include <gtest/gtest.h>

#include "libconf/host.h"

namespace mta {
namespace {

class DeliveryStatusFilterTest : public testing::Test {
 protected:
  /// "outcome code text" after the filter.
  std::string apply(std::string_view tables, DeliveryOutcome outcome, std::string_view code) {
    settings_.override_value("smtp_delivery_status_filter", tables);
    auto filter = DeliveryStatusFilter::open("smtp_delivery_status_filter",
                                             {.settings = settings_, .warnings = warnings_});
    if (!filter) return filter.error().message;
    RecipientReport report{.outcome = outcome, .status = {.code = std::string(code), .text = "text here"}};
    filter->apply(purpose_, report);
    constexpr std::string_view kOutcomes[] = {"sent", "deferred", "bounced"};
    return std::string(kOutcomes[static_cast<std::size_t>(report.outcome)]) + " " + report.status.code + " " +
           report.status.text + (report.is_soft_bounce ? " soft" : "");
  }
  std::string warnings() {
    std::string out;
    for (const libconf::Diagnostic& each : warnings_.items()) out += each.message + "\n";
    warnings_ = {};
    return out;
  }

  const libconf::Host host_ = libconf::system_host();
  libconf::Settings settings_{nullptr, host_};
  libconf::DiagnosticList warnings_;
  DeliveryPurpose purpose_ = DeliveryPurpose::kDeliver;
};

constexpr auto kSent = DeliveryOutcome::kSent;
constexpr auto kDeferred = DeliveryOutcome::kDeferred;
constexpr auto kBounced = DeliveryOutcome::kBounced;

TEST_F(DeliveryStatusFilterTest, ResultsStandForWhatWas) {
  EXPECT_EQ(apply("", kBounced, "5.1.1"), "bounced 5.1.1 text here");
  EXPECT_EQ(apply("regexp:{{/^5.1.1 text here$$/ 5.7.1 new}}", kBounced, "5.1.1"), "bounced 5.7.1 new");
  EXPECT_EQ(apply("regexp:{{/^5/ 4.7.1   a  b }}", kBounced, "5.1.1"), "deferred 4.7.1 a  b");
  EXPECT_EQ(apply("regexp:{{/^4/ 5.7.1 new}}", kDeferred, "4.1.1"), "bounced 5.7.1 new");
  EXPECT_EQ(apply("regexp:{{/^2/ 2.7.1 new}}", kSent, "2.0.0"), "sent 2.7.1 new");
  EXPECT_EQ(apply("regexp:{{/^5/ 4.7.1}}", kBounced, "5.1.1"), "deferred 4.7.1 text here");
  EXPECT_EQ(apply("inline:{a=b}, static:{5.7.1 new}", kBounced, "5.1.1"), "bounced 5.7.1 new");
  EXPECT_EQ(warnings(), "");
}

TEST_F(DeliveryStatusFilterTest, OtherResultsAreWarnedOf) {
  for (const std::string_view result : {"2.1.1 new", "foo", "5.1 new", "3.1.1 new", "5.1.1x new"}) {
    EXPECT_EQ(apply("static:{" + std::string(result) + "}", kBounced, "5.1.1"), "bounced 5.1.1 text here");
    EXPECT_EQ(warnings(), "smtp_delivery_status_filter: bad status code: " + std::string(result) + "\n");
  }
  EXPECT_EQ(apply("static:{5.1.1 new}", kSent, "2.0.0"), "sent 2.0.0 text here");
  EXPECT_EQ(warnings(), "smtp_delivery_status_filter: bad status code: 5.1.1 new\n");
  EXPECT_EQ(apply("fail:x", kSent, "2.0.0"), "sent 2.0.0 text here");
  EXPECT_EQ(warnings(), "fail:x lookup error for \"2.0.0 text here\"\n");
}

TEST_F(DeliveryStatusFilterTest, SoftBounceComesLast) {
  settings_.override_value("soft_bounce", "yes");
  EXPECT_EQ(apply("", kBounced, "5.1.1"), "deferred 4.1.1 text here soft");
  EXPECT_EQ(apply("", kDeferred, "4.1.1"), "deferred 4.1.1 text here");
  EXPECT_EQ(apply("regexp:{{/^4/ 5.7.1 new}}", kDeferred, "4.1.1"), "deferred 4.7.1 new soft");
  purpose_ = DeliveryPurpose::kProbe;
  EXPECT_EQ(apply("", kBounced, "5.1.1"), "bounced 5.1.1 text here");
  EXPECT_EQ(apply("regexp:{{/^5/ 4.7.1 new}}", kBounced, "5.1.1"), "deferred 4.7.1 new");
}

TEST_F(DeliveryStatusFilterTest, WithoutTablesNothingIsChanged) {
  DeliveryStatusFilter filter;
  RecipientReport report{.outcome = kBounced, .status = {.code = "5.1.1", .text = "x"}};
  filter.apply(DeliveryPurpose::kDeliver, report);
  EXPECT_EQ(report.outcome, kBounced);
  EXPECT_FALSE(filter.is_soft());
}

}  // namespace
}  // namespace mta
