/// Tables that are made in their name: any text opens or gives an error; what opens answers, and what lists
/// is found.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "libconf/settings.h"
#include "libconf/text.h"
#include "libmaps/open.h"
#include "libmaps/table_types.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kTypes[] = {"inline", "static", "randmap", "pipemap", "unionmap", "debug"};
  if (size == 0) return 0;
  const std::string_view type = kTypes[data[0] % std::size(kTypes)];
  const std::string name(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Tables inside are to be of these types too: neither the file system nor the network is wanted here.
  if (name.find('/') != std::string::npos) return 0;
  for (const libmaps::TableType& other : libmaps::table_types())
    if (std::ranges::find(kTypes, other.name) == std::end(kTypes) &&
        name.find(libconf::concat(other.name, ":")) != std::string::npos)
      return 0;

  static const libconf::Settings settings(nullptr, libconf::system_host());
  libconf::DiagnosticDiscard warnings;
  const libmaps::TableContext context{
      .settings = settings, .warnings = warnings, .options = {.utf8 = (data[0] & 64) != 0}};
  if (const auto table = libmaps::open({type, name}, context)) {
    for (const std::string_view key : {"", "a", "KEY", "\xff"}) static_cast<void>((*table)->lookup(key));
  }
  if (type != "inline") return 0;
  if (const auto table = libmaps::open_iterable({type, name}, context)) {
    const auto listed =
        (*table)->for_each([&](std::string_view key, std::string_view value) -> libconf::Result<void> {
          const auto found = (*table)->lookup(key);
          require(found && *found == value, "what is listed is found");
          return {};
        });
    require(static_cast<bool>(listed), "the table lists");
  }
  return 0;
}
