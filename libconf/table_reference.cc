#include "libconf/table_reference.h"

#include "libconf/braces.h"
#include "libconf/text.h"

namespace libconf {
namespace {

/// Nested braces are bounded by the text's length; this bounds the stack.
constexpr int kMaxNesting = 100;

/// Splits "type:" off the front of `name`; false: there is none.
bool take_type(std::string_view& name, std::string_view& type) {
  const std::size_t end = name.find_first_of(":{");
  if (end == std::string_view::npos || name[end] != ':') return false;
  type = name.substr(0, end);
  name.remove_prefix(end + 1);
  return true;
}

struct TableWalk {
  std::string_view label;
  DiagnosticSink& sink;
  const std::function<void(std::string_view, std::string_view)>& visit;

  void walk(std::string_view value, int depth) {
    constexpr std::string_view kProxy = "proxy";
    if (depth > kMaxNesting) return;
    while (const auto word = next_braced_word(value, kListSeparators)) {
      // A word without a type is no table, as proxy: without one is none.
      std::string_view type = kProxy;
      std::string_view name = *word;
      while (type == kProxy && take_type(name, type)) {
      }
      if (name.starts_with('{')) {
        walk(strip_braces(name, label, sink), depth + 1);
      } else if (type != kProxy) {
        visit(type, name);
      }
    }
  }
};

}  // namespace

void for_each_table(std::string_view value, std::string_view label, DiagnosticSink& sink,
                    const std::function<void(std::string_view, std::string_view)>& visit) {
  TableWalk{label, sink, visit}.walk(value, 0);
}

}  // namespace libconf
