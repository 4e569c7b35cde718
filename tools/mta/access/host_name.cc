#include "tools/mta/access/host_name.h"

#include "tools/mta/address/domain_syntax.h"

namespace mta {

bool is_valid_host_name(std::string_view name) { return is_host_name(without_final_dot(name), false); }

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

}  // namespace mta
