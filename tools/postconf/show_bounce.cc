#include "tools/postconf/show_bounce.h"

#include <ostream>

#include "libconf/bounce_template.h"
#include "libconf/text.h"
#include "tools/postconf/configuration.h"

namespace postconf {
namespace {

using libconf::BounceTemplate;
using libconf::BounceTemplates;
using libconf::concat;
using libconf::Result;

/// In Postfix the bounce program does this work, and the messages bear its name.
constexpr std::string_view kProgram = "postfix/bounce";

class BounceWarnings final : public libconf::DiagnosticSink {
 public:
  explicit BounceWarnings(std::ostream& err) : err_(err) {}
  void report(libconf::Diagnostic diagnostic) override {
    err_ << kProgram << ": warning: " << libconf::printable(diagnostic.message) << '\n';
  }

 private:
  std::ostream& err_;
};

Result<std::string> render(const BounceTemplates& templates, bool expanded, const libconf::Settings& settings,
                           libconf::DiagnosticSink& warnings) {
  std::string out;
  for (const BounceTemplate& bounce : templates) {
    if (!out.empty()) out += '\n';
    if (!expanded) {
      out += template_source(bounce);
      continue;
    }
    Result<std::string> text = expand_bounce_text(bounce, settings, warnings);
    if (!text) return text;
    out += concat("expanded_", bounce.name, "_text = <<EOF\n", *text, "EOF\n");
  }
  return out;
}

}  // namespace

Result<int> show_bounce(const Options& options, Console& console) {
  if (options.arguments.size() > 1)
    return libconf::configuration_error("options -b and -t require at most one template file");
  libconf::DiagnosticDiscard discard;
  auto configuration = Configuration::load(options, Loading::kMainCf, discard);
  if (!configuration) return configuration.error();
  const libconf::Settings& settings = (*configuration)->settings();
  const Result<std::string> file = options.arguments.empty() ? settings.get("bounce_template_file")
                                                             : Result<std::string>(options.arguments[0]);
  if (!file) return file.error();

  BounceWarnings warnings(console.err);
  const auto fail = [&](const libconf::Error& error) {
    console.err << kProgram << ": fatal: " << libconf::printable(error.message) << '\n';
    return 1;
  };
  const Result<libconf::FromFormat> from = libconf::read_from_format(settings);
  if (!from) return fail(from.error());
  const Result<BounceTemplates> templates =
      file->empty() ? Result<BounceTemplates>(libconf::builtin_bounce_templates(*from))
                    : libconf::load_bounce_templates(*file, warnings, *from);
  if (!templates) return fail(templates.error());
  const Result<std::string> text = render(*templates, options.has('b'), settings, warnings);
  if (!text) return fail(text.error());
  console.out += *text;
  return 0;
}

}  // namespace postconf
