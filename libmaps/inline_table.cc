#include "libmaps/inline_table.h"

#include "libconf/text.h"
#include "libmaps/checked_table.h"
#include "libmaps/composite.h"
#include "libmaps/file_value.h"
#include "libmaps/map_table.h"

namespace libmaps {
namespace {

Error syntax_error(std::string_view what, std::string_view name, const TableContext& context) {
  const std::string_view form = context.options.load_files ? "filename" : "value";
  return {.kind = ErrorKind::kSyntax,
          .message = libconf::concat(what, ": \"inline:", name, "\"; need \"inline:{name=", form, "...}\"")};
}

}  // namespace

Result<std::unique_ptr<IterableTable>> open_inline(std::string_view name, const TableContext& context) {
  const auto words = braced_words("inline", name, "name=value");
  if (!words) return words.error();
  const KeyRules rules(KeyKind::kFixed, context);
  MapTable::Entries entries;
  std::string folded;
  for (std::string_view word : *words) {
    if (word.starts_with('{')) word = word.substr(1, word.size() - 2);
    libconf::NameValue entry;
    // An empty key is one like others.
    if (libconf::split_name_value(word, entry) == libconf::NameValueFault::kMissingEquals)
      return syntax_error(libconf::describe(libconf::NameValueFault::kMissingEquals), name, context);
    Result<std::string> value{std::string(entry.value)};
    if (context.options.load_files) value = encode_files(entry.value);
    if (!value) return syntax_error(value.error().message, name, context);
    entries.insert_or_assign(std::string(rules.fold(entry.name, folded)), std::move(*value));
  }
  return std::make_unique<MapTable>(libconf::concat("inline:", name), std::move(entries));
}

}  // namespace libmaps
