/// Tables for tests of what asks tables.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libmaps/table.h"

namespace libmaps {

/// Has what it is given; appends each key that it is asked for to `log`, unless that is null.
class FakeTable final : public Table {
 public:
  FakeTable(std::string name, std::map<std::string, std::string, std::less<>> entries,
            std::vector<std::string>* log = nullptr)
      : Table(std::move(name)), entries_(std::move(entries)), log_(log) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    if (log_ != nullptr) log_->emplace_back(key);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<std::string, std::string, std::less<>> entries_;
  std::vector<std::string>* log_;
};

/// Can never tell.
class FailingTable final : public Table {
 public:
  using Table::Table;
  Result<std::optional<std::string>> lookup(std::string_view) override {
    return Error{.kind = ErrorKind::kTemporary, .message = "server is away"};
  }
};

}  // namespace libmaps
