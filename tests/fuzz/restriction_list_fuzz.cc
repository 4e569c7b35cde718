// Lists of restrictions, as main.cf and tables have them. A list that was read is read again from its own
// words.
#include "libconf/settings.h"
#include "libconf/text.h"
#include "tests/fuzz/property.h"
#include "tools/mta/access/restriction_list.h"

namespace {

std::string written(const mta::RestrictionList& list) {
  std::string out;
  // No comma at the end: braces that do not close would take it.
  for (const mta::Restriction& each : list)
    out += libconf::concat(out.empty() ? "" : ", ", each.warn_only ? "warn_if_reject " : "", each.text);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const libconf::Settings settings = [] {
    libconf::Settings made(nullptr, host_without_interfaces());
    made.override_value("smtpd_restriction_classes", "strict");
    made.override_value("strict", "reject_unknown_sender_domain");
    return made;
  }();
  libconf::DiagnosticDiscard discard;
  static const auto classes = mta::RestrictionClasses::create(settings, discard);
  const std::string_view text = as_text(data, size);
  const auto list = classes->parse(text, discard);
  (void)classes->parse_result(text, "table", discard);
  if (!list) return 0;
  const auto again = classes->parse(written(*list), discard);
  require(again.has_value(), "what was read is read again");
  require(written(*again) == written(*list), "and means the same");
  require(mta::can_reject(*again) == mta::can_reject(*list), "and does the same");
  return 0;
}
