#include "libmaps/modules/mysql_table.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <iterator>
#include <optional>
#include <vector>

#include "libconf/service_root.h"
#include "libconf/text.h"
#include "libmaps/batch_table.h"
#include "libmaps/host_pool.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/export_module.h"
#include "libmaps/modules/mysql_session.h"
#include "libmaps/query_template.h"
#include "libmaps/sql_query.h"
#include "libmaps/sql_union.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::Diagnostic;

/// Keeps warnings until the turn of the key that they are about has come.
class DeferredWarnings final : public libconf::DiagnosticSink {
 public:
  void report(Diagnostic diagnostic) override { items_.push_back(std::move(diagnostic)); }
  std::vector<Diagnostic> take() { return std::exchange(items_, {}); }

 private:
  std::vector<Diagnostic> items_;
};

class MysqlTable final : public BatchTable {
 public:
  /// How the query is asked for several keys at once.
  struct Joinable {
    JoinableSelect select;
    QueryKeys parameters;  ///< The templates of one branch's.
  };
  struct Parameters {
    std::vector<DatabaseHost> hosts;
    HostIntervals intervals;
    MysqlLogin login;
    bool requires_result_set = true;
    std::optional<Joinable> joinable;  ///< Nothing: the query is asked for each key alone.
  };

  /// `deferred` is the sink of `rules`.
  MysqlTable(std::string name, Parameters parameters, std::unique_ptr<DeferredWarnings> deferred,
             QueryRules rules, libconf::DiagnosticSink& warnings)
      : BatchTable(std::move(name)),
        parameters_(std::move(parameters)),
        deferred_(std::move(deferred)),
        rules_(std::move(rules)),
        warnings_(warnings),
        can_join_(parameters_.joinable.has_value()),
        pool_(parameters_.hosts, parameters_.intervals,
              [this](const DatabaseHost& host) { return connect(host); }) {}

  std::size_t lookahead() const override { return can_join_ ? MysqlSession::kBranches : 0; }

  void release() override {
    BatchTable::release();
    fetched_.clear();
  }

 private:
  /// What is known of a key, and what is to be said of it when its turn comes.
  struct Fetched {
    std::string key;
    Answer answer;
    std::vector<Diagnostic> warnings;
  };

  std::vector<Answer> fetch(std::span<const std::string> keys) override {
    while (!fetched_.empty() && fetched_.front().key != keys.front()) fetched_.pop_front();
    if (fetched_.empty()) ask_for(keys);
    std::vector<Answer> answers;
    for (const std::string& key : keys) {
      if (fetched_.empty() || fetched_.front().key != key) break;
      if (!answers.empty() && !fetched_.front().warnings.empty()) break;
      for (Diagnostic& warning : fetched_.front().warnings) warnings_.report(std::move(warning));
      answers.push_back(std::move(fetched_.front().answer));
      fetched_.pop_front();
      if (!answers.back()) break;
    }
    return answers;
  }

  /// Fills fetched_, which is empty, with the first key at least.
  void ask_for(std::span<const std::string> keys) {
    std::vector<std::size_t> asked;  // Those that the server is to be asked for, as indices of fetched_.
    const std::size_t most = can_join_ ? MysqlSession::kBranches : 1;
    for (const std::string& key : keys) {
      const Result<bool> is_accepted = rules_.accepts(key);
      if (is_accepted && *is_accepted) asked.push_back(fetched_.size());
      fetched_.push_back({.key = key,
                          .answer = is_accepted ? Answer() : Answer(is_accepted.error()),
                          .warnings = deferred_->take()});
      if (!is_accepted || asked.size() == most) break;
    }
    if (asked.empty()) return;
    std::size_t answered = 0;
    if (!pool_.try_each([&](MysqlSession& session) { return ask(session, asked, answered); })) {
      fetched_[asked.front()].answer = lookup_error(reason_);
      answered = 1;
    }
    // Those that were not answered come again.
    if (answered < asked.size())
      fetched_.erase(std::next(fetched_.begin(), static_cast<std::ptrdiff_t>(asked[answered])),
                     fetched_.end());
  }

