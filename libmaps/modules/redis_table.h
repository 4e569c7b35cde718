/// `redis:` tables: values, fields of hashes, or members of sets on a Redis server (redis_table(5)). Postfix
/// has no such type.
///
///     hosts = unix:/run/redis/redis.sock inet:redis.example.com:6379
///     command = HGET
///     key_format = aliases:%d
///     field_format = %u
#pragma once

#include <memory>

#include "libmaps/table.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Nothing is connected before the first lookup. Errors: kConfiguration and kSyntax, from the settings.
///
/// A lookup tries the hosts one after the other, an open connection first, then UNIX-domain sockets,
/// otherwise in random order. It fails with kTemporary when none answers, or those that do answer with an
/// error, after a warning for each: "redis:./r.cf: server HOST: REASON".
Result<std::unique_ptr<Table>> make_redis(const TableConfig& config, const TableContext& context);

}  // namespace libmaps
