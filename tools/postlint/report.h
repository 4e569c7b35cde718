/// What the audits of one run found, and the formats to write it in.
///
///     const Format* format = find_format("sarif");
///     std::string text = format->write(report);
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/postlint/audit.h"
#include "tools/postlint/site_model.h"

namespace postlint {

/// One configuration and what was found in it.
struct AuditedSite {
  const SiteModel* site;
  AuditResult result;
};

/// How many findings there are of each severity, at its number.
using SeverityCounts = std::array<std::size_t, 3>;

/// "1 error, 0 warnings, 2 info".
std::string to_string(const SeverityCounts& counts);

struct Report {
  std::vector<AuditedSite> sites = {};
  bool is_coloured = false;
  std::string version = {};  ///< Of postlint.
};

struct Format {
  std::string_view name;
  std::string_view description;
  std::string (*write)(const Report& report);
};

/// Constant; thread-safe.
std::span<const Format> all_formats();
const Format* find_format(std::string_view name);

std::string write_checkstyle(const Report& report);
std::string write_github(const Report& report);
std::string write_gitlab(const Report& report);
std::string write_html(const Report& report);
std::string write_jsonl(const Report& report);
std::string write_junit(const Report& report);
std::string write_sarif(const Report& report);
std::string write_text(const Report& report);

}  // namespace postlint
