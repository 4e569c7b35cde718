#include "tools/mta/access/access_tables.h"

#include <utility>

#include "libconf/text.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libmaps::AddressMatch;

class AccessTables::Relay final : public libconf::DiagnosticSink {
 public:
  void report(libconf::Diagnostic diagnostic) override {
    if (target != nullptr) target->report(std::move(diagnostic));
  }
  /// Of the lookup in this thread: while it waits, another session may ask the same table in another thread.
  static inline thread_local libconf::DiagnosticSink* target = nullptr;
};

/// One table, twice where it is asked both ways.
struct AccessTables::Tables {
  std::unique_ptr<libmaps::AddressLookup> lookup;
  std::unique_ptr<libmaps::Table> exact;
};

AccessTables::AccessTables(const libconf::Settings& settings, libmaps::AddressRules rules)
    : settings_(settings), rules_(std::move(rules)), relay_(std::make_unique<Relay>()) {}

AccessTables::~AccessTables() = default;

Result<AccessTables::Tables*> AccessTables::open(std::string_view table, AccessKey kind) {
  auto& opened = tables_[std::string(table)];
  if (!opened) opened = std::make_unique<Tables>();
  const bool is_there = kind == AccessKey::kExact ? opened->exact != nullptr : opened->lookup != nullptr;
  if (is_there) return opened.get();
  auto made = open_table(table, {.settings = settings_, .warnings = *relay_});
  if (!made) return made.error();
  if (kind == AccessKey::kExact) {
    opened->exact = std::move(*made);
  } else {
    std::vector<std::unique_ptr<libmaps::Table>> tables;
    tables.push_back(std::move(*made));
    opened->lookup =
        std::make_unique<libmaps::AddressLookup>(libmaps::LookupKind::kAccess, std::move(tables), rules_);
  }
  return opened.get();
}

Result<std::optional<AddressMatch>> AccessTables::find(std::string_view table, AccessKey kind,
                                                       std::string_view key,
                                                       libconf::DiagnosticSink& warnings) {
  relay_->target = &warnings;
  const auto failed = [&](libconf::Error error) {
    error.message = concat(table, " lookup error for \"", key, "\"");
    return error;
  };
  auto opened = open(table, kind);
  if (!opened) return failed(opened.error());
  switch (kind) {
    case AccessKey::kMailAddress:
      return (*opened)->lookup->find(key);
    case AccessKey::kHostName:
      return (*opened)->lookup->find_host(key);
    case AccessKey::kClientAddress: {
      const auto address = libmaps::parse_ip_address(key);
      if (!address) return std::optional<AddressMatch>();
      return (*opened)->lookup->find_client(*address);
    }
    case AccessKey::kExact:
      break;
  }
  auto value = (*opened)->exact->lookup(key);
  if (!value) return failed(value.error());
  if (!*value) return std::optional<AddressMatch>();
  std::optional<AddressMatch> match(std::in_place);
  match->value = std::move(**value);
  match->key = {.form = libmaps::KeyForm::kAddress, .text = std::string(key)};
  match->table = (*opened)->exact->name();
  return match;
}

}  // namespace mta
