#include "libmaps/modules/pgsql_connection.h"

#include <poll.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "libconf/service_root.h"
#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::string_view kTimedOut = "timeout expired\n";  // libpq's words, for PQconnectdb().

struct FreeMemory {
  void operator()(char* text) const { ::PQfreemem(text); }
};
using PgText = std::unique_ptr<char, FreeMemory>;

/// Notices are for people who type queries; a warning says that something is wrong.
void receive_notice(void* warn, const PGresult* notice) {
  const char* const severity = ::PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity == nullptr || std::string_view(severity) != "WARNING") return;
  (*static_cast<const PgsqlConnection::Warn*>(warn))(libconf::trim(::PQresultErrorMessage(notice)));
}

PGconn* start_connecting(const PgsqlHost& host, const PgsqlLogin& login) {
  // What comes later replaces what came before, and "dbname" may be a URI or a string with all of them.
  const bool is_uri = !host.uri.empty();
  const std::string address = libconf::RootedPath{.path = host.name, .root = host.root}.on_host();
  const std::array<std::pair<const char*, const std::string*>, 6> options = {{
      {"dbname", is_uri ? &host.uri : &login.database},
      {"host", &address},
      {"port", &host.port},
      {"user", is_uri ? nullptr : &login.user},
      {"password", is_uri ? nullptr : &login.password},
      // The encoding counts for quoting, too: set here, not by a statement that quoting does not see.
      {"client_encoding", &login.encoding},
  }};
  std::array<const char*, options.size() + 1> names{};
  std::array<const char*, options.size() + 1> values{};
  std::size_t count = 0;
  for (const auto& [name, value] : options) {
    if (value == nullptr || value->empty()) continue;
    names[count] = name;
    values[count++] = value->c_str();
  }
  return ::PQconnectStartParams(names.data(), values.data(), 1);
}

}  // namespace

PgsqlConnection::PgsqlConnection(PgsqlHost host, std::chrono::seconds timeout, Warn warn)
    : host_(std::move(host)), timeout_(timeout), warn_(std::move(warn)) {}

Result<std::unique_ptr<PgsqlConnection>> PgsqlConnection::connect(const PgsqlHost& host,
                                                                  const PgsqlLogin& login,
                                                                  std::chrono::seconds timeout, Warn warn) {
  std::unique_ptr<PgsqlConnection> made(new PgsqlConnection(host, timeout, std::move(warn)));
  made->connection_.reset(start_connecting(host, login));
  const auto error = [&](std::string_view reason) {
    return Error{.kind = ErrorKind::kTemporary,
                 .message = hide_password(reason, host.uri.empty() ? login.database : host.uri)};
  };
  PGconn* const connection = made->connection_.get();
  if (connection == nullptr) return error("out of memory\n");
  ::PQsetNoticeReceiver(connection, receive_notice, &made->warn_);
  const Wait waited = made->await_connection();
  if (waited == Wait::kTimedOut) return error(kTimedOut);
  // Nor does sending wait for ever, or closing.
  if (waited == Wait::kFailed || ::PQsetnonblocking(connection, 1) != 0)
    return error(::PQerrorMessage(connection));
  return made;
}

Result<void> PgsqlConnection::quote(std::string_view text, bool in_escape_string, std::string& out) {
  // libpq takes a null byte for the end.
  if (text.find('\0') != std::string_view::npos)
    return Error{.kind = ErrorKind::kSyntax, .message = "null byte\n"};
  const std::size_t start = out.size();
  if (in_escape_string) {
    const PgText literal(::PQescapeLiteral(connection_.get(), text.data(), text.size()));
    if (literal) {
      // Either 'text' or, where there are backslashes, " E'text'".
      const std::string_view quoted(literal.get());
      const std::size_t open = quoted.find('\'');
      out += quoted.substr(open + 1, quoted.size() - open - 2);
      return {};
    }
  } else {
    int failed = 0;
    out.resize(start + 2 * text.size() + 1);
    const std::size_t size =
        ::PQescapeStringConn(connection_.get(), out.data() + start, text.data(), text.size(), &failed);
    out.resize(start + size);
    if (failed == 0) return {};
  }
  return Error{.kind = ErrorKind::kSyntax, .message = ::PQerrorMessage(connection_.get())};
}

PgsqlReply PgsqlConnection::ask(const std::string& query) {
  if (is_usable() && ::PQsendQuery(connection_.get(), query.c_str()) != 1)
    end(PgsqlReply::Kind::kLost, fatal_error(::PQerrorMessage(connection_.get())));
  PgResult last;
  while (is_usable()) {
    PgResult result = next_result();
    if (!result && is_usable()) return reply_of(std::move(last));
    last = std::move(result);
  }
  return {.kind = end_, .message = end_message_};
}

std::vector<PgsqlReply> PgsqlConnection::ask_together(const std::string& statement,
                                                      std::span<const Texts> parameters) {
  std::vector<PgsqlReply> replies;
  if (!is_usable()) return replies;
  PGconn* const connection = connection_.get();
  if (!send_together(statement, parameters)) {
    end(PgsqlReply::Kind::kLost, fatal_error(::PQerrorMessage(connection)));
    return replies;
  }
  bool is_good = true;
  while (is_usable()) {
    PgResult result = next_result();
    const ExecStatusType status = ::PQresultStatus(result.get());
    if (status == PGRES_PIPELINE_SYNC) break;
    if (!result) continue;  // After the result, or results, of each.
    if (status == PGRES_TUPLES_OK && is_good)
      replies.push_back(reply_of(std::move(result)));
    else if (status != PGRES_COMMAND_OK)
      is_good = false;
  }
  if (!is_usable()) return replies;
  ::PQexitPipelineMode(connection);
  if (::PQtransactionStatus(connection) != PQTRANS_IDLE) ask("ROLLBACK");
  return replies;
}

