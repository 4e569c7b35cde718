/// A table whose entries are in memory, each with its key as it is to be matched.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "libmaps/table.h"

namespace libmaps {

class MapTable final : public IterableTable {
 public:
  using Entries = std::map<std::string, std::string, std::less<>>;

  MapTable(std::string name, Entries entries)
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

}  // namespace libmaps
