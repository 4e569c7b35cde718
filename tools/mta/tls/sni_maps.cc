#include "tools/mta/tls/sni_maps.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::concat;

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestLabel = 63;

bool is_label_char(char c) { return libconf::is_name_char(c) || c == '-'; }

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), is_label_char);
}

}  // namespace

bool is_server_name(std::string_view name) {
  if (name.size() > kLongestName) return false;
  bool is_numeric = true;
  while (true) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (!is_label(label)) return false;
    is_numeric = is_numeric && libconf::is_all_digits(label);
    if (dot == std::string_view::npos) return !is_numeric;
    name.remove_prefix(dot + 1);
  }
}

std::vector<std::string> sni_lookup_keys(std::string_view name) {
  std::vector<std::string> keys{std::string(name)};
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1))
    keys.emplace_back(name.substr(dot));
  return keys;
}

/// Tables report to one sink as long as they live; whoever asks has another each time.
class SniMaps::Warnings final : public DiagnosticSink {
 public:
  void report(libconf::Diagnostic diagnostic) override {
    if (target != nullptr) target->report(std::move(diagnostic));
  }
  /// Of the lookup in this thread: while it waits, another session may ask in another thread.
  static inline thread_local DiagnosticSink* target = nullptr;
};

struct SniMaps::Source {
  std::string spec;
  std::unique_ptr<libmaps::Table> table;  ///< Null: it could not be opened.
};

SniMaps::SniMaps() : warnings_(std::make_unique<Warnings>()) {}
SniMaps::SniMaps(SniMaps&&) noexcept = default;
SniMaps& SniMaps::operator=(SniMaps&&) noexcept = default;
SniMaps::~SniMaps() = default;

Result<SniMaps> SniMaps::open(const libconf::Settings& settings, DiagnosticSink& sink) {
  Result<std::string> list = settings.get("tls_server_sni_maps");
  if (!list) return list.error();
  SniMaps maps;
  maps.warnings_->target = &sink;
  const libmaps::TableContext context{.settings = settings,
                                      .warnings = *maps.warnings_,
                                      .options = {.load_files = true, .decode_files = true}};
  std::string_view rest = *list;
  while (const std::optional<std::string_view> spec =
             libconf::next_braced_word(rest, libconf::kListSeparators)) {
    Result<std::unique_ptr<libmaps::Table>> table = open_table(*spec, context);
    if (!table)
      sink.report({.severity = Severity::kError, .code = "sni-table", .message = table.error().message});
    maps.sources_.push_back({std::string(*spec), table ? std::move(*table) : nullptr});
  }
  maps.warnings_->target = nullptr;
  return maps;
}

Result<std::optional<std::string>> SniMaps::find(std::string_view name, DiagnosticSink& sink) {
  warnings_->target = &sink;
  Result<std::optional<std::string>> found = std::optional<std::string>();
  for (const std::string& key : sni_lookup_keys(name)) {
    for (const Source& source : sources_) {
      if (source.table != nullptr) found = source.table->lookup(key);
      if (source.table == nullptr || !found) {
        sink.warn("sni-lookup", concat(source.spec, " lookup error for \"", key, "\""));
        found = Error{.kind = ErrorKind::kTemporary,
                      .message = concat("tls_server_sni_maps: ", name, " map lookup problem")};
      }
      if (!found || *found) {
        warnings_->target = nullptr;
        return found;
      }
    }
  }
  warnings_->target = nullptr;
  return found;
}

}  // namespace mta
