// Files of settings: any bytes give a table's settings or an error, as lookups would read them; and nobody
// sees a secret.
#include <sys/mman.h>
#include <unistd.h>

#include "libmaps/query_template.h"
#include "libmaps/secret_setting.h"
#include "libmaps/sql_parameters.h"
#include "libmaps/sql_query.h"
#include "tests/fuzz/property.h"

namespace {

using libmaps::TableConfig;

/// A file in memory, with a name.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("table.cf", MFD_CLOEXEC)) {}
  std::string name() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void write(const std::uint8_t* data, std::size_t size) const {
    require(::ftruncate(descriptor_, 0) == 0 &&
                ::pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size),
            "a file in memory can be written");
  }

 private:
  int descriptor_;
};

void ask(const libmaps::QueryRules& rules) {
  for (const std::string_view key : {"joe", "u@a.b.c.d.e.f.g.h.i", "@x", "u@", "a'b"}) {
    const auto accepted = rules.accepts(key);
    if (!accepted || !*accepted) continue;
    (void)rules.query_for(key, {});
    libmaps::ResultList results(rules, key);
    if (results.add(key) && results.add("value@x")) (void)results.take();
  }
  const auto query = libmaps::query_with_parameters(rules);
  if (query) require(query->find('?') != std::string::npos, "parameters are in the query");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const MemoryFile file;
  static const libconf::Settings settings(nullptr, host_without_interfaces());
  file.write(data, size);
  libconf::DiagnosticList warnings;
  const libmaps::TableContext context{.settings = settings,
                                      .warnings = warnings,
                                      .match_domains = [](std::string_view patterns, std::string_view) {
                                        return libconf::Result<libmaps::DomainPredicate>(
                                            [list = std::string(patterns)](std::string_view domain) {
                                              return list.find(domain) != std::string::npos;
                                            });
                                      }};
  const auto config = TableConfig::open(file.name(), context);
  if (!config) return 0;
  (void)config->get_bool("require_result_set", true);
  for (const auto& [name, setting] : config->file_settings()) {
    require(config->get_string(name, "").value() == setting.value, "a setting is read as it stands");
    require(setting.line > 0, "a setting has a line");
    const auto refused = config->get_string(name, "", {.min = 1 << 30});
    require(!refused, "limits are kept");
    if (libmaps::is_secret(name, setting.value))
      require(refused.error().message.ends_with(libmaps::kHidden), "no message has a secret");
  }
  const auto query = libmaps::read_sql_query(*config, "sqlite:x", warnings);
  if (query) {
    const auto rules = libmaps::QueryRules::read(*config, "sqlite", *query, "sqlite:x", context);
    if (rules) ask(*rules);
  }
  return 0;
}
