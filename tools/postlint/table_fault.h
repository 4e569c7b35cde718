/// What is wrong inside of lookup tables, found in one pass over each.
///
///     for (const TableFault& fault : site.table_faults())
///       if (fault.kind == TableFaultKind::kDuplicateKey) findings.add(fault.place, fault.message);
///
/// Of each kind, a table gives the first few; the last of them tells how many there are.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/postlint/finding.h"

namespace postlint {

class SiteModel;

enum class TableFaultKind : std::uint8_t {
  kSyntax,        ///< A line that postmap or the daemon skips.
  kOtherFormat,   ///< The file is an alias file, or should be one.
  kDuplicateKey,  ///< The first value counts.
  kDeadKey,       ///< Nobody looks up a key of this form.
  kShadowed,      ///< An earlier entry matches all that this one can.
  kBadGroup,      ///< $n without a group.
  kOpenDot,       ///< A dot of a domain that matches any character.
  kNoAnchor,      ///< A pattern for a domain that others match, too.
  kBacktracking,  ///< Exponential time.
  kAccessAction,  ///< The value is no action of access(5).
  kCheckAction,   ///< The value is no action of header_checks(5).
  kTlsPolicy,     ///< The value is no TLS level.
  kPasswordForm,  ///< The value is not user:password.
  kNumberForm,    ///< The value is no number.
  kStale,         ///< The index does not say what the source says.
  kOtherBuilder,  ///< The index was built by the wrong program.
  kCount,
};

struct TableFault {
  TableFaultKind kind;
  Place place;
  std::string message;
};

/// Takes faults of one table, and keeps the first few of each kind. Not thread-safe.
class TableFaults {
 public:
  explicit TableFaults(std::string file) : file_(std::move(file)) {}

  void add(TableFaultKind kind, int line, std::string message);

  /// Whether another one of the kind would be kept: saves making its message.
  bool wants(TableFaultKind kind) const { return counts_[static_cast<std::size_t>(kind)] < kMost; }
  /// One that is not wanted.
  void count(TableFaultKind kind) { ++counts_[static_cast<std::size_t>(kind)]; }

  /// All, and for each kind with more than are kept, how many there are.
  std::vector<TableFault> finish();

  const std::string& file() const { return file_; }

 private:
  static constexpr std::size_t kMost = 10;

  std::string file_;
  std::vector<TableFault> faults_;
  std::array<std::size_t, static_cast<std::size_t>(TableFaultKind::kCount)> counts_{};
};

/// All tables of the site.
std::vector<TableFault> find_table_faults(const SiteModel& site);

}  // namespace postlint
