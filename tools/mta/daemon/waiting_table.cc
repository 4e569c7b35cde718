#include "tools/mta/daemon/waiting_table.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "libconf/settings.h"
#include "libconf/text.h"
#include "libmaps/open.h"
#include "libmaps/table_types.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/daemon/table_observer.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using libmaps::Table;
using libmaps::TableContext;

/// Whether `spec` is of that type, or is a table of tables, "unionmap:{...}", that may have one of it.
bool mentions(std::string_view spec, std::string_view type) {
  return spec.find(concat(type, ":")) != std::string_view::npos;
}

bool may_wait(std::string_view spec) {
  const auto types = libmaps::table_types();
  return std::any_of(types.begin(), types.end(), [&](const libmaps::TableType& type) {
    return type.asks_server && mentions(spec, type.name);
  });
}

/// A table, and what it may read when it is asked: settings are not thread-safe.
struct Instance {
  explicit Instance(const libconf::Settings& theirs) : settings(theirs) {}
  libconf::Settings settings;
  std::unique_ptr<Table> table;  ///< Null: not open yet.
};

Result<void> open_instance(Instance& instance, std::string_view spec, const TableContext& context) {
  auto table = libmaps::open(spec, {.settings = instance.settings,
                                    .warnings = context.warnings,
                                    .options = context.options,
                                    .match_domains = context.match_domains});
  if (!table) return table.error();
  instance.table = std::move(*table);
  return {};
}

class WaitingTable final : public Table {
 public:
  WaitingTable(std::string_view spec, const TableContext& context, std::unique_ptr<Instance> first)
      : Table(first->table ? first->table->name() : std::string(spec)), spec_(spec), context_(context) {
    idle_.push_back(std::move(first));
  }

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    if (idle_.empty()) idle_.push_back(std::make_unique<Instance>(context_.settings));
    std::unique_ptr<Instance> instance = std::move(idle_.back());
    idle_.pop_back();
    auto value = ask(*instance, key);
    idle_.push_back(std::move(instance));
    return value;
  }

 private:
  Result<std::optional<std::string>> ask(Instance& instance, std::string_view key) const {
    const EventLoop::Pause pause;
    if (!instance.table)
      if (Result<void> opened = open_instance(instance, spec_, context_); !opened) return opened.error();
    return instance.table->lookup(key);
  }

  const std::string spec_;
  const TableContext context_;
  std::vector<std::unique_ptr<Instance>> idle_;
};

/// As open_table(), with the error.
Result<std::unique_ptr<Table>> open_now(std::string_view spec, const TableContext& context) {
  if (!may_wait(spec)) return libmaps::open(spec, context);
  auto first = std::make_unique<Instance>(context.settings);
  // proxymap is asked to open its table. It may be served by this very process, which then must not wait for
  // it here; the first lookup opens what is behind it.
  if (!mentions(spec, "proxy"))
    if (Result<void> opened = open_instance(*first, spec, context); !opened) return opened.error();
  return std::unique_ptr<Table>(std::make_unique<WaitingTable>(spec, context, std::move(first)));
}

/// A table that could not be opened yet.
class MissingTable final : public Table {
 public:
  MissingTable(std::string_view spec, const TableContext& context)
      : Table(std::string(spec)), context_(context) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    if (!table_) {
      auto opened = open_now(name(), context_);
      if (!opened) {
        context_.warnings.warn("table-unavailable",
                               concat(name(), " is unavailable. ", opened.error().message));
        return Error{.kind = ErrorKind::kConfiguration, .message = {}};
      }
      table_ = std::move(*opened);
    }
    return table_->lookup(key);
  }

 private:
  const TableContext context_;
  std::unique_ptr<Table> table_;
};

/// A table whose lookups are told.
class ObservedTable final : public Table {
 public:
  ObservedTable(std::string_view spec, std::unique_ptr<Table> table, TableObserver& observer)
      : Table(table->name()), spec_(spec), table_(std::move(table)), observer_(observer) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    auto value = table_->lookup(key);
    observer_.looked_up(spec_, key, value);
    return value;
  }
  Result<void> hold() override { return table_->hold(); }
  void release() override { table_->release(); }
  void expect(std::string_view key) override { table_->expect(key); }
  std::size_t lookahead() const override { return table_->lookahead(); }

 private:
  const std::string spec_;
  const std::unique_ptr<Table> table_;
  TableObserver& observer_;
};

Result<std::unique_ptr<Table>> open_or_try_later(std::string_view spec, const TableContext& context) {
  auto table = open_now(spec, context);
  if (table || spec.find(':') == std::string_view::npos) return table;
  context.warnings.report(
      {.severity = libconf::Severity::kError, .code = "table-unavailable", .message = table.error().message});
  return std::unique_ptr<Table>(std::make_unique<MissingTable>(spec, context));
}

}  // namespace

Result<std::unique_ptr<Table>> open_table(std::string_view spec, const TableContext& context) {
  TableObserver* const observer = TableObservation::current();
  if (observer == nullptr) return open_or_try_later(spec, context);
  TableContext direct = context;
  direct.options.bypass_proxy = true;
  auto table = open_or_try_later(observer->open_as(spec), direct);
  if (!table) return table;
  return std::unique_ptr<Table>(std::make_unique<ObservedTable>(spec, std::move(*table), *observer));
}

Result<std::vector<std::unique_ptr<Table>>> open_tables(std::string_view parameter,
                                                        const TableContext& context) {
  const Result<std::string> value = context.settings.get(parameter);
  if (!value) return value.error();
  std::vector<std::unique_ptr<Table>> tables;
  std::string_view rest = *value;
  while (const auto spec = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    Result<std::unique_ptr<Table>> table = open_table(*spec, context);
    if (!table) return table.error();
    tables.push_back(std::move(*table));
  }
  return tables;
}

Result<libmaps::MatchList> open_list(std::string_view parameter, libmaps::MatchRules rules,
                                     const TableContext& context) {
  const Result<std::string> value = context.settings.get(parameter);
  if (!value) return value.error();
  return libmaps::MatchList::parse(std::string(parameter), *value, rules,
                                   [&context](std::string_view spec) { return open_table(spec, context); });
}

}  // namespace mta
