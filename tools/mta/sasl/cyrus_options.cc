#include "tools/mta/sasl/cyrus_options.h"

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <optional>

#include "libconf/file.h"
#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

std::string small_letters(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

bool is_option_name(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return libconf::is_name_char(c) || c == '-'; });
}

}  // namespace

Result<CyrusOptions> CyrusOptions::find(std::string_view name, std::string_view path) {
  while (const std::optional<std::string_view> directory = libconf::next_word(path, ":")) {
    const std::string file = concat(*directory, "/", name, ".conf");
    if (::access(file.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) continue;
    const Result<std::string> text = libconf::read_file(file);
    if (!text) return text.error();
    return parse(*text, file);
  }
  return CyrusOptions();
}

Result<CyrusOptions> CyrusOptions::parse(std::string_view text, std::string_view file) {
  CyrusOptions options;
  int number = 0;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::string_view line = libconf::trim(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || !is_option_name(name)) {
      return Error{.kind = ErrorKind::kSyntax,
                   .message = concat(file, ", line ", std::to_string(number), ": expected \"option: value\""),
                   .file = std::string(file),
                   .line = number};
    }
    // As the library has it, the first of several counts.
    options.values_.emplace(small_letters(name), libconf::trim(line.substr(colon + 1)));
  }
  return options;
}

const std::string* CyrusOptions::get(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

}  // namespace mta
