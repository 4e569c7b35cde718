#include "tools/postlint/suppressions.h"

#include <algorithm>

#include "libconf/lines.h"
#include "libconf/text.h"
#include "libconf/value.h"

namespace postlint {
namespace {

/// Reads a comment; false: it is any other one.
bool read_comment(std::string_view text, IgnoreComment& comment) {
  constexpr std::string_view kMark = "postlint:";
  text = libconf::trim(text);
  while (text.starts_with('#')) text.remove_prefix(1);
  text = libconf::trim(text);
  if (!text.starts_with(kMark)) return false;
  text = libconf::trim(text.substr(kMark.size()));
  for (const std::string_view verb : {"ignore-file=", "ignore="}) {
    if (!text.starts_with(verb)) continue;
    text.remove_prefix(verb.size());
    const std::size_t end = std::min(text.find_first_of(libconf::kBlanks), text.size());
    comment.rules = libconf::parse_list(text.substr(0, end));
    comment.reason = libconf::trim(text.substr(end));
    comment.is_for_file = verb == "ignore-file=";
    return true;
  }
  return false;
}

}  // namespace

std::vector<IgnoreComment> ignore_comments(std::string_view text) {
  std::vector<IgnoreComment> out;
  if (text.find("postlint:") == std::string_view::npos) return out;
  const libconf::Lines lines(text);
  std::size_t open = 0;  // The comments from here on wait for their line.
  for (std::size_t i = 0; i < lines.physical().size(); ++i) {
    const libconf::LineKind kind = lines.physical()[i].kind;
    if (kind == libconf::LineKind::kBlank) continue;
    const int number = static_cast<int>(i) + 1;
    if (kind == libconf::LineKind::kComment) {
      IgnoreComment comment{.line = number};
      if (read_comment(lines.content(i), comment)) out.push_back(std::move(comment));
      continue;
    }
    int last = number;
    if (kind == libconf::LineKind::kStart)
      for (const libconf::LogicalLine& line : lines.logical())
        if (line.first == i) last = static_cast<int>(line.last) + 1;
    for (; open < out.size(); ++open) {
      out[open].first = number;
      out[open].last = last;
    }
  }
  return out;
}

bool Suppressions::has(const Finding& finding) {
  auto found = files_.find(finding.place.file);
  if (found == files_.end())
    found = files_.emplace(finding.place.file, ignore_comments(site_.source(finding.place.file))).first;
  return std::any_of(found->second.begin(), found->second.end(), [&](const IgnoreComment& comment) {
    const int line = finding.place.line;
    if (!comment.is_for_file && (line < comment.first || line > comment.last || comment.first == 0))
      return false;
    return std::find(comment.rules.begin(), comment.rules.end(), finding.rule) != comment.rules.end();
  });
}

}  // namespace postlint
