// Settings files of the auditor, baselines and comments, of any bytes: each is read to its end or refused
// with a line that the text has; what was read says the same when it is written and read again.
#include <algorithm>

#include "tests/fuzz/property.h"
#include "tools/postlint/baseline.h"
#include "tools/postlint/json_reader.h"
#include "tools/postlint/json_writer.h"
#include "tools/postlint/suppressions.h"

namespace {

void write(postlint::JsonWriter& json, const postlint::JsonValue& value) {
  if (const std::string* text = value.string()) {
    json.value(*text);
  } else if (const auto* items = value.array()) {
    json.begin_array();
    for (const postlint::JsonValue& item : *items) write(json, item);
    json.end_array();
  } else if (const auto* members = value.object()) {
    json.begin_object();
    for (const auto& [name, member] : *members) {
      json.key(name);
      write(json, member);
    }
    json.end_object();
  } else {
    json.value(value.boolean() != nullptr && *value.boolean());
  }
}

std::string written(const postlint::JsonValue& value) {
  postlint::JsonWriter json;
  write(json, value);
  return json.text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  if (const auto value = postlint::parse_json(text, "f")) {
    // Bytes that are not UTF-8 are replaced the first time, which may make two names one.
    const auto again = postlint::parse_json(written(*value), "f");
    require(again.has_value(), "what is written can be read");
    const auto third = postlint::parse_json(written(*again), "f");
    require(third.has_value() && written(*third) == written(*again), "it says the same");
  }
  const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const postlint::IgnoreComment& comment : postlint::ignore_comments(text)) {
    require(comment.line >= 1 && comment.line <= lines, "a comment has a line of the text");
    require(comment.first == 0 ||
                (comment.first > comment.line && comment.last >= comment.first && comment.last <= lines),
            "it counts for lines behind it");
  }
  if (auto baseline = postlint::Baseline::parse(text, "f")) {
    std::vector<postlint::Finding> none;
    require(baseline->take_known(none) == 0, "nothing is known of nothing");
    require(postlint::Baseline::parse(baseline->shrunk(), "f")->gone() == 0,
            "a baseline without entries is empty");
  }
  return 0;
}
