#include "libmaps/reloading_table.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "libmaps/open.h"
#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/temp_directory.h"

namespace libmaps {
namespace {

class Reloading : public testing::TestWithParam<std::pair<const char*, const char*>> {
 protected:
  /// A line of the type's source that says what 192.0.2.1 means.
  std::string line(std::string_view value) const {
    return std::string(GetParam().second) + " " + std::string(value) + "\n";
  }
  void open_file(std::string_view value) {
    directory_.write("t", line(value));
    auto table = open({GetParam().first, file_}, {.settings = settings_, .warnings = warnings_});
    ASSERT_TRUE(table) << table.error().message;
    table_ = std::move(*table);
  }
  std::string ask() { return table_->lookup("192.0.2.1").value().value_or("(none)"); }

  postkit_test::TempDirectory directory_;
  std::string file_ = directory_.path("t");
  libconf::Settings settings_{nullptr, libconf::system_host()};
  libconf::DiagnosticList warnings_;
  std::unique_ptr<Table> table_;
};

TEST_P(Reloading, SeesAFileThatWasWrittenAgain) {
  open_file("one");
  EXPECT_EQ(ask(), "one");
  directory_.write("t", line("another"));
  EXPECT_EQ(ask(), "another");
}

TEST_P(Reloading, SeesAFileThatWasRenamedIntoPlace) {
  open_file("one");
  directory_.write("new", line("two"));
  std::filesystem::rename(directory_.path("new"), file_);
  EXPECT_EQ(ask(), "two");
}

TEST_P(Reloading, GoesOnWithTheOldTableWithoutAFile) {
  open_file("one");
  std::filesystem::remove(file_);
  EXPECT_EQ(ask(), "one");
  EXPECT_EQ(ask(), "one");
  ASSERT_EQ(warnings_.items().size(), 1U) << "one warning is enough";
  EXPECT_NE(warnings_.items()[0].message.find(": going on with " + table_->name() + " as it was"),
            std::string::npos);
  directory_.write("t", line("back"));
  EXPECT_EQ(ask(), "back");
}

TEST_P(Reloading, ChangesNothingDuringAHold) {
  open_file("one");
  ASSERT_TRUE(table_->hold());
  directory_.write("t", line("another"));
  EXPECT_EQ(ask(), "one");
  table_->release();
  EXPECT_EQ(ask(), "another");
}

INSTANTIATE_TEST_SUITE_P(Types, Reloading,
                         testing::Values(std::pair("cidr", "192.0.2.0/24"), std::pair("pcre", "/^192/"),
                                         std::pair("regexp", "/^192/"), std::pair("texthash", "192.0.2.1")),
                         [](const auto& row) { return std::string(row.param.first); });

}  // namespace
}  // namespace libmaps
