#include "libmaps/modules/ldap_table.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "libconf/text.h"
#include "libmaps/batch_table.h"
#include "libmaps/ldap_escape.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/export_module.h"
#include "libmaps/modules/ldap_connection.h"
#include "libmaps/modules/ldap_debug.h"
#include "libmaps/modules/ldap_entries.h"
#include "libmaps/modules/ldap_settings.h"

namespace libmaps {
namespace {

using libconf::concat;

/// Passes on what is reported in its turn. What is said of a key that nobody has asked for yet is dropped:
/// then the key's answer must be, too.
class TurnSink final : public libconf::DiagnosticSink {
 public:
  explicit TurnSink(libconf::DiagnosticSink& out) : out_(out) {}

  void report(libconf::Diagnostic diagnostic) override {
    if (is_in_turn_ || diagnostic.severity == libconf::Severity::kInfo)
      out_.report(std::move(diagnostic));
    else
      has_dropped_ = true;
  }

  void set_in_turn(bool is_in_turn) {
    is_in_turn_ = is_in_turn;
    has_dropped_ = false;
  }
  bool has_dropped() const { return has_dropped_; }

 private:
  libconf::DiagnosticSink& out_;
  bool is_in_turn_ = true;
  bool has_dropped_ = false;
};

class LdapTable final : public BatchTable {
 public:
  /// `settings` report to `sink`.
  LdapTable(LdapSettings settings, std::unique_ptr<TurnSink> sink)
      : BatchTable(settings.server.table), sink_(std::move(sink)), settings_(std::move(settings)) {}

 protected:
  std::vector<Answer> fetch(std::span<const std::string> keys) override {
    const LdapDebugScope scope(settings_.server.debug_level, *sink_);
    std::vector<Query> queries = prepare(keys.first(std::min(keys.size(), window_)));
    std::vector<Answer> answers;
    while (answers.size() < queries.size() && queries[answers.size()].is_settled())
      answers.push_back(queries[answers.size()].settled());
    if (answers.size() == queries.size()) return answers;
    // A connection that others have used may be of no use any more; that is no failure.
    const bool is_old = connection_ != nullptr;
    if (is_old) run(queries, true, answers);
    if (connection_ || !answers.empty()) return answers;
    auto connection = LdapConnection::connect(settings_.server, *sink_);
    if (!connection) return {connection.error()};
    connection_ = std::move(*connection);
    run(queries, false, answers);
    return answers;
  }

 private:
  /// A key, and its search.
  struct Query {
    std::string_view key;
    Result<bool> is_accepted = false;
    std::string base = {};
    std::string filter = {};
    int id = 0;
    LdapAnswer sent = {};  ///< What was against sending it.

    /// Whether it needs no server, and what the answer is.
    bool is_settled() const { return !is_accepted || !*is_accepted; }
    Answer settled() const {
      return is_accepted ? Answer(std::optional<std::string>()) : Answer(is_accepted.error());
    }
  };

  /// The queries for a prefix of the keys: none for a key that there is something to say of before its turn.
  std::vector<Query> prepare(std::span<const std::string> keys) {
    std::vector<Query> queries;
    queries.reserve(keys.size());
    for (const std::string& key : keys) {
      sink_->set_in_turn(queries.empty());
      Query query{.key = key, .is_accepted = settings_.rules.accepts(key)};
      if (!queries.empty() && (!query.is_accepted || sink_->has_dropped())) break;
      if (!query.is_settled()) {
        query.base = settings_.rules.query_for(key, escape_ldap_dn, LdapSettings::kBase);
        query.filter = settings_.rules.query_for(key, escape_ldap_filter, LdapSettings::kFilter);
      }
      queries.push_back(std::move(query));
      if (!queries.back().is_accepted) break;
    }
    sink_->set_in_turn(true);
    return queries;
  }

  LdapSearch search_for(const Query& query) const {
    return {.base = query.base,
            .scope = settings_.scope,
            .filter = query.filter,
            .attributes = settings_.attributes.names()};
  }

