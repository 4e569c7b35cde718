#include "libmaps/tcp_table.h"

#include <cerrno>
#include <thread>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"
#include "libmaps/stream_connection.h"
#include "libmaps/tcp_protocol.h"

namespace libmaps {
namespace {

using libconf::concat;

constexpr int kMaxTries = 10;

class TcpTable final : public Table {
 public:
  TcpTable(std::string name, Endpoint endpoint, const TcpTiming& timing, libconf::DiagnosticSink& warnings)
      : Table(std::move(name)), endpoint_(std::move(endpoint)), timing_(timing), warnings_(warnings) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const std::string request = concat("get ", tcp_encode(key), "\n");
    errno = 0;
    for (int attempt = 1;; ++attempt) {
      const Result<std::string> line = ask(request);
      if (line) return judge(*line);
      connection_.reset();
      if (attempt == kMaxTries) return line.error();
      std::this_thread::sleep_for(timing_.pause);
    }
  }

 private:
  /// The reply to a request, without its newline. Errors: after a warning.
  Result<std::string> ask(std::string_view request) {
    if (!connection_) {
      Result<StreamConnection> connection = StreamConnection::connect(endpoint_, timing_.limit, warnings_);
      if (!connection) {
        warn("connect to TCP map ", connection.error().message);
        return connection.error();
      }
      connection_ = std::move(*connection);
    }
    const auto deadline = StreamConnection::Clock::now() + timing_.limit;
    if (const Result<void> written = connection_->write(request, deadline); !written) {
      warn("write TCP map query to ", written.error().message);
      return written.error();
    }
    return read_line(deadline);
  }

  Result<std::string> read_line(StreamConnection::Deadline deadline) {
    std::string buffer;
    for (;;) {
      const Result<std::size_t> count = connection_->read_some(buffer, kMaxTcpReply, deadline);
      if (!count || *count == 0) {
        const Error error = count ? lookup_error(errno) : count.error();
        warn(kRead, concat("unexpected EOF (", error.message, ")"));
        return error;
      }
      const std::size_t newline = buffer.find('\n');
      if (newline == std::string::npos ? buffer.size() >= kMaxTcpReply : newline >= kMaxTcpReply) {
        warn(kRead, concat("text longer than ", std::to_string(kMaxTcpReply)));
        return lookup_error(errno);
      }
      if (newline == std::string::npos) continue;
      // What follows would pass for the reply to the next request.
      if (newline + 1 != buffer.size()) connection_.reset();
      buffer.resize(newline);
      return buffer;
    }
  }

  Result<std::optional<std::string>> judge(const std::string& line) {
    using Status = TcpReply::Status;
    const TcpReply reply = parse_tcp_reply(line);
    switch (reply.status) {
      case Status::kFound:
        // A value is a C string to Postfix.
        return std::optional(reply.value.substr(0, reply.value.find('\0')));
      case Status::kNotFound:
        return std::optional<std::string>();
      case Status::kTemporary:
        return lookup_error(errno);
      case Status::kBadStatus:
        return refuse("bad status code: ", line);
      case Status::kMalformed:
        break;
    }
    return refuse("malformed reply: ", line);
  }

  /// The server is out of step: the next lookup starts anew.
  Error refuse(std::string_view what, std::string_view line) {
    warn(kRead, concat(what, libconf::printable_utf8(line, '_')));
    connection_.reset();
    return lookup_error(errno);
  }

  void warn(std::string_view what, std::string_view reason) {
    warnings_.warn("tcp-failed", concat(what, endpoint_.text, ": ", reason));
  }

  static constexpr std::string_view kRead = "read TCP map reply from ";

  Endpoint endpoint_;
  TcpTiming timing_;
  libconf::DiagnosticSink& warnings_;
  std::optional<StreamConnection> connection_;
};

}  // namespace

Result<std::unique_ptr<Table>> open_tcp(std::string_view name, const TableContext& context) {
  return open_tcp(name, context, TcpTiming());
}

Result<std::unique_ptr<Table>> open_tcp(std::string_view name, const TableContext& context,
                                        const TcpTiming& timing) {
  Result<Endpoint> endpoint = parse_tcp_endpoint(name);
  if (!endpoint) return endpoint.error();
  return std::unique_ptr<Table>(
      std::make_unique<TcpTable>(concat("tcp:", name), std::move(*endpoint), timing, context.warnings));
}

}  // namespace libmaps
