#include "libmaps/modules/redis_session.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"

namespace libmaps {
namespace {

using libconf::concat;

constexpr int kDefaultPort = 6379;

/// No value of a table is longer; a server that sends more is none of ours.
constexpr std::size_t kMaxReply = 1 << 20;

Error reason(std::string message) { return {.kind = ErrorKind::kTemporary, .message = std::move(message)}; }

Endpoint endpoint_of(const DatabaseHost& host) {
  return {.is_local = host.is_local,
          .host = host.name,
          .service = host.is_local ? "" : std::to_string(host.port == 0 ? kDefaultPort : host.port),
          .text = host.text,
          .root = host.root};
}

/// Appends a command as the protocol has it. False: there is not enough memory.
bool append_command(const RedisCommand& command, std::string& out) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string& word : command) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* text = nullptr;
  const int size =
      ::redisFormatCommandArgv(&text, static_cast<int>(words.size()), words.data(), sizes.data());
  if (size < 0) return false;
  out.append(text, static_cast<std::size_t>(size));
  ::redisFreeCommand(text);
  return true;
}

/// Only these begin a reply to a command that we send. The library would also read arrays, for which it
/// reserves as much memory as the server announces.
bool begins_reply(char c) { return std::string_view("$:+-").find(c) != std::string_view::npos; }

RedisReply convert(const redisReply& reply) {
  using Kind = RedisReply::Kind;
  const auto text = [&reply] { return std::string(reply.str, static_cast<std::size_t>(reply.len)); };
  switch (reply.type) {
    case REDIS_REPLY_STRING:
      return {.kind = Kind::kString, .text = text()};
    case REDIS_REPLY_INTEGER:
      return {.kind = Kind::kInteger, .integer = reply.integer};
    case REDIS_REPLY_STATUS:
      return {.kind = Kind::kStatus, .text = text()};
    case REDIS_REPLY_ERROR:
      return {.kind = Kind::kError, .text = text()};
    default:
      return {};
  }
}

}  // namespace

RedisSession::RedisSession(StreamConnection connection, std::chrono::seconds limit)
    : connection_(std::move(connection)), limit_(limit), reader_(::redisReaderCreate(), ::redisReaderFree) {}

RedisSession::~RedisSession() = default;

Result<std::unique_ptr<RedisSession>> RedisSession::open(const DatabaseHost& host, const RedisLogin& login,
                                                         std::chrono::seconds limit,
                                                         libconf::DiagnosticSink& warnings) {
  Result<StreamConnection> connection = StreamConnection::connect(endpoint_of(host), limit, warnings);
  if (!connection) return connection.error();
  std::unique_ptr<RedisSession> session(new RedisSession(std::move(*connection), limit));
  if (!session->reader_) return lookup_error(ENOMEM);
  if (Result<void> logged_in = session->log_in(login); !logged_in) return logged_in.error();
  return session;
}

Result<void> RedisSession::log_in(const RedisLogin& login) {
  std::vector<RedisCommand> commands;
  const bool authenticates = !login.user.empty() || !login.password.empty();
  if (authenticates) {
    commands.push_back({"AUTH"});
    if (!login.user.empty()) commands.back().push_back(login.user);
    commands.back().push_back(login.password);
  }
  if (login.database != 0) commands.push_back({"SELECT", std::to_string(login.database)});
  if (commands.empty()) return {};
  if (Result<void> sent = send(commands); !sent) return sent;
  for (const RedisCommand& command : commands) {
    const Result<RedisReply> reply = read();
    if (!reply) return reply.error();
    if (reply->kind != RedisReply::Kind::kError) continue;
    // Servers repeat an AUTH that they do not know, password and all: of the text, the first word at most.
    if (command.front() == "AUTH")
      return reason(concat("login refused, ",
                           libconf::printable(reply->text.substr(0, reply->text.find(' '))),
                           ": look at \"user\" and \"password\""));
    return reason(concat(command.front(), " ", command.back(), ": ", libconf::printable(reply->text)));
  }
  return {};
}

Result<void> RedisSession::send(const std::vector<RedisCommand>& commands) {
  deadline_ = StreamConnection::Clock::now() + limit_;
  while (awaited_ > 0)
    if (const Result<RedisReply> passed_over = read(); !passed_over) return passed_over.error();
  if (!failure_.empty()) return reason(failure_);
  std::string bytes;
  for (const RedisCommand& command : commands)
    if (!append_command(command, bytes)) return fail(lookup_error(ENOMEM).message);
  if (const Result<void> written = connection_.write(bytes, deadline_); !written)
    return fail(written.error().message);
  awaited_ = commands.size();
  return {};
}

Result<RedisReply> RedisSession::read() {
  if (!failure_.empty()) return reason(failure_);
  Result<RedisReply> reply = read_next();
  if (!reply) return fail(reply.error().message);
  --awaited_;
  return reply;
}

Result<RedisReply> RedisSession::read_next() {
  constexpr std::size_t kMostAtOnce = 16384;
  for (std::size_t size = 0;;) {
    // Between replies the library is at no task.
    const bool is_between = reader_->ridx == -1;
    if (is_between && reader_->pos < reader_->len && !begins_reply(reader_->buf[reader_->pos]))
      return reason("unexpected reply");
    void* object = nullptr;
    if (::redisReaderGetReply(reader_.get(), &object) != REDIS_OK)
      return reason(concat("bad reply: ", reader_->errstr));
    if (object != nullptr) {
      const std::unique_ptr<void, void (*)(void*)> owner(object, ::freeReplyObject);
      return convert(*static_cast<const redisReply*>(object));
    }
    std::string bytes;
    const Result<std::size_t> count = connection_.read_some(bytes, kMostAtOnce, deadline_);
    if (!count) return count.error();
    if (*count == 0) return reason("connection closed by the server");
    size += *count;
    if (size > kMaxReply) return reason("reply too long");
    if (::redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK)
      return reason(concat("bad reply: ", reader_->errstr));
  }
}

Error RedisSession::fail(std::string why) {
  if (failure_.empty()) failure_ = std::move(why);
  awaited_ = 0;
  return reason(failure_);
}

}  // namespace libmaps
