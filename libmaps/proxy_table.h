/// `proxy:` tables: a proxymap service opens the table, for all who ask (proxymap(8)).
///
///     auto table = open_proxy("hash:/etc/postfix/access", context);
///     table->lookup("joe");   // asks $queue_directory/private/proxymap
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/index_update.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// `name` is the "type:name" that the service is to open. Lookups and listings ask the service
/// proxymap_service_name; changes, and lookups in between, proxywrite_service_name. The service decides which
/// tables it opens (proxy_read_maps, proxy_write_maps), and is asked here already. With
/// TableOptions::bypass_proxy there is no service: the table itself is opened.
///
/// Errors: kConfiguration, "proxymap service is not configured for table "NAME""; kTemporary when the service
/// cannot be reached or does not speak the protocol, after a warning.
///
/// A lookup fails with kTemporary and a reason when the service or its table could not tell; with
/// kConfiguration and no reason when the service says that somebody must change something.
Result<std::unique_ptr<Table>> open_proxy(std::string_view name, const TableContext& context);

/// Lists by a request for each entry.
Result<std::unique_ptr<IterableTable>> open_iterable_proxy(std::string_view name,
                                                           const TableContext& context);

/// The service makes a table that is not there, whatever `if_absent` says, and each change lasts at once. To
/// store without replacing takes two requests; another client may come between them.
Result<std::unique_ptr<WritableTable>> open_writable_proxy(std::string_view name, IfAbsent if_absent,
                                                           const TableContext& context);

}  // namespace libmaps
