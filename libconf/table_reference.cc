#include "libconf/table_reference.h"

#include "libconf/braces.h"
#include "libconf/text.h"

namespace libconf {
namespace {

/// Nested braces are bounded by the text's length; this bounds the stack.
constexpr int kMaxNesting = 100;

struct TableWalk {
  std::string_view label;
  DiagnosticSink& sink;
  const std::function<void(std::string_view, std::string_view)>& visit;

  void walk(std::string_view value, int depth) {
    if (depth > kMaxNesting) return;
    while (const auto word = next_braced_word(value, kListSeparators)) {
      const std::size_t colon = word->find_first_of(":{");
      const bool has_type = colon != std::string_view::npos && (*word)[colon] == ':';
      const std::string_view name = has_type ? word->substr(colon + 1) : *word;
      if (name.starts_with('{')) {
        walk(strip_braces(name, label, sink), depth + 1);
      } else if (has_type) {
        visit_table(word->substr(0, colon), name);
      }
    }
  }

  void visit_table(std::string_view type, std::string_view name) {
    while (type == "proxy") {
      const std::size_t colon = name.find(':');
      if (colon == std::string_view::npos) return;
      type = name.substr(0, colon);
      name.remove_prefix(colon + 1);
    }
    visit(type, name);
  }
};

}  // namespace

void for_each_table(std::string_view value, std::string_view label, DiagnosticSink& sink,
                    const std::function<void(std::string_view, std::string_view)>& visit) {
  TableWalk{label, sink, visit}.walk(value, 0);
}

}  // namespace libconf
