#include "libmaps/proxy_table.h"

#include "libconf/text.h"
#include "libmaps/lookup_error.h"
#include "libmaps/open.h"
#include "libmaps/proxy_client.h"
#include "libmaps/utf8.h"

namespace libmaps {
namespace {

using libconf::concat;

constexpr std::string_view kReadService = "proxymap_service_name";
constexpr std::string_view kWriteService = "proxywrite_service_name";

/// What follows the name of the service that does not approve a table.
constexpr std::string_view kNotForReading = " service is not configured for table ";
constexpr std::string_view kNotForChanges = " update access is not configured for table ";

std::string quoted(std::string_view text) { return concat("\"", text, "\""); }

/// The flags that decide how the service opens a table.
std::uint32_t open_flags(const TableOptions& options) {
  std::uint32_t flags = options.decode_files ? proxy_flag::kFiles : 0;
  if (options.null_termination == NullTermination::kAlways) flags |= proxy_flag::kWithNull;
  if (options.null_termination == NullTermination::kNever) flags |= proxy_flag::kNoNull;
  return flags;
}

/// The flags of all other requests.
std::uint32_t request_flags(const TableOptions& options) {
  std::uint32_t flags = open_flags(options) | proxy_flag::kLock | proxy_flag::kWarnOfDuplicates;
  if (options.utf8)
    flags |= proxy_flag::kUtf8;
  else if (options.fold_keys)
    flags |= proxy_flag::kFoldFixed;
  return flags;
}

/// One table of one service.
class RemoteTable {
 public:
  static Result<RemoteTable> open(std::string_view name, std::string_view service_parameter,
                                  const TableContext& context) {
    if (!is_proxy_text(name)) return libconf::configuration_error("NUL in the name of a proxy table");
    Result<ProxyClientSettings> settings = read_proxy_settings(context.settings, service_parameter);
    if (!settings) return settings.error();
    RemoteTable table(name, std::move(*settings), context);
    if (Result<void> opened = table.open(); !opened) return opened.error();
    return table;
  }

  std::string full_name() const { return concat("proxy:", name_); }

  Result<std::optional<std::string>> lookup(std::string_view key) {
    const Result<ProxyReply> reply =
        ask({.kind = ProxyRequestKind::kLookup, .table = name_, .key = folded(key)});
    if (!reply) return reply.error();
    if (reply->has(ProxyStatus::kOk)) return std::optional(reply->value);
    if (reply->has(ProxyStatus::kNoKey)) return std::optional<std::string>();
    return refused(*reply, kNotForReading, concat("lookup failed for table ", about(key)));
  }

  /// Whether the entry is there, or was.
  Result<bool> change(ProxyRequest request) {
    const std::string failed = concat(to_string(request.kind), " failed for table ", about(request.key));
    if (request.kind == ProxyRequestKind::kUpdate) request.flags = proxy_flag::kReplace;
    request.table = name_;
    request.key = folded(request.key);
    const Result<ProxyReply> reply = ask(std::move(request));
    if (!reply) return reply.error();
    if (reply->has(ProxyStatus::kOk)) return true;
    if (reply->has(ProxyStatus::kNoKey)) return false;
    Error error = refused(*reply, kNotForChanges, failed);
    if (error.message.empty()) error.message = lookup_error(0).message;
    return error;
  }

  /// The entry that `function` asks for. Nothing: there are no more.
  Result<std::optional<ProxyReply>> sequence(ProxySequence function) {
    Result<ProxyReply> reply =
        ask({.kind = ProxyRequestKind::kSequence, .table = name_, .function = function});
    if (!reply) return reply.error();
    if (reply->has(ProxyStatus::kOk)) return std::optional(std::move(*reply));
    if (reply->has(ProxyStatus::kNoKey)) return std::optional<ProxyReply>();
    return refused(*reply, kNotForReading, concat("sequence failed for table ", quoted(name_)));
  }

 private:
  RemoteTable(std::string_view name, ProxyClientSettings settings, const TableContext& context)
      : name_(name),
        options_(context.options),
        warnings_(context.warnings),
        client_(std::move(settings), full_name(), context.warnings) {}

  Result<void> open() {
    const Result<ProxyReply> reply =
        client_.ask({.kind = ProxyRequestKind::kOpen, .table = name_, .flags = open_flags(options_)});
    if (!reply)
      return Error{.kind = ErrorKind::kTemporary,
                   .message = concat("table ", full_name(), ": open error: ", reply.error().message)};
    if (reply->has(ProxyStatus::kOk)) {
      // Without UTF-8, the service folds: kFoldFixed.
      folds_ = (reply->flags & proxy_flag::kFixed) != 0 && options_.fold_keys && options_.utf8;
      return {};
    }
    if (reply->has(ProxyStatus::kDeny))
      return libconf::configuration_error(concat(client_.service(), kNotForReading, quoted(name_)));
    const std::string failed = concat(client_.service(), " open failed for table ", quoted(name_), ": ");
    if (reply->has(ProxyStatus::kBad)) return libconf::configuration_error(concat(failed, "invalid request"));
    return Error{.kind = ErrorKind::kTemporary,
                 .message = concat(failed, "unexpected status ", std::to_string(reply->status))};
  }

