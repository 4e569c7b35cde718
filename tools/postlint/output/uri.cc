#include "tools/postlint/output/uri.h"

#include "libconf/text.h"

namespace postlint {

std::string uri_of(std::string_view file) {
  constexpr std::string_view kPlain = "/._-~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  while (file.starts_with("./")) file.remove_prefix(2);
  std::string out = file.starts_with('/') ? "file://" : "";
  for (const char c : file) {
    const auto byte = static_cast<unsigned char>(c);
    if (libconf::is_name_char(c) || kPlain.find(c) != std::string_view::npos)
      out += c;
    else
      out += {'%', kDigits[byte >> 4], kDigits[byte & 0xF]};
  }
  return out;
}

}  // namespace postlint
