/// What a test needs to open a table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"
#include "tests/libconf/diagnostic_messages.h"

namespace postkit_test {

/// A context with settings from the text of a main.cf.
struct TableFixture {
  explicit TableFixture(std::string main_cf = "")
      : document(libconf::MainCfDocument::parse(std::move(main_cf), "main.cf")),
        settings(&document, libconf::system_host()) {}

  std::vector<std::string> warned() const { return libconf::messages(warnings); }

  libconf::MainCfDocument document;
  libconf::Settings settings;
  libconf::DiagnosticList warnings;
  libmaps::TableContext context{settings, warnings};
};

/// A lookup's outcome as a text: the value, "(none)", or "error: REASON".
inline std::string outcome(const libmaps::Result<std::optional<std::string>>& value) {
  if (!value) return "error: " + value.error().message;
  return value->value_or("(none)");
}

}  // namespace postkit_test
