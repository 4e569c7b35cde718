#include "tools/postlint/release_features.h"

#include <algorithm>
#include <array>
#include <span>

#include "libconf/parameter_table.h"

namespace postlint {
namespace {

/// The first patches of each stable release that have a later release's parameters.
constexpr std::array kPipelining = {Version{3, 5, 20}, Version{3, 6, 10}, Version{3, 7, 6}, Version{3, 8, 1}};
constexpr std::array kBareNewline = {Version{3, 5, 23}, Version{3, 6, 13}, Version{3, 7, 9},
                                     Version{3, 8, 4}};
constexpr std::array kNormalize = {Version{3, 5, 24}, Version{3, 6, 14}, Version{3, 7, 10}, Version{3, 8, 5}};

struct Backport {
  std::string_view parameter;
  std::span<const Version> patches;
};
constexpr std::array kBackports = {
    Backport{"cleanup_replace_stray_cr_lf", kNormalize},
    Backport{"smtpd_forbid_bare_newline", kBareNewline},
    Backport{"smtpd_forbid_bare_newline_exclusions", kBareNewline},
    Backport{"smtpd_forbid_bare_newline_reject_code", kNormalize},
    Backport{"smtpd_forbid_unauth_pipelining", kPipelining},
    Backport{"tls_config_file", kPipelining},
    Backport{"tls_config_name", kPipelining},
};

}  // namespace

bool has_parameter(const Version& release, std::string_view name) {
  const libconf::Parameter* parameter = libconf::find_parameter(name);
  if (parameter == nullptr) return false;
  const std::optional<Version> since = parse_version(parameter->since);
  if (!since || release >= *since) return true;
  const auto row = std::find_if(kBackports.begin(), kBackports.end(),
                                [&](const Backport& each) { return each.parameter == name; });
  return row != kBackports.end() &&
         std::any_of(row->patches.begin(), row->patches.end(), [&](const Version& patch) {
           return release.major == patch.major && release.minor == patch.minor &&
                  release.patch >= patch.patch;
         });
}

}  // namespace postlint