  std::unique_ptr<MysqlSession> connect(const DatabaseHost& host) {
    errno = 0;
    Result<std::unique_ptr<MysqlSession>> session = MysqlSession::open(host, parameters_.login);
    if (session) return std::move(*session);
    reason_ = errno;
    warnings_.warn("connect-failed",
                   concat("connect to mysql server ", host.text, ": ", session.error().message));
    return nullptr;
  }

  /// Asks for all of `asked`, or for the first alone, and counts in `answered` how many have their answer.
  Attempt ask(MysqlSession& session, std::span<const std::size_t> asked, std::size_t& answered) {
    errno = 0;
    if (can_join_ && session.can_join() && is_joinable(asked)) {
      const Result<std::vector<MysqlRows>> rows =
          session.ask_joined(parameters_.joinable->select, parameters_for(asked));
      if (rows) {
        for (; answered < asked.size(); ++answered) settle(asked[answered], (*rows)[answered]);
        return Attempt::kDone;
      }
      // It may be about a key whose turn has not come yet. From now on, each gets what is its own.
      can_join_ = false;
      if (rows.error().kind != ErrorKind::kTemporary) {
        warn_of(session, rows.error());
        return Attempt::kLost;
      }
    }
    const Result<MysqlRows> rows = session.ask(query_for(session, asked.front()));
    if (!rows) return failed(session, rows.error());
    if (!rows->is_set && parameters_.requires_result_set)
      return failed(session,
                    {.kind = ErrorKind::kTemporary,
                     .message = "query failed: query returned no result set(require_result_set = yes)"});
    settle(asked.front(), *rows);
    answered = 1;
    return Attempt::kDone;
  }

  /// Keys other than ASCII are asked for alone: how a server converts them differs between texts and
  /// parameters.
  bool is_joinable(std::span<const std::size_t> asked) const {
    const auto is_ascii_key = [&](std::size_t index) { return libconf::is_ascii(fetched_[index].key); };
    return asked.size() == MysqlSession::kBranches && std::all_of(asked.begin(), asked.end(), is_ascii_key);
  }

  std::vector<std::string> parameters_for(std::span<const std::size_t> asked) const {
    const Joinable& joinable = *parameters_.joinable;
    std::vector<std::string> parameters;
    for (const std::size_t index : asked)
      for (std::size_t which = 0; which < joinable.select.parameters().size(); ++which)
        parameters.push_back(joinable.parameters.query_for(fetched_[index].key, {}, which));
    return parameters;
  }

  std::string query_for(MysqlSession& session, std::size_t index) const {
    return rules_.query_for(fetched_[index].key, [&session](std::string_view text, std::string& out) {
      session.quote(text, out);
    });
  }

  Attempt failed(const MysqlSession& session, const Error& error) {
    warn_of(session, error);
    if (error.kind == ErrorKind::kTemporary) return Attempt::kRefused;
    return reason_ == ETIMEDOUT ? Attempt::kUnusable : Attempt::kLost;
  }

  void warn_of(const MysqlSession& session, const Error& error) {
    reason_ = errno;
    // With one host only, Postfix's words.
    const std::string host = parameters_.hosts.size() > 1 ? concat(" (server ", session.host(), ")") : "";
    warnings_.warn("query-failed", concat(name(), ": ", error.message, host));
  }

  void settle(std::size_t index, const MysqlRows& rows) {
    Fetched& fetched = fetched_[index];
    ResultList results(rules_, fetched.key);
    bool is_within_limit = true;
    for (const std::string& value : rows.values) {
      is_within_limit = results.add(value);
      if (!is_within_limit) break;
    }
    fetched.answer = is_within_limit ? Answer(results.take()) : Answer(lookup_error(0));
    fetched.warnings = deferred_->take();
  }

  Parameters parameters_;
  std::unique_ptr<DeferredWarnings> deferred_;
  QueryRules rules_;
  libconf::DiagnosticSink& warnings_;
  bool can_join_;  ///< Until that fails.
  HostPool<MysqlSession> pool_;
  std::deque<Fetched> fetched_;
  int reason_ = 0;  ///< The errno of what failed last.
};

