#include "libconf/table_reference.h"

#include "libconf/text.h"

namespace libconf {
namespace {

/// Nested tables are bounded by the text's length; this bounds the stack.
constexpr int kMaxNesting = 100;

void visit_words(std::string_view value, int depth,
                 const std::function<void(std::string_view, std::string_view)>& visit) {
  if (depth > kMaxNesting) return;
  while (const auto word = next_braced_word(value, ", \t\r\n")) {
    std::string_view table = *word;
    constexpr std::string_view kProxy = "proxy:";
    while (table.starts_with(kProxy)) table.remove_prefix(kProxy.size());
    const std::size_t colon = table.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view type = table.substr(0, colon);
    const std::string_view name = table.substr(colon + 1);
    if ((type == "pipemap" || type == "unionmap") && name.starts_with('{')) {
      const std::size_t length = balanced_length(name);
      if (length != std::string_view::npos) visit_words(name.substr(1, length - 2), depth + 1, visit);
    } else {
      visit(type, name);
    }
  }
}

}  // namespace

void for_each_table(std::string_view value,
                    const std::function<void(std::string_view, std::string_view)>& visit) {
  visit_words(value, 0, visit);
}

}  // namespace libconf
