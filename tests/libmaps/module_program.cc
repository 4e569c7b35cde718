// Opens tables of types in modules, as a program does that is linked like the tools (with its own C++
// runtime): module_program TYPE NAME KEY... Prints a line for each key, and for each error and warning.
#include <iostream>
#include <string>

#include "libconf/host.h"
#include "libmaps/module.h"

namespace {

using libconf::Result;

class PrintingSink final : public libconf::DiagnosticSink {
 public:
  void report(libconf::Diagnostic diagnostic) override {
    std::cout << "warning: " << diagnostic.message << '\n';
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const libconf::Settings settings(nullptr, libconf::system_host());
  PrintingSink sink;
  const libmaps::TableContext context{
      .settings = settings,
      .warnings = sink,
      .match_domains = [](std::string_view patterns, std::string_view) -> Result<libmaps::DomainPredicate> {
        return libmaps::DomainPredicate(
            [list = std::string(patterns)](std::string_view domain) { return list == domain; });
      }};
  Result<std::unique_ptr<libmaps::Table>> table = libmaps::open_module_table(argv[1], argv[2], context);
  if (!table) {
    std::cout << "fatal: " << table.error().message << '\n';
    return 1;
  }
  for (int i = 3; i < argc; ++i) {
    const Result<std::optional<std::string>> value = (*table)->lookup(argv[i]);
    std::cout << argv[i] << " -> ";
    if (!value)
      std::cout << "error: " << value.error().message;
    else
      std::cout << value->value_or("(none)");
    std::cout << '\n';
  }
  return 0;
}
