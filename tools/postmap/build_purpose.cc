#include "tools/postmap/build_purpose.h"

#include <sys/stat.h>

#include <algorithm>

namespace postmap {
namespace {

using libmaps::SourceFormat;

constexpr Purpose kPurposes[] = {
    {"alias_database", SourceFormat::kAliases, false, ", as aliases"},
    {"alias_maps", SourceFormat::kAliases, false, ", as aliases"},
    {"tls_server_sni_maps", SourceFormat::kMap, true, ", with the contents of files"},
};
constexpr Purpose kOtherPurpose = {"", SourceFormat::kMap, false, ""};

}  // namespace

const Purpose& purpose_of(const libmaps::NamedTable& table) {
  const auto* purpose = std::find_if(std::begin(kPurposes), std::end(kPurposes), [&](const Purpose& p) {
    return table.parameters.contains(p.parameter);
  });
  return purpose == std::end(kPurposes) ? kOtherPurpose : *purpose;
}

bool is_start_of_names(const libmaps::NamedTable& table) {
  struct stat status {};
  return ::stat(table.name.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Recipe recipe_for(const Purpose& purpose, const Session& session) {
  libmaps::SourceOptions options = session.source_options();
  options.format = purpose.format;
  options.values_are_files |= purpose.values_are_files;
  return {.source = options,
          .duplicates = session.duplicates(),
          .default_mode = session.options().default_mode,
          .tightens_mode = true};
}

}  // namespace postmap
