// Bounce templates: what we print of a template we read back.
#include "libconf/bounce_template.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  libconf::DiagnosticDiscard discard;
  const auto templates = libconf::parse_bounce_templates(as_text(data, size), "bounce.cf", discard);
  if (!templates) return 0;
  const libconf::Settings settings(nullptr, host_without_interfaces());
  std::string source;
  bool has_end_marker = false;
  for (const libconf::BounceTemplate& bounce : *templates) {
    source += template_source(bounce);
    has_end_marker |= ("\n" + bounce.text).find("\nEOF\n") != std::string::npos;
    static_cast<void>(expand_bounce_text(bounce, settings, discard));
  }
  if (has_end_marker) return 0;
  const auto again = libconf::parse_bounce_templates(source, "bounce.cf", discard);
  require(bool(again), "printed templates can be read");
  for (std::size_t i = 0; i < templates->size(); ++i)
    require((*again)[i].text == (*templates)[i].text && (*again)[i].subject == (*templates)[i].subject,
            "a printed template reads as itself");
  return 0;
}
