#include "tools/postlint/report.h"

#include <algorithm>
#include <array>

namespace postlint {
namespace {

constexpr std::array kFormats = {
    Format{"jsonl", "a JSON object a line", write_jsonl},
    Format{"text", "for people", write_text},
};

}  // namespace

std::span<const Format> all_formats() { return kFormats; }

const Format* find_format(std::string_view name) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(),
                                  [&](const Format& format) { return format.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

}  // namespace postlint
