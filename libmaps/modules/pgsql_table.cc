#include "libmaps/modules/pgsql_table.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <vector>

#include "libconf/service_root.h"
#include "libconf/text.h"
#include "libmaps/batch_table.h"
#include "libmaps/host_pool.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/export_module.h"
#include "libmaps/modules/pgsql_connection.h"
#include "libmaps/pgsql_hosts.h"
#include "libmaps/query_template.h"
#include "libmaps/sql_query.h"
#include "libmaps/sql_statement.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::DiagnosticSink;

/// Lets warnings through, or only notes that there is one: what a later key is warned of must wait for its
/// turn.
class WarningGate final : public DiagnosticSink {
 public:
  explicit WarningGate(DiagnosticSink& target) : target_(target) {}

  void report(libconf::Diagnostic diagnostic) override {
    if (is_open_)
      target_.report(std::move(diagnostic));
    else
      has_held_ = true;
  }

  /// Calls `function` with the gate closed. Nothing: it would have warned.
  template <class Function>
  auto quietly(const Function& function) -> std::optional<decltype(function())> {
    is_open_ = has_held_ = false;
    auto value = function();
    is_open_ = true;
    if (has_held_) return std::nullopt;
    return value;
  }

 private:
  DiagnosticSink& target_;
  bool is_open_ = true;
  bool has_held_ = false;
};

struct Parameters {
  PgsqlLogin login;
  HostIntervals intervals;
  std::chrono::seconds timeout{60};
};

/// The same query for one key, with quoted texts in it, and for several at once.
struct Query {
  QueryRules rules;  ///< Warn through the table's gate.
  bool has_key_in_escape_string = false;
  std::string statement;                  ///< Empty: keys are asked for one at a time.
  std::vector<QueryTemplate> parameters;  ///< Of the statement.
};

class PgsqlTable final : public BatchTable {
 public:
  PgsqlTable(std::string name, std::vector<PgsqlHost> hosts, Parameters parameters, Query query,
             std::unique_ptr<WarningGate> gate)
      : BatchTable(std::move(name)),
        parameters_(std::move(parameters)),
        gate_(std::move(gate)),
        query_(std::move(query)),
        pool_(std::move(hosts), parameters_.intervals,
              [this](const PgsqlHost& host) { return connect(host); }) {}

  std::size_t lookahead() const override { return query_.statement.empty() ? 0 : BatchTable::lookahead(); }

  void release() override {
    BatchTable::release();
    waiting_.clear();
  }

 protected:
  std::vector<Answer> fetch(std::span<const std::string> keys) override;

 private:
  /// What has come for a key whose turn it is not yet.
  struct Waiting {
    std::string key;
    bool is_asked = false;  ///< Otherwise the key is not to be looked up.
    PgsqlReply reply = {};
  };

  std::unique_ptr<PgsqlConnection> connect(const PgsqlHost& host);
  Attempt ask(PgsqlConnection& connection, std::span<const std::string> keys, std::optional<Answer>& first);
  bool ask_together(PgsqlConnection& connection, std::span<const std::string> keys);
  std::optional<std::string> query_for(PgsqlConnection& connection, const std::string& key);
  PgsqlConnection::Texts parameters_for(const std::string& key) const;
  Answer answer_of(const std::string& key, const PgsqlReply& reply);
  void take_waiting(std::span<const std::string> keys, std::vector<Answer>& answers);

  Parameters parameters_;
  std::unique_ptr<WarningGate> gate_;
  Query query_;
  HostPool<PgsqlConnection, PgsqlHost> pool_;
  std::deque<Waiting> waiting_;
  bool asks_together_ = true;
  int reason_ = 0;         ///< The errno of the last connection that could not be made.
  bool is_asked_ = false;  ///< A host was tried in this lookup.
};

std::vector<BatchTable::Answer> PgsqlTable::fetch(std::span<const std::string> keys) {
  std::vector<Answer> answers;
  if (!waiting_.empty() && waiting_.front().key != keys.front()) waiting_.clear();
  if (!waiting_.empty()) {
    // The turn has come of a key that there is something to warn of.
    const Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    answers.push_back(first.is_asked ? answer_of(first.key, first.reply) : std::nullopt);
  } else {
    const Result<bool> is_accepted = query_.rules.accepts(keys.front());
    if (!is_accepted) return {is_accepted.error()};
    if (!*is_accepted) return {std::optional<std::string>()};
    reason_ = 0;
    is_asked_ = false;
    std::optional<Answer> first;
    if (!pool_.try_each([&](PgsqlConnection& connection) { return ask(connection, keys, first); })) {
      if (!is_asked_)
        gate_->warn("no-host", concat(name(),
                                      ": all servers failed a short time ago, and are left alone for "
                                      "their retry_interval"));
      return {lookup_error(reason_)};
    }
    answers.push_back(std::move(*first));
  }
  if (answers.front()) take_waiting(keys.subspan(1), answers);
  return answers;
}

