#include "libmaps/nis_lookup.h"

#include <array>
#include <cstring>

#include "libconf/text.h"
#include "libmaps/call_within.h"
#include "libmaps/lookup_error.h"

namespace libmaps {
namespace {

using libconf::concat;

/// What the server knows of a key, and the form of keys that the table has.
struct Match {
  std::optional<std::string> value;
  NullTermination form;
};

Result<Match> match_either_form(const NisMatch& match, const std::string& domain, const std::string& map,
                                const std::string& key, NullTermination form) {
  struct Attempt {
    NullTermination form;
    std::string key;
  };
  const std::array attempts = {Attempt{NullTermination::kAlways, key + '\0'},
                               Attempt{NullTermination::kNever, key}};
  for (const Attempt& attempt : attempts) {
    if (form != NullTermination::kEither && form != attempt.form) continue;
    Result<std::optional<std::string>> value = match(domain, map, attempt.key);
    if (!value) return value.error();
    if (*value) return Match{.value = std::move(*value), .form = attempt.form};
  }
  return Match{.value = std::nullopt, .form = form};
}

class NisTable final : public Table {
 public:
  NisTable(std::string_view map, NisClient client, const TableContext& context)
      : Table(concat("nis:", map)),
        map_(map),
        client_(std::move(client)),
        warnings_(context.warnings),
        form_(context.options.null_termination) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    if (client_.domain.empty()) return std::optional<std::string>();
    Result<Match> found = call_within<Match>(
        client_.limit, [match = client_.match, domain = client_.domain, map = map_, key = std::string(key),
                        form = form_] { return match_either_form(match, domain, map, key, form); });
    if (!found) {
      warnings_.warn("nis-failed", concat("lookup ", key, ", NIS domain ", client_.domain, ", map ", map_,
                                          ": ", found.error().message));
      return lookup_error(0);
    }
    form_ = found->form;
    if (found->value) found->value->resize(std::strlen(found->value->c_str()));
    return std::move(found->value);
  }

 private:
  std::string map_;
  NisClient client_;
  libconf::DiagnosticSink& warnings_;
  NullTermination form_;
};

}  // namespace

std::unique_ptr<Table> open_nis_map(std::string_view map, NisClient client, const TableContext& context) {
  if (client.domain.empty())
    context.warnings.warn("no-nis-domain", "dict_nis_init: NIS domain name not set - NIS lookups disabled");
  return std::make_unique<NisTable>(map, std::move(client), context);
}

}  // namespace libmaps
