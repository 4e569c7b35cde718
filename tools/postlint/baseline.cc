#include "tools/postlint/baseline.h"

#include <algorithm>
#include <filesystem>

#include "libconf/file.h"
#include "libconf/text.h"

namespace postlint {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::string_view kHeading =
    "# Known findings of postlint: fingerprint, rule, place. New ones are not added.\n";
constexpr std::size_t kFingerprintSize = 16;

std::string text_with(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  std::string out(kHeading);
  for (const std::string& line : lines) out += concat(line, "\n");
  return out;
}

bool is_fingerprint(std::string_view text) {
  return text.size() == kFingerprintSize &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<Baseline> Baseline::load(const std::string& file) {
  std::error_code failed;
  if (!std::filesystem::exists(file, failed) && !failed) return Baseline();
  const Result<std::string> text = libconf::read_file(file);
  if (!text) return text.error();
  return parse(*text, file);
}

Result<Baseline> Baseline::parse(std::string_view text, std::string_view file) {
  Baseline out;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = libconf::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const std::string_view fingerprint = line.substr(0, line.find('\t'));
    if (!is_fingerprint(fingerprint))
      return libconf::Error{.kind = libconf::ErrorKind::kSyntax,
                            .message = concat(file, ", line ", std::to_string(number), ": no fingerprint")};
    out.entries_.emplace(fingerprint, Entry{std::string(line)});
  }
  return out;
}

std::size_t Baseline::take_known(std::vector<Finding>& findings) {
  return std::erase_if(findings, [&](const Finding& finding) {
    const auto [first, last] = entries_.equal_range(finding.fingerprint);
    const auto entry = std::find_if(first, last, [](const auto& each) { return !each.second.is_taken; });
    if (entry == last) return false;
    entry->second.is_taken = true;
    return true;
  });
}

std::size_t Baseline::gone() const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                [](const auto& each) { return !each.second.is_taken; }));
}

std::string Baseline::shrunk() const {
  std::vector<std::string> lines;
  for (const auto& [fingerprint, entry] : entries_)
    if (entry.is_taken) lines.push_back(entry.line);
  return text_with(std::move(lines));
}

std::string Baseline::text_of(const std::vector<Finding>& findings) {
  std::vector<std::string> lines;
  lines.reserve(findings.size());
  for (const Finding& finding : findings)
    lines.push_back(concat(finding.fingerprint, "\t", finding.rule, "\t", finding.place.file));
  return text_with(std::move(lines));
}

}  // namespace postlint
