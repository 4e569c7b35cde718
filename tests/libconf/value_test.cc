#include "libconf/value.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace libconf {
namespace {

struct BoolCase {
  const char* text;
  std::optional<bool> expected;
};

TEST(Value, Bool) {
  for (const BoolCase& c : {BoolCase{"yes", true}, BoolCase{"no", false}, BoolCase{"YES", true},
                            BoolCase{"No", false}, BoolCase{"", {}}, BoolCase{"true", {}}, BoolCase{"1", {}},
                            BoolCase{"y", {}}, BoolCase{"yes ", {}}, BoolCase{"yess", {}}}) {
    SCOPED_TRACE(c.text);
    const Result<bool> value = parse_bool("biff", c.text);
    ASSERT_EQ(value.has_value(), c.expected.has_value());
    if (value) {
      EXPECT_EQ(*value, *c.expected);
    } else {
      EXPECT_EQ(value.error().kind, ErrorKind::kConfiguration);
      EXPECT_EQ(value.error().message, std::string("bad boolean configuration: biff = ") + c.text);
    }
  }
}

template <class Number>
struct NumberCase {
  const char* text;
  std::optional<Number> expected;
};

template <class Number>
void expect_numbers(Result<Number> (*parse)(std::string_view name, std::string_view value),
                    std::initializer_list<NumberCase<Number>> cases) {
  for (const NumberCase<Number>& c : cases) {
    SCOPED_TRACE(c.text);
    const Result<Number> value = parse("x", c.text);
    ASSERT_EQ(value.has_value(), c.expected.has_value());
    if (value) {
      EXPECT_EQ(*value, *c.expected);
    } else {
      EXPECT_EQ(value.error().kind, ErrorKind::kConfiguration);
      EXPECT_EQ(value.error().message, std::string("bad numerical configuration: x = ") + c.text);
    }
  }
}

TEST(Value, Int) {
  expect_numbers<int>(parse_int, {{"0", 0},
                                  {"12", 12},
                                  {"-3", -3},
                                  {"007", 7},
                                  {"+5", 5},
                                  {"+-5", {}},
                                  {"++5", {}},
                                  {"+", {}},
                                  {"2147483647", 2147483647},
                                  {"2147483648", {}},
                                  {"99999999999", {}},
                                  {"-2147483649", {}},
                                  {"", {}},
                                  {"1x", {}},
                                  {"1.5", {}},
                                  {"ten", {}},
                                  {"0x10", {}}});
}

TEST(Value, Long) {
  expect_numbers<std::int64_t>(parse_long, {{"99999999999", 99999999999},
                                            {"-3", -3},
                                            {"9223372036854775807", INT64_MAX},
                                            {"9223372036854775808", {}},
                                            {"", {}},
                                            {"10M", {}}});
}

struct DurationCase {
  const char* text;
  char unit;
  std::optional<std::int64_t> seconds;
};

TEST(Value, Duration) {
  for (const DurationCase& c : {DurationCase{"0", 's', 0},
                                DurationCase{"10", 's', 10},
                                DurationCase{"10", 'm', 600},
                                DurationCase{"10", 'd', 864000},
                                DurationCase{"10s", 'd', 10},
                                DurationCase{"2m", 's', 120},
                                DurationCase{"2h", 's', 7200},
                                DurationCase{"2d", 's', 172800},
                                DurationCase{"2w", 's', 1209600},
                                DurationCase{"+5d", 's', 432000},
                                DurationCase{"+-5d", 's', {}},
                                DurationCase{"2H", 's', 7200},
                                DurationCase{"2147483647", 's', 2147483647},
                                DurationCase{"", 's', {}},
                                DurationCase{"s", 's', {}},
                                DurationCase{"5y", 's', {}},
                                DurationCase{"5ms", 's', {}},
                                DurationCase{"5 m", 's', {}},
                                DurationCase{"-5s", 's', {}},
                                DurationCase{"1.5h", 's', {}},
                                DurationCase{"2147483648", 's', {}},
                                DurationCase{"9999999999w", 's', {}},
                                DurationCase{"99999999999999999999", 's', {}}}) {
    SCOPED_TRACE(std::string(c.text) + " in " + c.unit);
    const auto value = parse_duration("x", c.text, c.unit);
    ASSERT_EQ(value.has_value(), c.seconds.has_value());
    if (value) {
      EXPECT_EQ(value->count(), *c.seconds);
    } else {
      EXPECT_EQ(value.error().kind, ErrorKind::kConfiguration);
      EXPECT_EQ(value.error().message, std::string("parameter x: bad time value or unit: ") + c.text);
    }
  }
  EXPECT_EQ(parse_duration("x", "7")->count(), 7);
}

TEST(Value, List) {
  struct Case {
    const char* text;
    std::vector<std::string> expected;
  };
  for (const Case& c :
       {Case{"", {}}, Case{" , ", {}}, Case{"a", {"a"}}, Case{"a, b\tc\r\n d,,e", {"a", "b", "c", "d", "e"}},
        Case{"a {b, c} d", {"a", "{b, c}", "d"}}, Case{"x={a b}c,d", {"x={a b}c", "d"}}, Case{"{a", {"{a"}}})
    EXPECT_EQ(parse_list(c.text), c.expected) << c.text;
}

TEST(Value, DefaultTimeUnit) {
  struct Case {
    const char* name;
    char unit;
  };
  for (const Case& c :
       {Case{"queue_run_delay", 's'}, Case{"maximal_queue_lifetime", 'd'}, Case{"delay_warning_time", 'h'}}) {
    const Parameter* parameter = find_parameter(c.name);
    ASSERT_NE(parameter, nullptr) << c.name;
    EXPECT_EQ(default_time_unit(*parameter), c.unit) << c.name;
  }
}

struct CheckCase {
  const char* name;
  const char* value;
  const char* error;  ///< Empty: good.
};

TEST(Value, CheckHoldsAValueAgainstItsRow) {
  for (const CheckCase& c : {
           CheckCase{"biff", "no", ""},
           CheckCase{"biff", "maybe", "bad boolean configuration: biff = maybe"},
           CheckCase{"default_process_limit", "1", ""},
           CheckCase{"default_process_limit", "0", "invalid default_process_limit parameter value 0 < 1"},
           CheckCase{"default_process_limit", "2147483648",
                     "bad numerical configuration: default_process_limit = 2147483648"},
           CheckCase{"default_delivery_slot_discount", "101",
                     "invalid default_delivery_slot_discount parameter value 101 > 100"},
           CheckCase{"message_size_limit", "99999999999", ""},
           CheckCase{"message_size_limit", "9223372036854775808",
                     "bad numerical configuration: message_size_limit = 9223372036854775808"},
           CheckCase{"lmdb_map_size", "0", "invalid lmdb_map_size parameter value 0 < 1"},
           CheckCase{"message_size_limit", "-1", "invalid message_size_limit parameter value -1 < 0"},
           CheckCase{"smtpd_hard_error_limit", "20", ""},
           CheckCase{"smtpd_hard_error_limit", "0", "invalid smtpd_hard_error_limit parameter value 0 < 1"},
           CheckCase{"smtpd_hard_error_limit", "x",
                     "bad numerical configuration: smtpd_hard_error_limit = x"},
           CheckCase{"queue_run_delay", "5m", ""},
           CheckCase{"queue_run_delay", "0", "invalid queue_run_delay: 0 (min 1)"},
           CheckCase{"queue_run_delay", "5y", "parameter queue_run_delay: bad time value or unit: 5y"},
           CheckCase{"maximal_queue_lifetime", "100", ""},
           CheckCase{"maximal_queue_lifetime", "101",
                     "invalid maximal_queue_lifetime: 8726400 (max 8640000)"},
           CheckCase{"myorigin", "example.com", ""},
           CheckCase{"myorigin", "", "bad string length 0 < 1: myorigin = "},
           CheckCase{"default_rbl_reply", "", "bad string length (0 < 1): default_rbl_reply = "},
           CheckCase{"relayhost", "", ""},
       }) {
    SCOPED_TRACE(std::string(c.name) + " = " + c.value);
    const Parameter* parameter = find_parameter(c.name);
    ASSERT_NE(parameter, nullptr);
    const std::optional<Error> error = check_value(*parameter, c.value);
    EXPECT_EQ(error ? error->message : "", c.error);
    if (error) {
      EXPECT_EQ(error->kind, ErrorKind::kConfiguration);
    }
  }
}

}  // namespace
}  // namespace libconf