bool PgsqlConnection::send_together(const std::string& statement, std::span<const Texts> parameters) {
  PGconn* const connection = connection_.get();
  const auto send = [connection](const char* command) {
    return ::PQsendQueryParams(connection, command, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
  };
  // The statement has no name: a pooler in between may give others the same server connection afterwards.
  constexpr const char* kNoName = "";
  bool is_sent = ::PQenterPipelineMode(connection) == 1 && send("BEGIN READ ONLY") &&
                 ::PQsendPrepare(connection, kNoName, statement.c_str(), 0, nullptr) == 1;
  std::vector<const char*> values;
  for (const Texts& texts : parameters) {
    values.clear();
    for (const std::string& text : texts) values.push_back(text.c_str());
    is_sent = is_sent && ::PQsendQueryPrepared(connection, kNoName, static_cast<int>(values.size()),
                                               values.data(), nullptr, nullptr, 0) == 1;
  }
  return is_sent && send("COMMIT") && ::PQpipelineSync(connection) == 1;
}

/// As PQgetResult(), within the time. Null also when that ended the connection.
PgResult PgsqlConnection::next_result() {
  PGconn* const connection = connection_.get();
  const std::size_t known = std::string_view(::PQerrorMessage(connection)).size();
  const Wait waited = await_result();
  if (waited == Wait::kTimedOut) {
    end(PgsqlReply::Kind::kUnusable, fatal_error(kTimedOut));
    return nullptr;
  }
  PgResult result(waited == Wait::kReady ? ::PQgetResult(connection) : nullptr);
  if (waited == Wait::kFailed || ::PQstatus(connection) == CONNECTION_BAD) {
    // What an earlier result had to say is still at the beginning.
    const std::string_view messages = ::PQerrorMessage(connection);
    end(PgsqlReply::Kind::kLost, fatal_error(messages.size() > known ? messages.substr(known) : messages));
    return nullptr;
  }
  const ExecStatusType status = ::PQresultStatus(result.get());
  // Its data would have to be moved before the next result comes.
  if (status != PGRES_COPY_IN && status != PGRES_COPY_OUT && status != PGRES_COPY_BOTH) return result;
  end(PgsqlReply::Kind::kUnusable, unknown_code(status));
  return nullptr;
}

PgsqlReply PgsqlConnection::reply_of(PgResult last) {
  has_answered_ = true;
  const ExecStatusType status = ::PQresultStatus(last.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return {.rows = std::move(last)};
  return {.kind = PgsqlReply::Kind::kRefused,
          .message = status == PGRES_FATAL_ERROR ? fatal_error(::PQresultErrorMessage(last.get()))
                                                 : unknown_code(status)};
}

void PgsqlConnection::end(PgsqlReply::Kind kind, std::string message) {
  end_ = kind;
  end_message_ = std::move(message);
}

std::string PgsqlConnection::fatal_error(std::string_view reason) const {
  return concat("fatal error from host ", host_.text, ": ", reason);
}

std::string PgsqlConnection::unknown_code(ExecStatusType status) const {
  std::array<char, 16> code{};
  std::snprintf(code.data(), code.size(), "0x%x", static_cast<unsigned>(status));
  return concat("unknown code ", code.data(), " from host ", host_.text);
}

PgsqlConnection::Wait PgsqlConnection::await_connection() {
  PGconn* const connection = connection_.get();
  const Clock::time_point deadline = Clock::now() + timeout_;
  if (::PQstatus(connection) == CONNECTION_BAD) return Wait::kFailed;
  // Before the first call of PQconnectPoll() it waits to write.
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) return Wait::kFailed;
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (const Wait waited = wait_for_socket(events, deadline); waited != Wait::kReady) return waited;
    state = ::PQconnectPoll(connection);
  }
  return Wait::kReady;
}

PgsqlConnection::Wait PgsqlConnection::await_result() {
  PGconn* const connection = connection_.get();
  const Clock::time_point deadline = Clock::now() + timeout_;
  for (;;) {
    const int unsent = ::PQflush(connection);
    // A server that closes the connection may have told why.
    if (unsent < 0 && ::PQconsumeInput(connection) == 0) return Wait::kFailed;
    if (::PQisBusy(connection) == 0) return Wait::kReady;
    const short events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
    if (const Wait waited = wait_for_socket(events, deadline); waited != Wait::kReady) return waited;
    if (::PQconsumeInput(connection) == 0) return Wait::kFailed;
  }
}

PgsqlConnection::Wait PgsqlConnection::wait_for_socket(short events, Clock::time_point deadline) {
  using std::chrono::milliseconds;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds::zero()) return Wait::kTimedOut;
    pollfd socket{.fd = ::PQsocket(connection_.get()), .events = events, .revents = 0};
    const int error_before = errno;
    const int ready = ::poll(&socket, 1, static_cast<int>(left.count()));
    if (ready > 0) return Wait::kReady;
    if (ready < 0 && errno != EINTR) return Wait::kFailed;
    errno = error_before;
  }
}

}  // namespace libmaps
