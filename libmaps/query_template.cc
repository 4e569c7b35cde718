#include "libmaps/query_template.h"

#include <algorithm>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::string_view kConversions = "sudSUD123456789";

/// The part that a conversion in upper case, or a digit, stands for.
std::string_view part_of(const QueryAddress& parts, char conversion) {
  switch (conversion) {
    case 'S':
      return parts.whole();
    case 'U':
      return parts.local_part();
    case 'D':
      return parts.domain();
    default:
      return parts.label(static_cast<unsigned>(conversion - '0'));
  }
}

bool is_of_result(char conversion) { return conversion >= 'a'; }

char to_upper(char conversion) { return static_cast<char>(conversion - 'a' + 'A'); }

Error invalid_template(const TableConfig& config, std::string_view what, std::string_view text) {
  return libconf::configuration_error(
      concat("db_common_parse: ", config.name(), ": Invalid ", what, " template: ", text));
}

}  // namespace

QueryAddress::QueryAddress(std::string_view text) : whole_(text), local_part_(text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return;
  local_part_ = text.substr(0, at);
  domain_ = text.substr(at + 1);
}

std::string_view QueryAddress::label(unsigned number) const {
  std::string_view rest = domain_;
  std::string_view label;
  for (unsigned i = 0; i < number; ++i) {
    // Dots that follow one another separate once.
    const std::size_t last = rest.find_last_not_of('.');
    if (last == std::string_view::npos) return {};
    rest = rest.substr(0, last + 1);
    const std::size_t dot = rest.rfind('.');
    const std::size_t start = dot == std::string_view::npos ? 0 : dot + 1;
    label = rest.substr(start);
    rest = rest.substr(0, start);
  }
  return label;
}

std::optional<QueryTemplate> QueryTemplate::parse(std::string_view text, Role role) {
  QueryTemplate parsed;
  Piece piece;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      piece.literal += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (text[i] == '%') {
      piece.literal += '%';
    } else if (kConversions.find(text[i]) != std::string_view::npos) {
      const bool is_key = role == Role::kQuery && is_of_result(text[i]);
      piece.conversion = is_key ? to_upper(text[i]) : text[i];
      parsed.pieces_.push_back(std::move(piece));
      piece = {};
    } else {
      return std::nullopt;
    }
  }
  parsed.pieces_.push_back(std::move(piece));
  return parsed;
}

bool QueryTemplate::accepts_key(const QueryAddress& key) const {
  for (const Piece& piece : pieces_)
    if (piece.conversion != 0 && !is_of_result(piece.conversion) && part_of(key, piece.conversion).empty())
      return false;
  return true;
}

bool QueryTemplate::expand(const QueryAddress& key, const QueryAddress& result, const Quote& quote,
                           std::string& out) const {
  for (const Piece& piece : pieces_) {
    out += piece.literal;
    if (piece.conversion == 0) continue;
    const std::string_view part = is_of_result(piece.conversion) ? part_of(result, to_upper(piece.conversion))
                                                                 : part_of(key, piece.conversion);
    if (part.empty()) return false;
    if (quote)
      quote(part, out);
    else
      out += part;
  }
  return true;
}

Result<QueryKeys> QueryKeys::parse(const TableConfig& config, std::span<const std::string_view> queries) {
  QueryKeys keys;
  for (const std::string_view query : queries) {
    std::optional<QueryTemplate> parsed = QueryTemplate::parse(query, QueryTemplate::Role::kQuery);
    if (!parsed) return invalid_template(config, "query", query);
    keys.queries_.push_back(std::move(*parsed));
  }
  return keys;
}

Result<void> QueryKeys::read_domains(const TableConfig& config, const TableContext& context) {
  const Result<std::string> domains = config.get_string("domain", "");
  if (!domains) return domains.error();
  if (domains->empty()) return {};
  if (!context.match_domains)
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = concat(config.name(), ": domain lists are not supported here")};
  Result<DomainPredicate> predicate = context.match_domains(*domains, config.name());
  if (!predicate) return predicate.error();
  is_in_domains_ = std::move(*predicate);
  return {};
}

