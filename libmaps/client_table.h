/// What is the same for every table that is the client of something else and has its settings in a .cf file.
///
///     Result<std::unique_ptr<Table>> make_redis(const TableConfig& config, const TableContext& context);
///     return open_client("redis", name, context, make_redis);
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Makes the table that `config` describes. The config is there during the call only.
using ClientMaker = Result<std::unique_ptr<Table>> (*)(const TableConfig& config,
                                                       const TableContext& context);

/// Reads the settings of `type:name`, warns of those that the type does not have and of a password that
/// everyone can read, makes the table, and puts a cache before it where cache_size and cache_ttl ask for one.
/// Errors: of TableConfig and of `make`.
Result<std::unique_ptr<Table>> open_client(std::string_view type, std::string_view name,
                                           const TableContext& context, ClientMaker make);

/// The first part of it, for a table that is listed or changed: reads the settings, and warns.
Result<TableConfig> open_client_config(std::string_view type, std::string_view name,
                                       const TableContext& context);

}  // namespace libmaps
