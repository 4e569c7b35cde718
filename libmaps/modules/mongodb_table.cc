#include "libmaps/modules/mongodb_table.h"

#include <mongoc/mongoc.h>

#include <chrono>
#include <mutex>
#include <utility>

#include "libconf/text.h"
#include "libmaps/json_query.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/export_module.h"
#include "libmaps/query_template.h"
#include "libmaps/utf8.h"

namespace libmaps {
namespace {

using libconf::concat;

/// Owns what a function of the library hands out.
template <class T, void (*kDestroy)(T*)>
struct Destroy {
  void operator()(T* object) const { kDestroy(object); }
};
template <class T, void (*kDestroy)(T*)>
using Owned = std::unique_ptr<T, Destroy<T, kDestroy>>;
using Uri = Owned<mongoc_uri_t, ::mongoc_uri_destroy>;
using Client = Owned<mongoc_client_t, ::mongoc_client_destroy>;
using Collection = Owned<mongoc_collection_t, ::mongoc_collection_destroy>;
using Cursor = Owned<mongoc_cursor_t, ::mongoc_cursor_destroy>;

/// Owns a document. As a template argument, bson_t would lose its alignment.
class Document {
 public:
  explicit Document(bson_t* document = nullptr) : document_(document) {}
  Document(Document&& other) noexcept : document_(std::exchange(other.document_, nullptr)) {}
  Document& operator=(Document&& other) noexcept {
    std::swap(document_, other.document_);
    return *this;
  }
  ~Document() {
    if (document_ != nullptr) ::bson_destroy(document_);
  }

  explicit operator bool() const { return document_ != nullptr; }
  bson_t* get() const { return document_; }

 private:
  bson_t* document_;
};

/// What an array holds may be an array again; a server does not store documents that are deeper.
constexpr int kMaxDepth = 100;

/// Never undone: tables may live as long as the program. What stays allocated is reachable.
void start_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    ::mongoc_log_set_handler(nullptr, nullptr);  // It would print on stderr.
    ::mongoc_init();
  });
}

/// Errors: kSyntax, when it is not a JSON object; kConfiguration, when it is but something else is wrong with
/// it.
Result<Document> parse_json(std::string_view text) {
  if (!is_one_object(text)) return Error{.kind = ErrorKind::kSyntax, .message = "not one JSON object"};
  bson_error_t failure{};
  Document document(::bson_new_from_json(reinterpret_cast<const std::uint8_t*>(text.data()),
                                         static_cast<ssize_t>(text.size()), &failure));
  if (document) return document;
  const bool is_json = failure.code != BSON_JSON_ERROR_READ_CORRUPT_JS;
  return Error{.kind = is_json ? ErrorKind::kConfiguration : ErrorKind::kSyntax, .message = failure.message};
}

/// For messages; bson_type_t has no names of its own.
std::string_view name_of(bson_type_t type) {
  switch (type) {
    case BSON_TYPE_DOUBLE:
      return "double";
    case BSON_TYPE_DOCUMENT:
      return "document";
    case BSON_TYPE_ARRAY:
      return "deeply nested";
    case BSON_TYPE_BINARY:
      return "binary";
    case BSON_TYPE_OID:
      return "ObjectId";
    case BSON_TYPE_BOOL:
      return "boolean";
    case BSON_TYPE_DATE_TIME:
      return "date";
    case BSON_TYPE_NULL:
      return "null";
    case BSON_TYPE_DECIMAL128:
      return "decimal128";
    default:
      return "unusual";
  }
}

/// What the settings say.
struct Query {
  Uri uri;
  std::string servers;  ///< As messages give them, without a password.
  std::string database;
  std::string collection;
  Document options;
  std::chrono::milliseconds limit{0};  ///< For all of an answer, however many parts it has.
};

