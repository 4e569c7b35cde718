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

class LdapTable final : public BatchTable {
 public:
  LdapTable(LdapSettings settings, libconf::DiagnosticSink& warnings)
      : BatchTable(settings.server.table), settings_(std::move(settings)), warnings_(warnings) {}

 protected:
  std::vector<Answer> fetch(std::span<const std::string> keys) override {
    const LdapDebugScope scope(settings_.server.debug_level, warnings_);
    std::vector<Query> queries;
    Result<void> prepared = prepare(keys, queries);
    std::vector<Answer> answers;
    while (answers.size() < queries.size()) {
      const bool is_old = connection_ != nullptr;
      if (!connection_) {
        auto connection = LdapConnection::connect(settings_.server, warnings_);
        if (!connection) {
          answers.emplace_back(connection.error());
          return answers;
        }
        connection_ = std::move(*connection);
      }
      run(queries, is_old, answers);
      if (!answers.empty() && !answers.back()) return answers;
    }
    if (!prepared) answers.emplace_back(prepared.error());
    return answers;
  }

 private:
  /// A key, and its search.
  struct Query {
    std::string_view key;
    bool is_accepted = false;
    std::string base;
    std::string filter;
    int id = 0;
    LdapAnswer sent;  ///< What was against sending it.
  };

  /// Makes the queries for a prefix of the keys. An error is the answer to the key after those.
  Result<void> prepare(std::span<const std::string> keys, std::vector<Query>& queries) {
    queries.reserve(keys.size());
    for (const std::string& key : keys) {
      // It is warned of, which must wait for its turn.
      if (key.empty() && !queries.empty()) break;
      const Result<bool> is_accepted = settings_.rules.accepts(key);
      if (!is_accepted) return is_accepted.error();
      Query query{.key = key, .is_accepted = *is_accepted};
      if (*is_accepted) {
        query.base = settings_.rules.query_for(key, escape_ldap_dn, LdapSettings::kBase);
        query.filter = settings_.rules.query_for(key, escape_ldap_filter, LdapSettings::kFilter);
      }
      queries.push_back(std::move(query));
    }
    return {};
  }

  LdapSearch search_for(const Query& query) const {
    return {.base = query.base,
            .scope = settings_.scope,
            .filter = query.filter,
            .attributes = settings_.attributes.names()};
  }

  /// Sends what has no answer yet, and collects answers up to the first error, or until the connection is
  /// lost. Whoever lost an old one may try another; with a new one it is an error.
  void run(std::vector<Query>& queries, bool is_old, std::vector<Answer>& answers) {
    const std::size_t first = answers.size();
    connection_->hold_back();
    for (std::size_t i = first; i < queries.size(); ++i)
      if (queries[i].is_accepted) queries[i].sent = connection_->send(search_for(queries[i]), queries[i].id);
    for (std::size_t i = first; i < queries.size(); ++i) {
      Query& query = queries[i];
      if (!query.is_accepted) {
        answers.emplace_back(std::nullopt);
        continue;
      }
      const bool may_retry = is_old || i > first;
      std::optional<Answer> answer = answer_to(query, may_retry);
      if (answer) answers.push_back(std::move(*answer));
      if (answer && answers.back()) continue;
      if (connection_)
        for (std::size_t rest = i + 1; rest < queries.size(); ++rest)
          if (queries[rest].is_accepted && queries[rest].sent.code == LDAP_SUCCESS)
            connection_->abandon(queries[rest].id);
      return;
    }
  }

  /// Nothing: the connection is lost, and the query may be repeated.
  std::optional<Answer> answer_to(Query& query, bool may_retry) {
    LdapAnswer answer =
        query.sent.code == LDAP_SUCCESS ? connection_->receive(query.id) : std::move(query.sent);
    ResultList results(settings_.rules, query.key);
    if (answer.code == LDAP_SUCCESS) {
      LdapAnswer failure;
      switch (collect_ldap_values(*connection_, settings_, query.key, answer, results, warnings_, failure)) {
        case LdapOutcome::kDone:
          return results.take();
        case LdapOutcome::kFailed:
          return lookup_error(failure.error_number);
        case LdapOutcome::kLost:
          answer = std::move(failure);
          break;
      }
    }
    return failed(query, answer, may_retry);
  }

  std::optional<Answer> failed(const Query& query, const LdapAnswer& answer, bool may_retry) {
    const bool is_lost = is_connection_lost(answer.code);
    if (answer.code == LDAP_NO_SUCH_OBJECT && !settings_.rules.is_constant(LdapSettings::kBase))
      return std::optional<std::string>();
    if (!is_lost || !may_retry) warn(query, answer);
    if (is_lost) connection_.reset();
    if (is_lost && may_retry) return std::nullopt;
    return lookup_error(answer.error_number);
  }

  void warn(const Query& query, const LdapAnswer& answer) {
    const std::string code = std::to_string(answer.code);
    const std::string_view reason = ::ldap_err2string(answer.code);
    if (answer.code == LDAP_NO_SUCH_OBJECT)
      warnings_.warn("ldap-base", concat("dict_ldap_lookup: ", settings_.server.config, ": Search base '",
                                         query.base, "' not found: ", code, ": ", reason));
    else
      warnings_.warn("ldap-search", concat("dict_ldap_lookup: Search error ", code, ": ", reason, " "));
    connection_->explain(answer, concat("search for ", query.filter, " in \"", query.base, "\""));
  }

  LdapSettings settings_;
  libconf::DiagnosticSink& warnings_;
  std::unique_ptr<LdapConnection> connection_;
};

}  // namespace

Result<std::unique_ptr<Table>> make_ldap(const TableConfig& config, const TableContext& context) {
  Result<LdapSettings> settings = read_ldap_settings(config, context);
  if (!settings) return settings.error();
  return std::unique_ptr<Table>(std::make_unique<LdapTable>(std::move(*settings), context.warnings));
}

}  // namespace libmaps

POSTKIT_EXPORT_CLIENT("ldap", libmaps::make_ldap);
