#include "libmaps/modules/redis_table.h"

#include <vector>

#include "libconf/service_root.h"
#include "libconf/text.h"
#include "libmaps/batch_table.h"
#include "libmaps/host_pool.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/export_module.h"
#include "libmaps/modules/redis_session.h"
#include "libmaps/query_template.h"

namespace libmaps {
namespace {

using libconf::concat;

/// A command that reads one value.
struct Command {
  std::string_view name;
  bool has_field = false;         ///< A second argument.
  bool tells_membership = false;  ///< Replies 1 or 0, not with a value.
};

constexpr Command kCommands[] = {{"GET", false, false}, {"HGET", true, false}, {"SISMEMBER", true, true}};

/// A session, and what its messages call it.
struct Connection {
  std::unique_ptr<RedisSession> session;
  std::string host;
  bool has_served =
      false;  ///< It may have become idle since, and closed: no more than a reason to connect anew.
};

class RedisTable final : public BatchTable {
 public:
  struct Parameters {
    HostIntervals intervals;
    RedisLogin login;
    std::chrono::seconds timeout{0};
    Command command;
  };

  RedisTable(std::string name, std::vector<DatabaseHost> hosts, Parameters parameters, QueryRules rules,
             QueryTemplate field, libconf::DiagnosticSink& warnings)
      : BatchTable(std::move(name)),
        parameters_(std::move(parameters)),
        rules_(std::move(rules)),
        field_(std::move(field)),
        warnings_(warnings),
        pool_(std::move(hosts), parameters_.intervals,
              [this](const DatabaseHost& host) { return connect(host); }) {}

 private:
  Result<bool> accepts(std::string_view key) override {
    if (parameters_.command.has_field && !field_.accepts_key(QueryAddress(key)) && !key.empty()) return false;
    return rules_.accepts(key);
  }

  std::vector<Answer> fetch(std::span<const std::string> keys) override {
    std::vector<RedisCommand> commands;
    for (const std::string& key : keys) commands.push_back(command_for(key));
    std::vector<Answer> answers;
    if (!pool_.try_each([&](Connection& connection) { return ask(connection, commands, answers); }))
      return {Error{.kind = ErrorKind::kTemporary, .message = reason_}};
    return answers;
  }

  Answer conclude(std::string_view key, Answer answer) override {
    if (!answer || !*answer) return answer;
    ResultList results(rules_, key);
    if (!results.add(**answer)) return lookup_error(0);
    return results.take();
  }

  RedisCommand command_for(std::string_view key) const {
    RedisCommand command = {std::string(parameters_.command.name), rules_.query_for(key, {})};
    if (!parameters_.command.has_field) return command;
    const QueryAddress parts(key);
    field_.expand(parts, parts, {}, command.emplace_back());
    return command;
  }

  std::unique_ptr<Connection> connect(const DatabaseHost& host) {
    auto session = RedisSession::open(host, parameters_.login, parameters_.timeout, warnings_);
    if (session)
      return std::make_unique<Connection>(Connection{.session = std::move(*session), .host = host.text});
    warn(host.text, session.error().message);
    return nullptr;
  }

  /// Fills `answers` up to the first that is none. What that is, is reported when it is the first of all.
  Attempt ask(Connection& connection, const std::vector<RedisCommand>& commands,
              std::vector<Answer>& answers) {
    const auto lost = [&](const Error& error) {
      if (!connection.has_served) warn(connection.host, error.message);
      return Attempt::kLost;
    };
    if (const Result<void> sent = connection.session->send(commands); !sent) return lost(sent.error());
    for (const RedisCommand& command : commands) {
      const Result<RedisReply> reply = connection.session->read();
      const std::string problem = reply ? problem_of(*reply) : reply.error().message;
      if (!problem.empty() && !answers.empty()) break;
      if (!reply) return lost(reply.error());
      if (!problem.empty()) {
        warn(connection.host, concat(problem, " (", command[0], " ", libconf::printable(command[1]), ")"));
        return Attempt::kRefused;
      }
      answers.push_back(answer_of(*reply, command));
      connection.has_served = true;
    }
    return Attempt::kDone;
  }

  /// Why a reply is no answer; empty: it is one.
  std::string problem_of(const RedisReply& reply) const {
    using Kind = RedisReply::Kind;
    if (reply.kind == Kind::kError) return concat("error reply: ", libconf::printable(reply.text));
    const bool is_expected = parameters_.command.tells_membership
                                 ? reply.kind == Kind::kInteger
                                 : reply.kind == Kind::kString || reply.kind == Kind::kNil;
    return is_expected ? "" : "unexpected reply";
  }

