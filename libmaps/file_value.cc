#include "libmaps/file_value.h"

#include "libconf/file.h"
#include "libconf/text.h"
#include "libmaps/base64.h"

namespace libmaps {

libconf::Result<std::string> encode_files(std::string_view names) {
  std::string content;
  bool is_first = true;
  while (const auto file = libconf::next_word(names, libconf::kListSeparators)) {
    const libconf::Result<std::string> bytes = libconf::read_file(std::string(*file));
    if (!bytes) return bytes.error();
    if (!is_first) content += '\n';
    is_first = false;
    content += *bytes;
  }
  return encode_base64(content);
}

}  // namespace libmaps
