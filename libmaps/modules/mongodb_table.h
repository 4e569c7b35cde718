/// `mongodb:` tables: a query to a MongoDB server or cluster (mongodb_table(5)).
///
///     uri = mongodb://postfix:secret@db.example.com/?tls=true
///     dbname = mail
///     collection = mailbox
///     query_filter = {"alias.address": "%s", "active": 1}
///     result_attribute = username
///
/// Waits are bounded by the time limits of the connection string (serverSelectionTimeoutMS, connectTimeoutMS,
/// socketTimeoutMS).
#pragma once

#include <memory>

#include "libmaps/table.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Nothing is connected before the first lookup; the connection is kept until a lookup fails. Errors:
/// kConfiguration and kSyntax, from the settings.
///
/// Values are the strings, integers and arrays of these in all fields of all documents found but for _id, in
/// their order; the sink gets a warning for each other field. A key that is not UTF-8 is not found, as no
/// string in a database can be equal to it. A lookup fails with kTemporary and "Application error", after a
/// warning that names the table, the servers and the reason. No message has the password of `uri` in it.
Result<std::unique_ptr<Table>> make_mongodb(const TableConfig& config, const TableContext& context);

}  // namespace libmaps
