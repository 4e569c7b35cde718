/// One pass over a table of each sort; for table_fault.h.
#pragma once

#include <functional>
#include <string_view>

#include "tools/postlint/table_fault.h"
#include "tools/postlint/table_purpose.h"

namespace postlint {

/// Tells what is wrong with values, by what the table is for. A table of a hundred thousand entries has few
/// different values: each is looked at once.
class ValueCheck {
 public:
  using Report = std::function<void(TableFaultKind kind, std::string message)>;

  /// `site` and `job` must outlive it.
  ValueCheck(const SiteModel& site, const TableJob& job) : site_(site), job_(job) {}

  void check(std::string_view value, const Report& report);

 private:
  const SiteModel& site_;
  const TableJob& job_;
  std::string last_;  ///< The last one that was well.
};

/// Tables with `key value` lines: hash and the like, and texthash.
void scan_entries(const SiteModel& site, const TableJob& job, TableFaults& faults);

/// cidr_table(5)
void scan_networks(const SiteModel& site, const TableJob& job, TableFaults& faults);

/// pcre_table(5), regexp_table(5)
void scan_patterns(const SiteModel& site, const TableJob& job, TableFaults& faults);

}  // namespace postlint