  /// REQUIRES: no problem. Members are their own value; a value is a C string to Postfix.
  Answer answer_of(const RedisReply& reply, const RedisCommand& command) const {
    const bool is_found =
        parameters_.command.tells_membership ? reply.integer != 0 : reply.kind == RedisReply::Kind::kString;
    if (!is_found) return std::optional<std::string>();
    const std::string& value = parameters_.command.tells_membership ? command.back() : reply.text;
    return std::optional(value.substr(0, value.find('\0')));
  }

  void warn(std::string_view host, std::string_view what) {
    reason_ = what;
    warnings_.warn("redis-failed", concat(name(), ": server ", host, ": ", what));
  }

  Parameters parameters_;
  QueryRules rules_;
  QueryTemplate field_;
  libconf::DiagnosticSink& warnings_;
  HostPool<Connection> pool_;
  std::string reason_;  ///< Of the last failure: hosts that are left alone after it have no other.
};

Result<RedisTable::Parameters> read_parameters(const TableConfig& config) {
  RedisTable::Parameters parameters;
  const struct {
    std::string* value;
    std::string_view setting;
  } texts[] = {{&parameters.login.user, "user"}, {&parameters.login.password, "password"}};
  for (const auto& [value, setting] : texts) {
    Result<std::string> read = config.get_string(setting, "");
    if (!read) return read.error();
    *value = std::move(*read);
  }
  const Result<std::int64_t> database = config.get_int("database", 0);
  if (!database) return database.error();
  parameters.login.database = *database;
  const struct {
    std::chrono::seconds* value;
    std::string_view setting;
    std::int64_t fallback;
  } times[] = {{&parameters.timeout, "timeout", 10},
               {&parameters.intervals.retry, "retry_interval", 60},
               {&parameters.intervals.idle, "idle_interval", 60}};
  for (const auto& [value, setting, fallback] : times) {
    const Result<std::int64_t> read = config.get_int(setting, fallback, {.min = 1});
    if (!read) return read.error();
    *value = std::chrono::seconds(*read);
  }
  return parameters;
}

Result<Command> read_command(const TableConfig& config) {
  const Result<std::string> name = config.get_string("command", "GET");
  if (!name) return name.error();
  for (const Command& command : kCommands)
    if (libconf::equals_ignoring_case(command.name, *name)) return command;
  return Error{.kind = ErrorKind::kConfiguration,
               .message = concat(config.name(), ": bad command: ", *name, "; use GET, HGET or SISMEMBER"),
               .file = config.name()};
}

/// Of a command without a field, it is not looked at.
Result<QueryTemplate> read_field(const TableConfig& config) {
  const Result<std::string> text = config.get_string("field_format", "%s", {.min = 1});
  if (!text) return text.error();
  std::optional<QueryTemplate> field = QueryTemplate::parse(*text, QueryTemplate::Role::kQuery);
  if (field) return std::move(*field);
  return Error{.kind = ErrorKind::kConfiguration,
               .message = concat(config.name(), ": Invalid field_format template: ", *text),
               .file = config.name()};
}

}  // namespace

Result<std::unique_ptr<Table>> make_redis(const TableConfig& config, const TableContext& context) {
  const std::string table = concat("redis:", config.name());
  Result<RedisTable::Parameters> parameters = read_parameters(config);
  if (!parameters) return parameters.error();
  const Result<Command> command = read_command(config);
  if (!command) return command.error();
  parameters->command = *command;
  // A hash or a set has a name, which is not that of its field.
  const Result<std::string> key_format =
      config.get_string("key_format", command->has_field ? "" : "%s", {.min = 1});
  if (!key_format) return key_format.error();
  Result<QueryTemplate> field = read_field(config);
  if (!field) return field.error();
  Result<QueryRules> rules = QueryRules::read(config, "redis", *key_format, table, context);
  if (!rules) return rules.error();
  const Result<std::string> host_list = config.get_string("hosts", "");
  if (!host_list) return host_list.error();
  const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(context.settings);
  if (!root) return root.error();
  Result<std::vector<DatabaseHost>> hosts = parse_database_hosts(*host_list, root->directory());
  if (!hosts) return hosts.error();
  return std::unique_ptr<Table>(std::make_unique<RedisTable>(table, std::move(*hosts), std::move(*parameters),
                                                             std::move(*rules), std::move(*field),
                                                             context.warnings));
}

}  // namespace libmaps

POSTKIT_EXPORT_CLIENT("redis", libmaps::make_redis);