class MongodbTable final : public Table {
 public:
  MongodbTable(std::string name, Query query, QueryRules rules, libconf::DiagnosticSink& warnings)
      : Table(std::move(name)), query_(std::move(query)), rules_(std::move(rules)), warnings_(warnings) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const Result<bool> is_accepted = rules_.accepts(key);
    if (!is_accepted) return is_accepted.error();
    if (!*is_accepted || !is_utf8(key)) return std::optional<std::string>();
    const Result<Document> filter = parse_json(rules_.query_for(key, quote_json));
    if (!filter) return fail(concat("query_filter for key \"", key, "\": ", filter.error().message));
    if (Result<void> connected = connect(); !connected) return connected.error();
    Answer answer = ask(*filter->get(), key);
    // The library avoids servers that failed for some seconds; a new client has no such memory.
    if (!answer) client_.reset();
    return answer;
  }

 private:
  using Answer = Result<std::optional<std::string>>;
  using Clock = std::chrono::steady_clock;

  static constexpr std::string_view kDamaged = "the answer is a damaged document";

  Result<void> connect() {
    if (client_) return {};
    bson_error_t failure{};
    client_.reset(::mongoc_client_new_from_uri_with_error(query_.uri.get(), &failure));
    if (!client_) return fail(failure.message);
    return {};
  }

  Answer ask(const bson_t& filter, std::string_view key) {
    const Clock::time_point deadline = Clock::now() + query_.limit;
    const Collection collection(
        ::mongoc_client_get_collection(client_.get(), query_.database.c_str(), query_.collection.c_str()));
    const Cursor cursor(
        ::mongoc_collection_find_with_opts(collection.get(), &filter, query_.options.get(), nullptr));
    ResultList results(rules_, key);
    const bson_t* document = nullptr;
    while (::mongoc_cursor_next(cursor.get(), &document)) {
      if (Result<void> added = add_document(*document, key, results); !added) return added.error();
      if (Clock::now() > deadline) return fail("the answer takes too long");
    }
    bson_error_t failure{};
    if (::mongoc_cursor_error(cursor.get(), &failure)) return fail(failure.message);
    return results.take();
  }

  Result<void> add_document(const bson_t& document, std::string_view key, ResultList& results) {
    bson_iter_t fields;
    if (!::bson_iter_init(&fields, &document)) return fail(kDamaged);
    while (::bson_iter_next(&fields)) {
      const char* const field = ::bson_iter_key(&fields);
      if (std::string_view(field) == "_id") continue;
      if (Result<void> added = add_value(fields, field, key, results, kMaxDepth); !added) return added;
    }
    return end_of(fields);
  }

  Result<void> add_value(const bson_iter_t& value, std::string_view field, std::string_view key,
                         ResultList& results, int depth) {
    const bson_type_t type = ::bson_iter_type(&value);
    const auto add = [&](std::string_view text) {
      return results.add(text) ? Result<void>() : Result<void>(lookup_error(0));
    };
    // A value is a C string to Postfix.
    if (type == BSON_TYPE_UTF8) return add(::bson_iter_utf8(&value, nullptr));
    if (BSON_ITER_HOLDS_INT(&value)) return add(std::to_string(::bson_iter_as_int64(&value)));
    if (type == BSON_TYPE_ARRAY && depth > 0) {
      bson_iter_t elements;
      if (!::bson_iter_recurse(&value, &elements)) return fail(kDamaged);
      while (::bson_iter_next(&elements))
        if (Result<void> added = add_value(elements, field, key, results, depth - 1); !added) return added;
      return end_of(elements);
    }
    warnings_.warn("unusable-field",
                   concat("table \"", name(), "\": key \"", key, "\": field \"", field, "\" has ",
                          name_of(type), " value, not string, integer or array of them -- ignored"));
    return {};
  }

  /// An iterator stops at damage as it does at the end.
  Result<void> end_of(const bson_iter_t& values) {
    if (values.err_off != 0) return fail(kDamaged);
    return {};
  }

  Error fail(std::string_view reason) {
    const char* const password = ::mongoc_uri_get_password(query_.uri.get());
    // A server can say whatever it likes.
    const bool is_secret =
        password != nullptr && *password != '\0' && reason.find(password) != std::string_view::npos;
    warnings_.warn("mongodb-failed",
                   concat("table \"", name(), "\": query to MongoDB server ", query_.servers,
                          " failed: ", is_secret ? "(a reason with the password in it)" : reason));
    return lookup_error(0);
  }

  Query query_;
  QueryRules rules_;
  libconf::DiagnosticSink& warnings_;
  Client client_;
};

Error configuration_error(std::string_view table, std::string_view what) {
  return libconf::configuration_error(concat(table, ": ", what));
}

/// Time limits of the connection string in milliseconds. Without a limit, or with none that is positive, the
/// library would wait for five minutes, or for ever.
struct TimeLimit {
  const char* option;
  std::int32_t fallback;
};
constexpr TimeLimit kSelectionLimit = {MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 30000};
constexpr TimeLimit kConnectLimit = {MONGOC_URI_CONNECTTIMEOUTMS, 10000};
constexpr TimeLimit kAnswerLimit = {MONGOC_URI_SOCKETTIMEOUTMS, 30000};

std::chrono::milliseconds set_limit(mongoc_uri_t* uri, const TimeLimit& limit) {
  const std::int32_t given = ::mongoc_uri_get_option_as_int32(uri, limit.option, 0);
  if (given > 0) return std::chrono::milliseconds(given);
  ::mongoc_uri_set_option_as_int32(uri, limit.option, limit.fallback);
  return std::chrono::milliseconds(limit.fallback);
}