Result<bool> QueryKeys::accepts(std::string_view key) const {
  if (key.empty()) return false;
  const QueryAddress parts(key);
  if (is_in_domains_) {
    // An empty domain may be in the list: static:all has everything.
    if (parts.local_part().empty() || key.find('@') == std::string_view::npos) return false;
    Result<bool> is_listed = is_in_domains_(parts.domain());
    if (!is_listed || !*is_listed) return is_listed;
  }
  return std::all_of(queries_.begin(), queries_.end(),
                     [&](const QueryTemplate& query) { return query.accepts_key(parts); });
}

std::string QueryKeys::query_for(std::string_view key, const Quote& quote, std::size_t which) const {
  const QueryAddress parts(key);
  std::string query;
  queries_[which].expand(parts, parts, quote, query);
  return query;
}

Result<QueryRules> QueryRules::read(const TableConfig& config, std::string_view type, std::string_view query,
                                    std::string_view table, const TableContext& context) {
  const Result<std::string> result_format = config.get_string("result_format", "%s", {.min = 1});
  if (!result_format) return result_format.error();
  const Result<std::int64_t> limit = config.get_int("expansion_limit", 0);
  if (!limit) return limit.error();
  Result<QueryRules> rules = make(config, type, {&query, 1}, *result_format, table, context);
  if (rules) rules->set_expansion_limit(*limit);
  return rules;
}

Result<QueryRules> QueryRules::make(const TableConfig& config, std::string_view type,
                                    std::span<const std::string_view> queries, std::string_view result_format,
                                    std::string_view table, const TableContext& context) {
  Result<QueryKeys> keys = QueryKeys::parse(config, queries);
  if (!keys) return keys.error();
  std::optional<QueryTemplate> result_template =
      QueryTemplate::parse(result_format, QueryTemplate::Role::kResult);
  if (!result_template) return invalid_template(config, "result", result_format);
  if (Result<void> read = keys->read_domains(config, context); !read) return read.error();

  QueryRules rules(std::move(*keys), std::move(*result_template), context);
  rules.type_ = type;
  rules.config_name_ = config.name();
  rules.table_ = table;
  return rules;
}

Result<bool> QueryRules::accepts(std::string_view key) const {
  // An address is missing, too, where a domain of the list is asked for.
  if (key.empty() && !keys_.is_limited_to_domains())
    warnings_->warn("empty-key", concat("table \"", table_, "\": empty query string -- ignored"));
  Result<bool> accepted = keys_.accepts(key);
  if (!accepted || !*accepted) return accepted;
  return result_.accepts_key(QueryAddress(key));
}

bool ResultList::add(std::string_view value) {
  if (append(value)) return true;
  rules_.warnings_->warn(
      "expansion-limit",
      concat("dict_", rules_.type_, "_lookup: ", rules_.config_name_, ": Expansion limit exceeded for key",
             rules_.type_ == "sqlite" ? "" : ":", " '", key_.whole(), "'"));
  return false;
}

bool ResultList::append(std::string_view value) {
  if (value.empty()) {
    rules_.warnings_->warn(
        "empty-result",
        concat("table \"", rules_.table_, "\": empty lookup result for: \"", key_.whole(), "\" -- ignored"));
    return true;
  }
  const std::size_t before = text_.size();
  if (count_ > 0) text_ += ',';
  if (!rules_.result_.expand(key_, QueryAddress(value), {}, text_)) {
    text_.resize(before);
    return true;
  }
  ++count_;
  return rules_.expansion_limit_ <= 0 || count_ <= rules_.expansion_limit_;
}

std::optional<std::string> ResultList::take() {
  if (count_ == 0) return std::nullopt;
  count_ = 0;
  return std::exchange(text_, {});
}

}  // namespace libmaps