/// Adds the answers that there is nothing to warn of.
void PgsqlTable::take_waiting(std::span<const std::string> keys, std::vector<Answer>& answers) {
  for (const std::string& key : keys) {
    if (waiting_.empty() || waiting_.front().key != key) return;
    const Waiting& waiting = waiting_.front();
    if (waiting.is_asked) {
      std::optional<Answer> answer = gate_->quietly([&] { return answer_of(key, waiting.reply); });
      if (!answer || !*answer) return;
      answers.push_back(std::move(*answer));
    } else {
      answers.emplace_back(std::nullopt);
    }
    waiting_.pop_front();
  }
}

std::unique_ptr<PgsqlConnection> PgsqlTable::connect(const PgsqlHost& host) {
  is_asked_ = asks_together_ = true;
  errno = 0;
  auto connection = PgsqlConnection::connect(
      host, parameters_.login, parameters_.timeout, [this, text = host.text](std::string_view message) {
        gate_->warn("server-warning", concat(name(), ": host ", text, ": ", message));
      });
  if (connection) return std::move(*connection);
  reason_ = errno;
  gate_->warn("connect-failed",
              concat("connect to pgsql server ", host.text, ": ", connection.error().message));
  return nullptr;
}

/// Asks for the first key, and for those after it where that is possible.
Attempt PgsqlTable::ask(PgsqlConnection& connection, std::span<const std::string> keys,
                        std::optional<Answer>& first) {
  is_asked_ = true;
  const bool has_answered = connection.has_answered();
  const bool is_together = asks_together_ && ask_together(connection, keys);
  if (!waiting_.empty()) {
    first = answer_of(keys.front(), waiting_.front().reply);
    waiting_.pop_front();
    return Attempt::kDone;
  }

  // As Postfix asks, so that messages are the same, too.
  const std::optional<std::string> query = query_for(connection, keys.front());
  if (!query) return Attempt::kRefused;
  const PgsqlReply reply = connection.ask(*query);
  if (reply.kind == PgsqlReply::Kind::kDone) {
    // The query changes something, or the server is one that only looks like PostgreSQL.
    if (is_together) asks_together_ = false;
    first = answer_of(keys.front(), reply);
    return Attempt::kDone;
  }
  // Servers close what they find idle, and the pool connects anew: nothing to warn of.
  if (reply.kind != PgsqlReply::Kind::kLost || !has_answered)
    gate_->warn("query-failed", concat("pgsql query failed: ", reply.message));
  switch (reply.kind) {
    case PgsqlReply::Kind::kLost:
      return Attempt::kLost;
    case PgsqlReply::Kind::kUnusable:
      return Attempt::kUnusable;
    default:
      return Attempt::kRefused;
  }
}

/// Lets the keys wait that the server has answered for: as many as come before the first that is wrong, or
/// that there is something to warn of before it is asked for. False: it was not asked, as they are too few,
/// or the query is none for several.
bool PgsqlTable::ask_together(PgsqlConnection& connection, std::span<const std::string> keys) {
  if (query_.statement.empty()) return false;
  std::vector<Waiting> asked;
  std::vector<PgsqlConnection::Texts> parameters;
  for (const std::string& key : keys) {
    if (key.find('\0') != std::string::npos) break;
    // The first is accepted already.
    std::optional<Result<bool>> is_accepted = true;
    if (!asked.empty()) is_accepted = gate_->quietly([&] { return query_.rules.accepts(key); });
    if (!is_accepted || !*is_accepted) break;
    asked.push_back({.key = key, .is_asked = **is_accepted});
    if (asked.back().is_asked) parameters.push_back(parameters_for(key));
  }
  if (parameters.size() < 2) return false;
  std::vector<PgsqlReply> replies = connection.ask_together(query_.statement, parameters);
  auto reply = replies.begin();
  for (Waiting& waiting : asked) {
    if (waiting.is_asked && reply == replies.end()) break;
    if (waiting.is_asked) waiting.reply = std::move(*reply++);
    waiting_.push_back(std::move(waiting));
  }
  return true;
}

/// Nothing, after a warning, where the key is not of the connection's encoding.
std::optional<std::string> PgsqlTable::query_for(PgsqlConnection& connection, const std::string& key) {
  Result<void> is_quoted;
  std::string query = query_.rules.query_for(key, [&](std::string_view text, std::string& out) {
    if (is_quoted) is_quoted = connection.quote(text, query_.has_key_in_escape_string, out);
  });
  if (is_quoted) return query;
  gate_->warn("cannot-escape", concat("dict pgsql: (host ", connection.host().text,
                                      ") cannot escape input string: ", is_quoted.error().message));
  return std::nullopt;
}

PgsqlConnection::Texts PgsqlTable::parameters_for(const std::string& key) const {
  const QueryAddress parts(key);
  PgsqlConnection::Texts texts(query_.parameters.size());
  for (std::size_t i = 0; i < texts.size(); ++i) query_.parameters[i].expand(parts, parts, {}, texts[i]);
  return texts;
}