std::string servers_of(const mongoc_uri_t* uri) {
  if (const char* const service = ::mongoc_uri_get_srv_hostname(uri)) return service;
  std::string servers;
  for (const mongoc_host_list_t* host = ::mongoc_uri_get_hosts(uri); host != nullptr; host = host->next)
    servers += concat(servers.empty() ? "" : ",", host->host_and_port);
  return servers;
}

Result<Uri> parse_uri(const std::string& text, std::string_view table) {
  bson_error_t failure{};
  Uri uri(::mongoc_uri_new_with_error(text.c_str(), &failure));
  if (uri) return uri;
  // A reason quotes what it complains of; in a malformed text nobody knows where the password is.
  const bool may_tell = text.find_first_of("@=") == std::string::npos;
  return configuration_error(table, concat("bad uri", may_tell ? concat(": ", failure.message) : ""));
}

/// The options of the query: which fields of a document are wanted, and when the server should give up.
Result<Document> read_options(const TableConfig& config, std::string_view table,
                              std::chrono::milliseconds limit) {
  const Result<std::string> projection = config.get_string("projection", "");
  if (!projection) return projection.error();
  const Result<std::string> attributes = config.get_string("result_attribute", "");
  if (!attributes) return attributes.error();
  if (!projection->empty() && !attributes->empty())
    return configuration_error(table, "projection and result_attribute cannot be used together");

  Document fields(::bson_new());
  if (!projection->empty()) {
    Result<Document> parsed = parse_json(*projection);
    if (!parsed) return configuration_error(table, concat("bad projection: ", parsed.error().message));
    fields = std::move(*parsed);
  }
  std::string_view rest = *attributes;
  while (const auto name = libconf::next_word(rest, libconf::kListSeparators))
    ::bson_append_int32(fields.get(), name->data(), static_cast<int>(name->size()), 1);

  Document options(::bson_new());
  BSON_APPEND_INT64(options.get(), "maxTimeMS", limit.count());
  if (!bson_empty(fields.get())) BSON_APPEND_DOCUMENT(options.get(), "projection", fields.get());
  return options;
}

Result<Query> read_query(const TableConfig& config, std::string_view table) {
  std::string uri;
  Query query;
  const struct {
    std::string* value;
    std::string_view setting;
  } settings[] = {{&uri, "uri"}, {&query.database, "dbname"}, {&query.collection, "collection"}};
  for (const auto& [value, setting] : settings) {
    Result<std::string> read = config.get_string(setting, "", {.min = 1});
    if (!read) return read.error();
    *value = std::move(*read);
  }
  Result<Uri> parsed = parse_uri(uri, table);
  if (!parsed) return parsed.error();
  query.uri = std::move(*parsed);
  query.servers = servers_of(query.uri.get());
  set_limit(query.uri.get(), kConnectLimit);
  const auto answer_limit = set_limit(query.uri.get(), kAnswerLimit);
  query.limit = set_limit(query.uri.get(), kSelectionLimit) + answer_limit;
  Result<Document> options = read_options(config, table, answer_limit);
  if (!options) return options.error();
  query.options = std::move(*options);
  return query;
}

/// The template of the filter; it makes JSON of any key.
Result<std::string> read_filter(const TableConfig& config, std::string_view table) {
  Result<std::string> filter = config.get_string("query_filter", "", {.min = 1});
  if (!filter) return filter;
  if (const auto conversion = find_unquoted_conversion(*filter))
    return configuration_error(
        table, concat("query_filter has ", *conversion, " outside of a JSON string: ", *filter));
  return filter;
}

}  // namespace

Result<std::unique_ptr<Table>> make_mongodb(const TableConfig& config, const TableContext& context) {
  start_library();
  const std::string table = concat("mongodb:", config.name());
  Result<Query> query = read_query(config, table);
  if (!query) return query.error();
  const Result<std::string> filter = read_filter(config, table);
  if (!filter) return filter.error();
  Result<QueryRules> rules = QueryRules::read(config, "mongodb", *filter, table, context);
  if (!rules) return rules.error();
  // Any key will do to see whether the template is JSON, but not whether {"$numberInt": "%u"} is right.
  const Result<Document> example = parse_json(rules->query_for("a@1.2.3.4.5.6.7.8.9", quote_json));
  if (!example && example.error().kind == ErrorKind::kSyntax)
    return configuration_error(table, concat("bad query_filter: ", example.error().message));
  return std::unique_ptr<Table>(
      std::make_unique<MongodbTable>(table, std::move(*query), std::move(*rules), context.warnings));
}

}  // namespace libmaps

POSTKIT_EXPORT_CLIENT("mongodb", libmaps::make_mongodb);
