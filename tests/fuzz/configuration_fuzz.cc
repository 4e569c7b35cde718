// A whole configuration, main.cf and master.cf with a line "%%" between: settings, services and names in use.
#include "libconf/parameter_inventory.h"
#include "tests/fuzz/property.h"

using libconf::DiagnosticDiscard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  // A table such as mysql:/file is read while names are looked for; the target stays in memory.
  if (text.find(":/") != std::string_view::npos || text.find(":.") != std::string_view::npos) return 0;
  const std::size_t cut = text.find("\n%%\n");
  const std::string_view main_text = text.substr(0, cut);
  const std::string_view master_text =
      cut == std::string_view::npos ? std::string_view() : text.substr(cut + 4);

  DiagnosticDiscard discard;
  const auto main_cf = libconf::MainCfDocument::parse(std::string(main_text), "main.cf");
  const auto master_cf = libconf::MasterCf::read(
      libconf::MasterCfDocument::parse(std::string(master_text), "master.cf"), discard);
  libconf::Settings settings(&main_cf, host_without_interfaces());
  if (master_cf) settings.define_service_parameters(*master_cf);
  const auto inventory =
      libconf::ParameterInventory::scan(settings, "main.cf", master_cf ? &*master_cf : nullptr, discard);
  if (!inventory) return 0;
  inventory->report(false, discard);
  for (std::string_view name : inventory->names(libconf::kAllClasses)) {
    require(inventory->class_of(name).has_value(), "a listed name has a class");
    static_cast<void>(settings.get(name));
  }
  return 0;
}
