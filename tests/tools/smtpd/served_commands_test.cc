#include "tools/smtpd/served_commands.h"

#include <gtest/gtest.h>

#include <string>

#include "tools/mta/daemon/service_role.h"

namespace {

// The master opens sockets for what the server process then serves.
TEST(ServedCommands, AreThoseThatTheMasterListensFor) {
  for (const mta::ServiceRole& role : mta::service_roles())
    EXPECT_EQ(role.program == mta::kSmtpProgram, smtpd::find_served_command(role.command) != nullptr)
        << role.command;
  for (const smtpd::ServedCommand& served : smtpd::served_commands())
    EXPECT_NE(mta::find_service_role(served.command), nullptr) << served.command;
}

TEST(ServedCommands, AreFoundByTheirWholeName) {
  EXPECT_EQ(smtpd::find_served_command("smtp"), nullptr);
  EXPECT_EQ(smtpd::find_served_command(""), nullptr);
  EXPECT_EQ(smtpd::find_served_command("smtpd")->command, "smtpd");
}

}  // namespace
