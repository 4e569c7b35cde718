/// unix:passwd.byname and unix:group.byname ask the system for users and groups (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// A value is the entry as passwd(5) or group(5) has it. Errors: kConfiguration, another table.
Result<std::unique_ptr<Table>> open_unix(std::string_view name, const TableContext& context);

}  // namespace libmaps
