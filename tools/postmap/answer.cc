#include "tools/postmap/answer.h"

#include "libconf/text.h"

namespace postmap {

void append_answer(std::string& out, const Session& session, std::string_view key, std::string_view value) {
  if (session.options().json) {
    out += libconf::concat("{", libconf::json_quote(key), ": ", libconf::json_quote(value), "}\n");
  } else {
    out.append(key).append(session.program().key_end).append("\t").append(value).append("\n");
  }
}

void warn_of_empty_value(const Session& session, std::string_view table, std::string_view key) {
  session.warnings().warn(
      "empty-value", libconf::concat("table ", table, ": key ", key, ": empty string result is not allowed"));
  session.warnings().warn("empty-value",
                          libconf::concat("table ", table, " should return NO RESULT in case of NOT FOUND"));
}

}  // namespace postmap
