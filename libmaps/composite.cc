#include "libmaps/composite.h"

#include "libconf/text.h"
#include "libmaps/open.h"

namespace libmaps {

Result<std::vector<std::string_view>> braced_words(std::string_view type, std::string_view name,
                                                   std::string_view what) {
  std::vector<std::string_view> words;
  if (name.starts_with('{') && libconf::balanced_length(name) == name.size()) {
    std::string_view rest = name.substr(1, name.size() - 2);
    while (const auto word = libconf::next_braced_word(rest, libconf::kListSeparators))
      words.push_back(*word);
  }
  if (words.empty())
    return Error{.kind = ErrorKind::kSyntax,
                 .message = libconf::concat("bad syntax: \"", type, ":", name, "\"; need \"", type, ":{",
                                            what, "...}\"")};
  return words;
}

Result<std::vector<std::unique_ptr<Table>>> open_members(std::string_view type, std::string_view name,
                                                         const TableContext& context) {
  const auto words = braced_words(type, name, "type:name");
  if (!words) return words.error();
  TableContext member_context = context;
  member_context.options.decode_files = false;  // Only what comes out at the end is a file.
  std::vector<std::unique_ptr<Table>> members;
  for (const std::string_view word : *words) {
    auto member = open(word, member_context);
    if (!member) return member.error();
    members.push_back(std::move(*member));
  }
  return members;
}

}  // namespace libmaps
