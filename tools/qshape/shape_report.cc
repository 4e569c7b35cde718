#include "tools/qshape/shape_report.h"

#include <algorithm>

#include "libconf/text.h"

namespace qshape {
namespace {

using libconf::concat;

std::string right(std::string_view text, std::size_t width) {
  return concat(std::string(width - std::min(width, text.size()), ' '), text);
}

/// The end of a name says more than its start.
std::string shortened(const std::string& domain, std::size_t width) {
  if (domain.size() <= width) return domain;
  const std::string_view mark = domain.front() == '.' ? ".+" : "+";
  return concat(mark, std::string_view(domain).substr(domain.size() - (width - mark.size())));
}

}  // namespace

std::string shape_table(const AgeClasses& ages, const Counts& total, const std::vector<DomainShape>& domains,
                        std::size_t width) {
  constexpr std::size_t kNarrowestName = 18;
  constexpr std::size_t kNarrowestColumn = 2;
  std::vector<std::string> labels = ages.labels();
  labels.insert(labels.begin(), "T");
  const auto numbers = [](const Counts& counts) {
    std::vector<std::string> texts = {std::to_string(sum(counts))};
    for (const std::uint64_t count : counts) texts.push_back(std::to_string(count));
    return texts;
  };
  const std::vector<std::string> totals = numbers(total);
  std::vector<std::size_t> columns;
  std::size_t name_width = width;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    columns.push_back(1 + std::max({labels[i].size(), totals[i].size(), kNarrowestColumn}));
    name_width -= std::min(name_width, columns.back());
  }
  name_width = std::max(name_width, kNarrowestName);

  std::string out;
  const auto row = [&](const std::string& name, const std::vector<std::string>& texts) {
    out += right(name, name_width);
    for (std::size_t i = 0; i < texts.size(); ++i) out += right(texts[i], columns[i]);
    out += '\n';
  };
  row("", labels);
  row("TOTAL", totals);
  for (const DomainShape& each : domains) row(shortened(each.domain, name_width), numbers(each.counts));
  return out;
}

std::string shape_plot(const AgeClasses& ages, const Counts& total, std::size_t width) {
  const std::vector<std::string> labels = ages.labels();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string start = i == 0 ? "0" : labels[i - 1];
    names.push_back(concat(i + 1 < labels.size() ? concat(start, "-", labels[i]) : labels[i], " min"));
  }
  std::size_t name_width = 0;
  for (const std::string& name : names) name_width = std::max(name_width, name.size());
  const std::uint64_t largest = *std::max_element(total.begin(), total.end());
  const std::size_t number_width = std::to_string(largest).size();
  constexpr std::size_t kBetween = 3;
  const std::size_t taken = name_width + number_width + kBetween;
  const std::size_t room = width > taken + 1 ? width - taken : 1;
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    // What is there at all can be seen.
    const std::uint64_t length = largest == 0 ? 0 : (total[i] * room + largest - 1) / largest;
    const std::string bar(static_cast<std::size_t>(length), '#');
    out += concat(right(names[i], name_width), " ", right(std::to_string(total[i]), number_width), " |", bar,
                  "\n");
  }
  return out;
}

}  // namespace qshape
