/// What an audit of a configuration finds.
///
///     findings.add(site.place_of(settings, "mynetworks", "0.0.0.0/0"), "every client is trusted");
///
/// Plain data.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/master_cf_document.h"

namespace postlint {

using libconf::Severity;

/// A part of a line of a file. Lines and columns count from 1, columns in bytes; `end_column` is behind the
/// last one. 0: not known; then the whole line, or the whole file, is meant.
struct Place {
  std::string file = {};
  int line = 0;
  int column = 0;
  int end_column = 0;
};

/// An edit that mends a finding without changing what else the configuration means. `main_cf` sets parameters
/// (without a value: the entry is removed), `dropped_lines` removes the entries of main.cf that start in
/// these lines, `master_cf` changes entries of master.cf.
struct Fix {
  struct Setting {
    std::string name;
    std::optional<std::string> value;
  };
  std::vector<Setting> main_cf = {};
  std::vector<int> dropped_lines = {};
  std::vector<libconf::MasterCfChange> master_cf = {};
};

struct Finding {
  std::string_view rule;  ///< The id of a row of the rule table.
  Severity severity = Severity::kWarning;
  Place place = {};
  std::string message = {};  ///< What is wrong here, in one line.
  std::optional<Fix> fix = {};
  std::string fingerprint = {};  ///< The same when lines around the finding change; see fingerprint.h.
};

/// What a rule reports to: see Audit.
class Findings {
 public:
  virtual ~Findings() = default;
  virtual void add(Place place, std::string message, std::optional<Fix> fix = std::nullopt) = 0;
};

/// "error", "warning", "info", and back.
std::string_view severity_name(Severity severity);
std::optional<Severity> find_severity(std::string_view name);

}  // namespace postlint
