// main.cf: the document keeps every byte, and an edit sets what it says. The first line of the input is the
// edit.
#include <algorithm>

#include "libconf/main_cf_document.h"
#include "tests/fuzz/property.h"

using libconf::DiagnosticDiscard;
using libconf::MainCfDocument;

namespace {

void check_identity(const MainCfDocument& document, std::string_view text) {
  require(document.text() == text, "the document is the text");
  std::string joined;
  for (std::size_t i = 0; i < document.lines().physical().size(); ++i) joined += document.lines().bytes(i);
  require(joined == text, "the lines are the text");
}

void check_edit(std::string_view request, std::string_view text) {
  libconf::NameValue parts;
  const bool is_request = libconf::split_name_value(request, parts) == libconf::NameValueFault::kNone;
  if (!is_request || request.find('\0') != std::string_view::npos || parts.name.front() == '#') return;
  DiagnosticDiscard discard;
  libconf::MainCfEdit edit;
  edit.set(parts.name, parts.value, discard);
  const std::string changed = edit.apply(text, "main.cf", discard);
  require(edit.apply(changed, "main.cf", discard) == changed, "the same edit again changes nothing");

  const MainCfDocument document = MainCfDocument::parse(changed, "main.cf");
  bool found = false;
  for (const libconf::MainCfEntry& entry : document.entries()) {
    if (entry.fault != libconf::NameValueFault::kNone || entry.name != parts.name) continue;
    found = true;
    require(entry.value == parts.value, "every entry of the name has the new value");
  }
  require(found, "the name has an entry");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = as_text(data, size);
  const std::string_view request = take_first_line(text);
  const MainCfDocument document = MainCfDocument::parse(std::string(text), "main.cf");
  check_identity(document, text);
  DiagnosticDiscard discard;
  document.report(discard);
  if (const libconf::MainCfEntry* fault = document.first_fault())
    static_cast<void>(document.fault_error(*fault));
  check_edit(request, text);
  return 0;
}