/// All columns of all rows are values.
BatchTable::Answer PgsqlTable::answer_of(const std::string& key, const PgsqlReply& reply) {
  const PGresult* const rows = reply.rows.get();
  ResultList results(query_.rules, key);
  for (int row = 0; row < ::PQntuples(rows); ++row)
    for (int column = 0; column < ::PQnfields(rows); ++column)
      if (!results.add(::PQgetvalue(rows, row, column))) return lookup_error(0);
  return results.take();
}

Result<PgsqlLogin> read_login(const TableConfig& config, bool needs_database) {
  PgsqlLogin login;
  const struct {
    std::string* value;
    std::string_view setting;
    std::string_view fallback;
    SettingLimits limits;
  } settings[] = {{&login.user, "user", "", {}},
                  {&login.password, "password", "", {}},
                  {&login.database, "dbname", "", {.min = needs_database ? 1 : 0}},
                  {&login.encoding, "encoding", "UTF8", {.min = 1}}};
  for (const auto& [value, setting, fallback, limits] : settings) {
    Result<std::string> read = config.get_string(setting, fallback, limits);
    if (!read) return read.error();
    *value = std::move(*read);
  }
  return login;
}

Result<std::chrono::seconds> read_seconds(const TableConfig& config, std::string_view setting) {
  constexpr std::int64_t kDefault = 60;
  constexpr std::int64_t kMost = 86400;  // Enough for any use, and its milliseconds are an int.
  const Result<std::int64_t> value = config.get_int(setting, kDefault, {.min = 1, .max = kMost});
  if (!value) return value.error();
  return std::chrono::seconds(*value);
}

Result<Parameters> read_parameters(const TableConfig& config, const std::vector<PgsqlHost>& hosts) {
  Parameters parameters;
  const bool needs_database =
      std::any_of(hosts.begin(), hosts.end(), [](const PgsqlHost& host) { return host.uri.empty(); });
  Result<PgsqlLogin> login = read_login(config, needs_database);
  if (!login) return login.error();
  parameters.login = std::move(*login);
  const std::pair<std::string_view, std::chrono::seconds*> times[] = {
      {"retry_interval", &parameters.intervals.retry},
      {"idle_interval", &parameters.intervals.idle},
      {"timeout", &parameters.timeout}};
  for (const auto& [setting, value] : times) {
    const Result<std::chrono::seconds> read = read_seconds(config, setting);
    if (!read) return read.error();
    *value = *read;
  }
  return parameters;
}

/// The template of the query: `select_function` comes after `query`, and before the other parts.
Result<std::string> read_query(const TableConfig& config, std::string_view table, DiagnosticSink& warnings) {
  const Result<std::string> query = config.get_string("query", "");
  if (!query) return query.error();
  const Result<std::string> function = config.get_string("select_function", "");
  if (!function) return function.error();
  if (query->empty() && !function->empty()) return concat("SELECT ", *function, "('%s')");
  return read_sql_query(config, table, warnings);
}

/// REQUIRES: `text` is a correct template.
Query query_of(std::string_view text, QueryRules rules) {
  SqlTraits traits = sql_traits(text);
  Query query{.rules = std::move(rules), .has_key_in_escape_string = traits.has_key_in_escape_string};
  if (!traits.statement) return query;
  query.statement = std::move(traits.statement->text);
  for (const std::string& parameter : traits.statement->parameters)
    query.parameters.push_back(*QueryTemplate::parse(parameter, QueryTemplate::Role::kQuery));
  return query;
}

}  // namespace

Result<std::unique_ptr<Table>> make_pgsql(const TableConfig& config, const TableContext& context) {
  const std::string table = concat("pgsql:", config.name());
  const Result<std::string> host_list = config.get_string("hosts", "");
  if (!host_list) return host_list.error();
  const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(context.settings);
  if (!root) return root.error();
  std::vector<PgsqlHost> hosts = parse_pgsql_hosts(*host_list, root->directory());
  Result<Parameters> parameters = read_parameters(config, hosts);
  if (!parameters) return parameters.error();
  const Result<std::string> text = read_query(config, table, context.warnings);
  if (!text) return text.error();

  auto gate = std::make_unique<WarningGate>(context.warnings);
  const TableContext gated{.settings = context.settings,
                           .warnings = *gate,
                           .options = context.options,
                           .match_domains = context.match_domains};
  Result<QueryRules> rules = QueryRules::read(config, "pgsql", *text, table, gated);
  if (!rules) return rules.error();
  return std::unique_ptr<Table>(std::make_unique<PgsqlTable>(
      table, std::move(hosts), std::move(*parameters), query_of(*text, std::move(*rules)), std::move(gate)));
}

}  // namespace libmaps

POSTKIT_EXPORT_CLIENT("pgsql", libmaps::make_pgsql);
