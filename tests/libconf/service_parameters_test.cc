#include "libconf/service_parameters.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace libconf {
namespace {

std::map<std::string, std::string> parameters_of(const std::string& name, const std::string& command) {
  DiagnosticDiscard discard;
  const auto service = MasterService::parse(name + " unix - - n - - " + command, discard);
  EXPECT_TRUE(service);
  std::map<std::string, std::string> out;
  for_each_service_parameter(*service, [&](const std::string& parameter, const std::string& default_value) {
    EXPECT_TRUE(out.emplace(parameter, default_value).second) << parameter;
  });
  return out;
}

TEST(ServiceParameters, CountByCommand) {
  struct Case {
    const char* command;
    std::size_t count;
  };
  for (const Case& c : {Case{"smtp", 16}, Case{"lmtp", 16}, Case{"local", 16}, Case{"virtual", 16},
                        Case{"error", 16}, Case{"pipe", 17}, Case{"spawn", 1}, Case{"smtpd", 0},
                        Case{"qmgr", 0}, Case{"discard", 0}, Case{"smtp -o a=b", 16}, Case{"SMTP", 0}})
    EXPECT_EQ(parameters_of("x", c.command).size(), c.count) << c.command;
}

TEST(ServiceParameters, NamesAndDefaults) {
  const auto pipe = parameters_of("maildrop", "pipe");
  EXPECT_EQ(pipe.at("maildrop_time_limit"), "$command_time_limit");
  EXPECT_EQ(pipe.at("maildrop_destination_concurrency_limit"), "$default_destination_concurrency_limit");
  EXPECT_EQ(pipe.at("maildrop_destination_recipient_limit"), "$default_destination_recipient_limit");
  EXPECT_EQ(pipe.at("maildrop_recipient_refill_delay"), "$default_recipient_refill_delay");
  EXPECT_EQ(parameters_of("s", "spawn").at("s_time_limit"), "$command_time_limit");
}

}  // namespace
}  // namespace libconf
