#include "tools/mta/queue/transport_rules.h"

#include <string>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;

/// Parameters that carry the name of a transport. What is no service of master.cf has the defaults.
class Reader {
 public:
  Reader(const libconf::Settings& settings, std::string_view transport)
      : settings_(settings), transport_(transport) {}

  template <class T>
  void number(std::string_view suffix, std::string_view otherwise, T& value) {
    take(settings_.get_int(name(suffix, otherwise)),
         [&](std::int64_t number) { value = static_cast<T>(number); });
  }
  void time(std::string_view suffix, std::string_view otherwise, std::chrono::seconds& value) {
    take(settings_.get_duration(name(suffix, otherwise)), [&](std::chrono::seconds time) { value = time; });
  }
  void feedback(std::string_view suffix, std::string_view otherwise, ConcurrencyFeedback& value) {
    const std::string parameter = name(suffix, otherwise);
    take(settings_.get(parameter), [&](const std::string& text) {
      const auto parsed = ConcurrencyFeedback::parse(text);
      if (parsed) {
        value = *parsed;
        value.parameter = settings_.explicit_setting(parameter) ? parameter : std::string(otherwise);
      } else if (!error_) {
        error_ = libconf::configuration_error(concat("bad configuration: ", parameter, " = ", text));
      }
    });
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::string name(std::string_view suffix, std::string_view otherwise) const {
    const std::string own = concat(transport_, suffix);
    return settings_.find(own) ? own : std::string(otherwise);
  }
  template <class T, class Take>
  void take(const Result<T>& setting, Take take_value) {
    if (setting) {
      take_value(*setting);
    } else if (!error_) {
      error_ = setting.error();
    }
  }

  const libconf::Settings& settings_;
  const std::string_view transport_;
  std::optional<Error> error_;
};

}  // namespace

Result<TransportRules> TransportRules::read(const libconf::Settings& settings, std::string_view transport,
                                            std::size_t process_limit) {
  TransportRules rules{.process_limit = process_limit};
  Reader reader(settings, transport);
  reader.number("_destination_recipient_limit", "default_destination_recipient_limit", rules.recipient_limit);
  reader.time("_destination_rate_delay", "default_destination_rate_delay", rules.destination_delay);
  reader.time("_transport_rate_delay", "default_transport_rate_delay", rules.transport_delay);
  MemoryRules& memory = rules.memory;
  reader.number("_recipient_limit", "default_recipient_limit", memory.limit);
  reader.number("_extra_recipient_limit", "default_extra_recipient_limit", memory.extra);
  reader.number("_recipient_refill_limit", "default_recipient_refill_limit", memory.refill);
  reader.time("_recipient_refill_delay", "default_recipient_refill_delay", memory.refill_delay);
  ConcurrencyRules& concurrency = rules.concurrency;
  reader.number("_destination_concurrency_limit", "default_destination_concurrency_limit", concurrency.limit);
  reader.number("_initial_destination_concurrency", "initial_destination_concurrency", concurrency.initial);
  reader.number("_destination_concurrency_failed_cohort_limit",
                "default_destination_concurrency_failed_cohort_limit", concurrency.failed_cohorts);
  reader.feedback("_destination_concurrency_positive_feedback",
                  "default_destination_concurrency_positive_feedback", concurrency.positive);
  reader.feedback("_destination_concurrency_negative_feedback",
                  "default_destination_concurrency_negative_feedback", concurrency.negative);
  // One delivery at a time.
  if (rules.destination_delay.count() > 0) concurrency.limit = 1;
  PreemptionRules& preemption = rules.preemption;
  reader.number("_delivery_slot_cost", "default_delivery_slot_cost", preemption.slot_cost);
  reader.number("_delivery_slot_loan", "default_delivery_slot_loan", preemption.slot_loan);
  reader.number("_delivery_slot_discount", "default_delivery_slot_discount", preemption.slot_discount);
  reader.number("_minimum_delivery_slots", "default_minimum_delivery_slots", preemption.minimum_slots);
  if (reader.error()) return *reader.error();
  return rules;
}

}  // namespace mta