  /// Sends what has no answer yet, and appends answers to it: up to the first that is an error or comes with
  /// a warning, or until the connection is lost. That is no error for the first key where `may_retry` is set.
  void run(std::vector<Query>& queries, bool may_retry, std::vector<Answer>& answers) {
    connection_->hold_back();
    for (std::size_t i = answers.size(); i < queries.size(); ++i)
      if (!queries[i].is_settled())
        queries[i].sent = connection_->send(search_for(queries[i]), queries[i].id);
    std::size_t next = answers.size();
    bool is_good = true;
    for (; is_good && next < queries.size(); ++next) {
      const bool is_in_turn = answers.empty();
      sink_->set_in_turn(is_in_turn);
      std::optional<Answer> answer = answer_to(queries[next], may_retry && is_in_turn);
      is_good = answer && *answer && !sink_->has_dropped();
      if (answer && (is_good || is_in_turn)) answers.push_back(std::move(*answer));
    }
    sink_->set_in_turn(true);
    // A table that has something to say of many keys must not have them all asked for again and again.
    window_ = is_good ? std::min(kMaxBatch, 2 * window_) : 1;
    if (!connection_) return;
    for (; next < queries.size(); ++next)
      if (!queries[next].is_settled() && queries[next].sent.code == LDAP_SUCCESS)
        connection_->abandon(queries[next].id);
  }

  /// Nothing: the connection is lost, and the query may be repeated.
  std::optional<Answer> answer_to(Query& query, bool may_retry) {
    if (query.is_settled()) return query.settled();
    LdapAnswer answer =
        query.sent.code == LDAP_SUCCESS ? connection_->receive(query.id) : std::move(query.sent);
    if (answer.code != LDAP_SUCCESS) return failed(query, answer, may_retry);
    ResultList results(settings_.rules, query.key);
    LdapAnswer failure;
    switch (collect_ldap_values(*connection_, settings_, query.key, answer, results, *sink_, failure)) {
      case LdapOutcome::kDone:
        return results.take();
      case LdapOutcome::kFailed:
        return lookup_error(failure.error_number);
      case LdapOutcome::kLost:
        break;
    }
    return failed(query, failure, may_retry);
  }

  std::optional<Answer> failed(const Query& query, const LdapAnswer& answer, bool may_retry) {
    // There need not be an entry for each key where the key is a part of names.
    if (answer.code == LDAP_NO_SUCH_OBJECT && !settings_.rules.is_constant(LdapSettings::kBase))
      return std::optional<std::string>();
    const bool is_lost = is_connection_lost(answer.code);
    if (!is_lost || !may_retry) warn(query, answer);
    if (is_lost) connection_.reset();
    if (is_lost && may_retry) return std::nullopt;
    return lookup_error(answer.error_number);
  }

  void warn(const Query& query, const LdapAnswer& answer) {
    const std::string code = std::to_string(answer.code);
    const std::string_view reason = ::ldap_err2string(answer.code);
    if (answer.code == LDAP_NO_SUCH_OBJECT)
      sink_->warn("ldap-base", concat("dict_ldap_lookup: ", settings_.server.config, ": Search base '",
                                      query.base, "' not found: ", code, ": ", reason));
    else
      sink_->warn("ldap-search", concat("dict_ldap_lookup: Search error ", code, ": ", reason, " "));
    connection_->explain(answer, concat("search for ", query.filter, " in \"", query.base, "\""));
  }

  std::unique_ptr<TurnSink> sink_;
  LdapSettings settings_;
  std::unique_ptr<LdapConnection> connection_;
  std::size_t window_ = kMaxBatch;  ///< How many keys to ask for together.
};

}  // namespace

Result<std::unique_ptr<Table>> make_ldap(const TableConfig& config, const TableContext& context) {
  auto sink = std::make_unique<TurnSink>(context.warnings);
  Result<LdapSettings> settings = read_ldap_settings(config, {.settings = context.settings,
                                                              .warnings = *sink,
                                                              .options = context.options,
                                                              .match_domains = context.match_domains});
  if (!settings) return settings.error();
  return std::unique_ptr<Table>(std::make_unique<LdapTable>(std::move(*settings), std::move(sink)));
}

}  // namespace libmaps

POSTKIT_EXPORT_CLIENT("ldap", libmaps::make_ldap);
