#include "tools/postlint/table_fault.h"

#include <algorithm>
#include <utility>

#include "libconf/text.h"
#include "libmaps/table_types.h"
#include "tools/postlint/site_model.h"
#include "tools/postlint/table_purpose.h"
#include "tools/postlint/table_scan.h"

namespace postlint {

using libconf::concat;

void TableFaults::add(TableFaultKind kind, int line, std::string message) {
  if (wants(kind)) faults_.push_back({kind, {.file = file_, .line = line}, std::move(message)});
  count(kind);
}

std::vector<TableFault> TableFaults::finish() {
  for (std::size_t kind = 0; kind < counts_.size(); ++kind) {
    if (counts_[kind] <= kMost) continue;
    const auto last = std::find_if(faults_.rbegin(), faults_.rend(), [&](const TableFault& fault) {
      return fault.kind == static_cast<TableFaultKind>(kind);
    });
    last->message += concat(" (and so on: ", std::to_string(counts_[kind]), " in all)");
  }
  return std::move(faults_);
}

namespace {

std::vector<TableFault> scan(const SiteModel& site, const TableJob& job, std::string file) {
  TableFaults faults(std::move(file));
  if (job.type == "cidr")
    scan_networks(site, job, faults);
  else if (job.type == "pcre" || job.type == "regexp")
    scan_patterns(site, job, faults);
  else
    scan_entries(site, job, faults);
  return faults.finish();
}

}  // namespace

std::vector<TableFault> find_table_faults(const SiteModel& site) {
  std::vector<TableFault> all;
  for (const TableJob& job : table_jobs(site)) {
    if (site.files().state(job.name) != FileState::kPresent) continue;
    std::vector<TableFault> found = scan(site, job, *site.files().path(job.name));
    all.insert(all.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  return all;
}

}  // namespace postlint