  Result<ProxyReply> ask(ProxyRequest request) {
    if (!is_proxy_text(request.key) || !is_proxy_text(request.value)) {
      warnings_.warn("proxy-failed", concat("table ", full_name(), ": NUL in a key or value"));
      return Error{.kind = ErrorKind::kUnsupported, .message = lookup_error(0).message};
    }
    request.flags |= request_flags(options_);
    return client_.ask(request);
  }

  /// The error for a reply without an answer. A warning says what is unusual.
  Error refused(const ProxyReply& reply, std::string_view refusal, std::string_view failed) {
    const Error permanent{.kind = ErrorKind::kConfiguration, .message = {}};
    if (reply.has(ProxyStatus::kRetry)) return lookup_error(0);
    if (reply.has(ProxyStatus::kConfig)) return permanent;
    if (reply.has(ProxyStatus::kDeny)) {
      warn(concat(refusal, quoted(name_)));
      return permanent;
    }
    if (reply.has(ProxyStatus::kBad)) {
      warn(concat(" ", failed, ": invalid request"));
      return permanent;
    }
    warn(concat(" ", failed, ": unexpected reply status ", std::to_string(reply.status)));
    return lookup_error(0);
  }

  std::string folded(std::string_view key) const {
    return folds_ && !is_folded_ascii(key) ? fold_unicode(key) : std::string(key);
  }

  void warn(std::string_view what) { warnings_.warn("proxy-failed", concat(client_.service(), what)); }
  std::string about(std::string_view key) const { return concat(quoted(name_), " key ", quoted(key)); }

  std::string name_;
  TableOptions options_;
  libconf::DiagnosticSink& warnings_;
  ProxyClient client_;
  bool folds_ = false;
};

class ProxyTable final : public Table {
 public:
  explicit ProxyTable(RemoteTable remote) : Table(remote.full_name()), remote_(std::move(remote)) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override { return remote_.lookup(key); }

 private:
  RemoteTable remote_;
};

class ProxyListing final : public IterableTable {
 public:
  explicit ProxyListing(RemoteTable remote) : IterableTable(remote.full_name()), remote_(std::move(remote)) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override { return remote_.lookup(key); }

  Result<void> for_each(const EntryVisitor& visit) override {
    for (ProxySequence function = ProxySequence::kFirst;; function = ProxySequence::kNext) {
      const Result<std::optional<ProxyReply>> entry = remote_.sequence(function);
      if (!entry) return entry.error();
      if (!*entry) return {};
      if (Result<void> visited = visit((*entry)->key, (*entry)->value); !visited) return visited;
    }
  }

 private:
  RemoteTable remote_;
};

class ProxyChanges final : public WritableTable {
 public:
  explicit ProxyChanges(RemoteTable remote) : WritableTable(remote.full_name()), remote_(std::move(remote)) {}

  Result<bool> store(std::string_view key, std::string_view value, bool replace) override {
    if (!replace) {
      const Result<std::optional<std::string>> present = remote_.lookup(key);
      if (!present) return present.error();
      if (*present) return false;
    }
    return remote_.change({.kind = ProxyRequestKind::kUpdate,
                           .table = {},
                           .key = std::string(key),
                           .value = std::string(value)});
  }

  Result<bool> remove(std::string_view key) override {
    return remote_.change({.kind = ProxyRequestKind::kDelete, .table = {}, .key = std::string(key)});
  }

  Result<void> finish() override { return {}; }

 private:
  RemoteTable remote_;
};

/// A `Made` of the table behind the service.
template <class Made, class Capability>
Result<std::unique_ptr<Capability>> ask_service(std::string_view name, std::string_view service_parameter,
                                                const TableContext& context) {
  Result<RemoteTable> remote = RemoteTable::open(name, service_parameter, context);
  if (!remote) return remote.error();
  return std::unique_ptr<Capability>(std::make_unique<Made>(std::move(*remote)));
}

/// What a table is opened with when there is no service before it: values are decoded once, behind it.
TableContext direct_context(const TableContext& context) {
  TableContext direct = context;
  direct.options.decode_files = false;
  return direct;
}

}  // namespace

Result<std::unique_ptr<Table>> open_proxy(std::string_view name, const TableContext& context) {
  if (!context.options.bypass_proxy) return ask_service<ProxyTable, Table>(name, kReadService, context);
  return open(name, direct_context(context));
}

Result<std::unique_ptr<IterableTable>> open_iterable_proxy(std::string_view name,
                                                           const TableContext& context) {
  if (!context.options.bypass_proxy)
    return ask_service<ProxyListing, IterableTable>(name, kReadService, context);
  const Result<TableSpec> spec = parse_spec(name, "");
  if (!spec) return spec.error();
  return open_iterable(*spec, direct_context(context));
}

Result<std::unique_ptr<WritableTable>> open_writable_proxy(std::string_view name, IfAbsent if_absent,
                                                           const TableContext& context) {
  if (!context.options.bypass_proxy)
    return ask_service<ProxyChanges, WritableTable>(name, kWriteService, context);
  const Result<TableSpec> spec = parse_spec(name, "");
  if (!spec) return spec.error();
  return open_writable(*spec, if_absent, direct_context(context));
}

}  // namespace libmaps
