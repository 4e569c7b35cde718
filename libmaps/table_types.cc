#include "libmaps/table_types.h"

namespace libmaps {

// No type is implemented yet; each comes with its row here.
std::span<const std::string_view> table_type_names() { return {}; }

}  // namespace libmaps
