#include "libmaps/inline_table.h"

#include <map>

#include "libconf/text.h"
#include "libmaps/checked_table.h"
#include "libmaps/composite.h"

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
    const libconf::NameValueFault fault = libconf::split_name_value(word, entry);
    if (fault != libconf::NameValueFault::kNone)
      return Error{.kind = ErrorKind::kSyntax,
                   .message = libconf::concat(libconf::describe(fault), ": \"inline:", name,
                                              "\"; need \"inline:{name=value...}\"")};
    entries.insert_or_assign(std::string(rules.fold(entry.name, folded)), std::string(entry.value));
  }
  return std::make_unique<InlineTable>(libconf::concat("inline:", name), std::move(entries));
}

}  // namespace libmaps
