#include "libmaps/socketmap_table.h"

#include <cerrno>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"
#include "libmaps/socketmap_protocol.h"
#include "libmaps/stream_connection.h"

namespace libmaps {
namespace {

using libconf::concat;

constexpr std::chrono::seconds kLimit{100};

/// How an exchange of a request and a reply ended.
struct Exchange {
  enum class State : std::uint8_t { kReply, kDisconnect, kFailed };
  State state = State::kReply;
  std::string payload = {};    ///< Of kReply.
  std::string_view what = {};  ///< Otherwise, what was wrong, for a warning,
  Error error = {};            ///< and what the lookup returns.
};

class SocketmapTable final : public Table {
 public:
  struct Limits {
    std::size_t query_size;
    std::size_t reply_size;
    std::chrono::seconds time;
  };

  SocketmapTable(std::string name, Endpoint endpoint, std::string_view map, Limits limits,
                 libconf::DiagnosticSink& warnings)
      : Table(std::move(name)),
        endpoint_(std::move(endpoint)),
        map_(map),
        limits_(limits),
        warnings_(warnings) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const std::string query = concat(map_, " ", key);
    if (query.size() > limits_.query_size) {
      warn(concat(" query of ", std::to_string(query.size()), " bytes exceeds socketmap_max_query_size"));
      return permanent_error();
    }
    errno = 0;
    Exchange exchange = ask(query);
    if (exchange.state == Exchange::State::kDisconnect) exchange = ask(query);
    if (exchange.state == Exchange::State::kReply) return judge(exchange.payload);
    warnings_.warn("socketmap-failed",
                   concat("table ", name(),
                          " lookup error: ", exchange.what.empty() ? exchange.error.message : exchange.what));
    return exchange.error;
  }

 private:
  Exchange ask(const std::string& query) {
    if (!connection_) {
      Result<StreamConnection> connection = StreamConnection::connect(endpoint_, limits_.time, warnings_);
      if (!connection) {
        warnings_.warn("connect-failed",
                       concat("connect to ", endpoint_.text, ": ", connection.error().message));
        return {.state = Exchange::State::kFailed, .error = connection.error()};
      }
      connection_ = std::move(*connection);
    }
    Exchange exchange = converse(netstring(query));
    if (exchange.state != Exchange::State::kReply) connection_.reset();
    return exchange;
  }

  Exchange converse(std::string_view request) {
    const auto deadline = StreamConnection::Clock::now() + limits_.time;
    const auto failed = [](std::string_view what) {
      return Exchange{.state = Exchange::State::kFailed, .what = what, .error = lookup_error(errno)};
    };
    const auto stopped = [deadline](const Error& error) {
      if (StreamConnection::Clock::now() >= deadline)
        return Exchange{.state = Exchange::State::kFailed, .what = "time limit exceeded", .error = error};
      return Exchange{.state = Exchange::State::kDisconnect, .what = "unexpected disconnect", .error = error};
    };
    if (const Result<void> written = connection_->write(request, deadline); !written)
      return stopped(written.error());
    std::string buffer;
    for (;;) {
      const Result<std::size_t> count = connection_->read_some(buffer, limits_.reply_size, deadline);
      if (!count) return stopped(count.error());
      if (*count == 0) return stopped(lookup_error(errno));
      const NetstringScan scan = scan_netstring(buffer, limits_.reply_size);
      switch (scan.state) {
        case NetstringScan::State::kIncomplete:
          break;
        case NetstringScan::State::kMalformed:
          return failed("input format error");
        case NetstringScan::State::kTooLong:
          return failed("input exceeds size limit");
        case NetstringScan::State::kComplete:
          // What follows would pass for the reply to the next request.
          if (scan.length != buffer.size()) connection_.reset();
          return {.payload = std::string(scan.payload)};
      }
    }
  }

  Result<std::optional<std::string>> judge(std::string_view payload) {
    using Status = SocketmapReply::Status;
    const SocketmapReply reply = parse_socketmap_reply(payload);
    switch (reply.status) {
      case Status::kOk:
        // A value is a C string to Postfix.
        return std::optional(std::string(reply.text.substr(0, reply.text.find('\0'))));
      case Status::kNotFound:
        return std::optional<std::string>();
      case Status::kTemporary:
        return refused("temporary", reply.text, lookup_error(errno));
      case Status::kTimeout:
        return refused("timeout", reply.text, lookup_error(errno));
      case Status::kPermanent:
        return refused("permanent", reply.text, permanent_error());
      case Status::kUnknown:
        break;
    }
    return refused("unknown", reply.text, lookup_error(errno));
  }

  Error refused(std::string_view kind, std::string_view reason, Error error) {
    warn(concat(" socketmap server ", kind, " error", reason.empty() ? "" : ": ",
                libconf::printable_utf8(reason)));
    return error;
  }

  void warn(std::string_view what) { warnings_.warn("socketmap-failed", concat(name(), what)); }

  static Error permanent_error() { return {.kind = ErrorKind::kConfiguration, .message = {}}; }

  Endpoint endpoint_;
  std::string map_;
  Limits limits_;
  libconf::DiagnosticSink& warnings_;
  std::optional<StreamConnection> connection_;
};

}  // namespace

Result<std::unique_ptr<Table>> open_socketmap(std::string_view name, const TableContext& context) {
  return open_socketmap(name, context, kLimit);
}

Result<std::unique_ptr<Table>> open_socketmap(std::string_view name, const TableContext& context,
                                              std::chrono::seconds limit) {
  const std::size_t colon = name.rfind(':');
  if (colon == std::string_view::npos)
    return libconf::configuration_error("socketmap requires server:socketmap argument");
  Result<Endpoint> endpoint = parse_endpoint(name.substr(0, colon), context.settings);
  if (!endpoint) return endpoint.error();
  const Result<std::int64_t> query_size = context.settings.get_int("socketmap_max_query_size");
  if (!query_size) return query_size.error();
  const Result<std::int64_t> reply_size = context.settings.get_int("socketmap_max_reply_size");
  if (!reply_size) return reply_size.error();
  const SocketmapTable::Limits limits{static_cast<std::size_t>(*query_size),
                                      static_cast<std::size_t>(*reply_size), limit};
  return std::unique_ptr<Table>(std::make_unique<SocketmapTable>(
      concat("socketmap:", name), std::move(*endpoint), name.substr(colon + 1), limits, context.warnings));
}

}  // namespace libmaps
