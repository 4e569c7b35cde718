#include "libmaps/inline_table.h"

#include <map>

#include "libconf/text.h"
#include "libmaps/checked_table.h"
#include "libmaps/composite.h"
#include "libmaps/file_value.h"

namespace libmaps {
namespace {

class InlineTable final : public IterableTable {
 public:
  using Entries = std::map<std::string, std::string, std::less<>>;

  InlineTable(std::string name, Entries entries)
      : IterableTable(std::move(name)), entries_(std::move(entries)) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const auto entry = entries_.find(key);
    if (entry == entries_.end()) return std::optional<std::string>();
    return std::optional(entry->second);
  }

  Result<void> for_each(const EntryVisitor& visit) override {
    for (const auto& [key, value] : entries_)
      if (Result<void> visited = visit(key, value); !visited) return visited;
    return {};
  }

 private:
  Entries entries_;
};

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
  InlineTable::Entries entries;
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
  return std::make_unique<InlineTable>(libconf::concat("inline:", name), std::move(entries));
}

}  // namespace libmaps