Result<MysqlLogin> read_login(const TableConfig& config) {
  MysqlLogin login;
  const struct {
    std::string* value;
    std::string_view setting;
    std::string_view fallback = "";
    SettingLimits limits = {};
  } texts[] = {{&login.user, "user"},
               {&login.password, "password"},
               {&login.database, "dbname", "", {.min = 1}},
               {&login.charset, "charset", "utf8mb4", {.min = 1}},
               {&login.option_file, "option_file"},
               {&login.option_group, "option_group", "client"},
               {&login.tls_key_file, "tls_key_file"},
               {&login.tls_cert_file, "tls_cert_file"},
               {&login.tls_ca_file, "tls_CAfile"},
               {&login.tls_ca_path, "tls_CApath"},
               {&login.tls_ciphers, "tls_ciphers"}};
  for (const auto& [value, setting, fallback, limits] : texts) {
    Result<std::string> read = config.get_string(setting, fallback, limits);
    if (!read) return read.error();
    *value = std::move(*read);
  }
  const Result<bool> verify = config.get_bool("tls_verify_cert", false);
  if (!verify) return verify.error();
  login.tls_verify_cert = *verify;
  return login;
}

Result<MysqlTable::Parameters> read_parameters(const TableConfig& config) {
  MysqlTable::Parameters parameters;
  Result<MysqlLogin> login = read_login(config);
  if (!login) return login.error();
  parameters.login = std::move(*login);
  const struct {
    std::chrono::seconds* value;
    std::string_view setting;
  } times[] = {{&parameters.login.timeout, "timeout"},
               {&parameters.intervals.idle, "idle_interval"},
               {&parameters.intervals.retry, "retry_interval"}};
  constexpr SettingLimits kTimes = {.min = 1, .max = 86400};
  for (const auto& [value, setting] : times) {
    const Result<std::int64_t> seconds = config.get_int(setting, value->count(), kTimes);
    if (!seconds) return seconds.error();
    *value = std::chrono::seconds(*seconds);
  }
  const Result<bool> requires_result_set = config.get_bool("require_result_set", true);
  if (!requires_result_set) return requires_result_set.error();
  parameters.requires_result_set = *requires_result_set;
  return parameters;
}

}  // namespace

Result<std::unique_ptr<Table>> make_mysql(const TableConfig& config, const TableContext& context) {
  const std::string table = concat("mysql:", config.name());
  Result<MysqlTable::Parameters> parameters = read_parameters(config);
  if (!parameters) return parameters.error();
  const Result<std::string> query = read_sql_query(config, table, context.warnings);
  if (!query) return query.error();
  if (std::optional<JoinableSelect> select = JoinableSelect::parse(*query)) {
    const std::vector<std::string_view> templates(select->parameters().begin(), select->parameters().end());
    Result<QueryKeys> keys = QueryKeys::parse(config, templates);
    if (!keys) return keys.error();
    parameters->joinable = {std::move(*select), std::move(*keys)};
  }
  auto deferred = std::make_unique<DeferredWarnings>();
  const TableContext rules_context = {context.settings, *deferred, context.options, context.match_domains};
  Result<QueryRules> rules = QueryRules::read(config, "mysql", *query, table, rules_context);
  if (!rules) return rules.error();
  const Result<std::string> host_list = config.get_string("hosts", "");
  if (!host_list) return host_list.error();
  const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(context.settings);
  if (!root) return root.error();
  Result<std::vector<DatabaseHost>> hosts = parse_database_hosts(*host_list, root->directory());
  if (!hosts) return hosts.error();
  parameters->hosts = std::move(*hosts);
  return std::unique_ptr<Table>(std::make_unique<MysqlTable>(
      table, std::move(*parameters), std::move(deferred), std::move(*rules), context.warnings));
}

}  // namespace libmaps

POSTKIT_EXPORT_CLIENT("mysql", libmaps::make_mysql);
