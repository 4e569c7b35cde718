/// Opens pattern tables from text, and says what they warned of.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "libmaps/pcre_table.h"
#include "libmaps/regexp_table.h"
#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/temp_directory.h"

namespace libmaps {

using Answer = std::optional<std::string>;

using OpenTable = Result<std::unique_ptr<Table>> (*)(std::string_view, const TableContext&);

/// A table whose source is a file named "m" in the messages.
class PatternCase {
 public:
  PatternCase(OpenTable open, std::string_view rules) {
    directory_.write("m", rules);
    auto table = open(directory_.path("m"), context_);
    if (table) table_ = *std::move(table);
    EXPECT_TRUE(table) << table.error().message;
  }

  Answer lookup(std::string_view key) {
    auto value = table_->lookup(key);
    EXPECT_TRUE(value) << value.error().message;
    return value ? *value : std::nullopt;
  }

  /// Everything so far, with the file's folder left out.
  std::vector<std::string> warnings() const {
    std::vector<std::string> all = libconf::messages(list_);
    const std::string folder = directory_.path("");
    for (std::string& text : all) {
      if (const std::size_t at = text.find(folder); at != std::string::npos) text.erase(at, folder.size());
    }
    return all;
  }

 private:
  postkit_test::TempDirectory directory_;
  libconf::DiagnosticList list_;
  libconf::Settings settings_{nullptr, libconf::Host{}};
  TableContext context_{settings_, list_};
  std::unique_ptr<Table> table_;
};

}  // namespace libmaps
