#include "tools/mta/delivery/client_tls_policy.h"

#include <array>
#include <optional>

#include "libconf/text.h"
#include "libmaps/domain_keys.h"
#include "libmaps/utf8.h"
#include "tools/mta/daemon/empty_result.h"
#include "tools/mta/tls/sni_maps.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;

constexpr std::string_view kMatchSeparators = ", \t\r\n:";

/// Hexadecimal digits in pairs, with colons between them or without; nothing, for what is none.
std::optional<std::string> parse_fingerprint(std::string_view text) {
  std::string digits;
  for (const char c : libmaps::fold_ascii(text)) {
    const bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (is_digit) {
      digits += c;
    } else if (c != ':' || digits.size() % 2 != 0) {
      return std::nullopt;
    }
  }
  if (digits.empty() || digits.size() % 2 != 0) return std::nullopt;
  return digits;
}

}  // namespace

/// What an entry of the table overrides.
struct ClientTlsPolicies::Attributes {
  Level level;
  std::optional<std::string> protocols = {};
  std::optional<std::string> ciphers = {};
  std::optional<std::string> excluded = {};
  std::optional<std::string> server_name = {};
  std::optional<std::string> connection_reuse = {};
  std::vector<std::string> matches = {};
};

Result<ClientTlsPolicies::Level> ClientTlsPolicies::parse_level(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Level>, 8> kLevels{{
      {"none", {ClientTlsLevel::kNone}},
      {"may", {ClientTlsLevel::kMay}},
      {"encrypt", {ClientTlsLevel::kEncrypt}},
      {"fingerprint", {ClientTlsLevel::kFingerprint}},
      {"verify", {ClientTlsLevel::kVerify}},
      {"secure", {ClientTlsLevel::kSecure}},
      {"dane", {ClientTlsLevel::kMay, true, false}},
      {"dane-only", {ClientTlsLevel::kEncrypt, true, true}},
  }};
  for (const auto& [known, level] : kLevels)
    if (equals_ignoring_case(known, name)) return level;
  return libconf::configuration_error(concat("Invalid TLS level \"", name, "\""));
}

Result<std::unique_ptr<ClientTlsPolicies>> ClientTlsPolicies::open(std::string_view protocol,
                                                                   const libmaps::TableContext& context) {
  std::unique_ptr<ClientTlsPolicies> policies(new ClientTlsPolicies(protocol, context.warnings));
  Parameters& parameters = policies->settings_;
  std::string level;
  std::string dns_support;
  const struct {
    std::string_view suffix;
    std::string& value;
  } texts[] = {{"tls_security_level", level},
               {"dns_support_level", dns_support},
               {"tls_protocols", parameters.protocols},
               {"tls_mandatory_protocols", parameters.mandatory_protocols},
               {"tls_ciphers", parameters.ciphers},
               {"tls_mandatory_ciphers", parameters.mandatory_ciphers},
               {"tls_exclude_ciphers", parameters.excluded},
               {"tls_mandatory_exclude_ciphers", parameters.mandatory_excluded},
               {"tls_fingerprint_cert_match", parameters.fingerprints},
               {"tls_verify_cert_match", parameters.verify_match},
               {"tls_secure_cert_match", parameters.secure_match},
               {"tls_servername", parameters.server_name}};
  for (const auto& [suffix, value] : texts) {
    Result<std::string> text = context.settings.get(concat(protocol, suffix));
    if (!text) return text.error();
    value = std::move(*text);
  }
  parameters.has_dnssec = dns_support == "dnssec";
  bool is_used = false;
  bool is_enforced = false;
  bool checks_name = false;
  const struct {
    std::string_view suffix;
    bool& value;
  } flags[] = {{"use_tls", is_used}, {"enforce_tls", is_enforced}, {"tls_enforce_peername", checks_name}};
  for (const auto& [suffix, value] : flags) {
    const Result<bool> flag = context.settings.get_bool(concat(protocol, suffix));
    if (!flag) return flag.error();
    value = *flag;
  }
  if (level.empty()) level = is_enforced ? (checks_name ? "verify" : "encrypt") : (is_used ? "may" : "none");
  const Result<Level> parsed = parse_level(level);
  if (!parsed) return parsed.error();
  parameters.level = *parsed;
  Result<TableList> maps = TableList::open(concat(protocol, "tls_policy_maps"), context);
  if (!maps) return maps.error();
  policies->maps_ = std::move(*maps);
  Result<TableList> sites = TableList::open(concat(protocol, "tls_per_site"), context);
  if (!sites) return sites.error();
  if (policies->maps_.is_empty()) {
    policies->sites_ = std::move(*sites);
  } else if (!sites->is_empty()) {
    context.warnings.warn("tls-per-site", concat(protocol, "tls_per_site ignored when ", protocol,
                                                 "tls_policy_maps is not empty."));
  }
  return policies;
}

/// Says what is wrong, and gives the error that the mail gets.
Error ClientTlsPolicies::complaint(std::string_view text) {
  warnings_.warn("tls-policy", std::string(text));
  return libconf::configuration_error("client TLS configuration problem");
}

Error ClientTlsPolicies::problem(std::string_view nexthop, std::string_view text) {
  return complaint(concat(protocol_, "tls_policy_maps, next-hop destination \"", nexthop, "\": ", text));
}

/// The entry of the table; empty: there is none.
Result<std::string> ClientTlsPolicies::look_up(std::string_view nexthop) {
  if (maps_.is_empty()) return std::string();
  const bool is_domain = nexthop.find_first_of("[]:/") == std::string_view::npos;
  const std::string key = libmaps::fold_ascii(nexthop);
  std::vector<std::string_view> keys{key};
  if (is_domain) keys = libmaps::domain_keys(key, libmaps::ParentStyle::kDotted);
  for (const std::string_view each : keys) {
    const Result<std::optional<std::string>> entry = maps_.lookup(each);
    if (!entry) {
      warnings_.warn("tls-policy", entry.error().message);
      return problem(nexthop, "policy table lookup error");
    }
    if (!*entry) continue;
    std::string_view text = **entry;
    if (!libconf::next_word(text, libconf::kListSeparators)) return problem(nexthop, "invalid empty policy");
    return **entry;
  }
  return std::string();
}

/// What smtp_tls_per_site has for a destination or a host.
Result<std::optional<ClientTlsPolicies::Level>> ClientTlsPolicies::look_up_site(std::string_view what,
                                                                                std::string_view name) {
  constexpr std::array<std::pair<std::string_view, ClientTlsLevel>, 4> kPolicies{
      {{"NONE", ClientTlsLevel::kNone},
       {"MAY", ClientTlsLevel::kMay},
       {"MUST_NOPEERMATCH", ClientTlsLevel::kEncrypt},
       {"MUST", ClientTlsLevel::kVerify}}};
  const Result<std::optional<std::string>> entry = sites_.lookup(libmaps::fold_ascii(name));
  const bool is_empty = entry && *entry && (*entry)->empty();
  if (!entry) warnings_.warn("tls-per-site", entry.error().message);
  if (is_empty)
    for (std::string& line : empty_result_warnings(concat(protocol_, "tls_per_site"), name))
      warnings_.warn("tls-per-site", std::move(line));
  if (!entry || is_empty) {
    warnings_.warn("tls-per-site",
                   concat(protocol_, "tls_per_site: ", what, " \"", name, "\": per-site table lookup error"));
    return Error{.kind = ErrorKind::kTemporary, .message = "Temporary lookup error"};
  }
  if (!*entry) return std::optional<Level>();
  for (const auto& [known, level] : kPolicies)
    if (equals_ignoring_case(**entry, known)) return std::optional(Level{level});
  return complaint(
      concat(protocol_, "tls_per_site: unknown TLS policy '", **entry, "' for ", what, " ", name));
}

/// The destination's and the host's: what is more than MAY counts before it, then what is more secure.
Result<ClientTlsPolicies::Level> ClientTlsPolicies::site_level(std::string_view nexthop,
                                                               std::string_view host) {
  constexpr Level kMay{ClientTlsLevel::kMay};
  std::optional<Level> found;
  for (const auto& [what, name] :
       {std::pair<std::string_view, std::string_view>{"next-hop destination", nexthop},
        {"server hostname", host}}) {
    const Result<std::optional<Level>> site = look_up_site(what, name);
    if (!site) return site.error();
    if (!*site) continue;
    const bool is_stronger = !found || *found == kMay || (**site != kMay && (*site)->level > found->level);
    if (is_stronger) found = *site;
  }
  if (!found || (*found == kMay && settings_.level.level > ClientTlsLevel::kMay)) return settings_.level;
  return *found;
}

Result<void> ClientTlsPolicies::read_attribute(std::string_view attribute, std::string_view nexthop,
                                               Attributes& attributes) {
  const std::size_t sign = attribute.find('=');
  if (sign == std::string_view::npos)
    return problem(nexthop, concat("malformed attribute/value pair \"", attribute,
                                   "\": missing '=' after attribute name"));
  const std::string_view name = attribute.substr(0, sign);
  const std::string_view value = attribute.substr(sign + 1);
  if (value.empty()) return problem(nexthop, concat("attribute \"", name, "\" has empty value"));
  if (equals_ignoring_case(name, "match")) {
    if (attributes.level.level < ClientTlsLevel::kFingerprint)
      return problem(nexthop,
                     concat("attribute \"", name, "\" invalid at security level \"",
                            attributes.level.level == ClientTlsLevel::kMay ? "may" : "encrypt", "\""));
    attributes.matches.emplace_back(value);
    return {};
  }
  const struct {
    std::string_view name;
    std::optional<std::string>& value;
  } known[] = {{"protocols", attributes.protocols},
               {"ciphers", attributes.ciphers},
               {"exclude", attributes.excluded},
               {"servername", attributes.server_name},
               {"connection_reuse", attributes.connection_reuse}};
  for (const auto& each : known) {
    if (!equals_ignoring_case(name, each.name)) continue;
    if (each.value) return problem(nexthop, concat("attribute \"", name, "\" is specified multiple times"));
    each.value = value;
    if (each.name == "servername" && value != "hostname" && value != "nexthop" && !is_server_name(value))
      return problem(nexthop, concat("\"", attribute, "\" specifies an invalid hostname"));
    return {};
  }
  return problem(nexthop, concat("invalid attribute name: \"", name, "\""));
}

Result<void> ClientTlsPolicies::read_entry(std::string_view entry, std::string_view nexthop,
                                           Attributes& attributes) {
  const std::string_view name = libconf::next_word(entry, libconf::kListSeparators).value_or("");
  const Result<Level> level = parse_level(name);
  if (!level) return problem(nexthop, concat("invalid security level \"", name, "\""));
  attributes.level = *level;
  while (const auto word = libconf::next_word(entry, libconf::kListSeparators)) {
    if (level->level == ClientTlsLevel::kNone) {
      warnings_.warn("tls-policy", concat(protocol_, "tls_policy_maps, next-hop destination \"", nexthop,
                                          "\": ignoring attribute \"", *word, "\" with TLS disabled"));
      return {};
    }
    Result<void> read = read_attribute(*word, nexthop, attributes);
    if (!read) return read;
  }
  return {};
}

/// Without DNSSEC, no destination has TLSA records that count.
Result<void> ClientTlsPolicies::resolve_dane(std::string_view domain, Level& level) {
  if (!level.is_dane || settings_.has_dnssec) return {};
  const std::string disabled = concat(domain, ": ", level.is_dane_only ? "dane-only" : "dane",
                                      " configured with dnssec lookups disabled");
  if (level.is_dane_only) return complaint(disabled);
  warnings_.warn("tls-policy", disabled);
  level.is_dane = false;
  return {};
}

void ClientTlsPolicy::require(ClientTlsLevel required) {
  level = required;
  static_cast<ClientTlsRules&>(*this) = rules_if_required;
  // Who shows no certificate cannot be told from anybody else.
  if (checks_server()) excluded_ciphers += " aNULL";
}

ClientTlsRules ClientTlsPolicies::rules(const Attributes& attributes, bool is_mandatory) const {
  const Parameters& own = settings_;
  std::string excluded = attributes.excluded.value_or(is_mandatory ? own.mandatory_excluded : own.excluded);
  return {.protocols = attributes.protocols.value_or(is_mandatory ? own.mandatory_protocols : own.protocols),
          .cipher_grade = attributes.ciphers.value_or(is_mandatory ? own.mandatory_ciphers : own.ciphers),
          .excluded_ciphers = is_mandatory ? concat(own.excluded, " ", excluded) : std::move(excluded)};
}

Result<void> ClientTlsPolicies::add_matches(const Attributes& attributes, std::string_view domain,
                                            std::string_view host, ClientTlsPolicy& policy) {
  const bool has_fingerprints = policy.level == ClientTlsLevel::kFingerprint;
  std::vector<std::string> lists = attributes.matches;
  if (lists.empty())
    lists.push_back(has_fingerprints                          ? settings_.fingerprints
                    : policy.level == ClientTlsLevel::kVerify ? settings_.verify_match
                                                              : settings_.secure_match);
  const std::string_view fingerprint_separators =
      attributes.matches.empty() ? libconf::kListSeparators : std::string_view("|");
  const std::string_view separators = has_fingerprints ? fingerprint_separators : kMatchSeparators;
  for (std::string_view list : lists) {
    while (const auto word = libconf::next_word(list, separators)) {
      if (has_fingerprints) {
        const std::optional<std::string> fingerprint = parse_fingerprint(*word);
        if (!fingerprint) warnings_.warn("tls-policy", concat("malformed fingerprint value: ", *word));
        if (fingerprint) policy.matches.push_back(*fingerprint);
      } else if (equals_ignoring_case(*word, "nexthop")) {
        policy.matches.emplace_back(domain);
      } else if (equals_ignoring_case(*word, "dot-nexthop")) {
        policy.matches.push_back(concat(".", domain));
      } else if (equals_ignoring_case(*word, "hostname")) {
        policy.matches.emplace_back(host);
      } else {
        policy.matches.emplace_back(*word);
      }
    }
  }
  if (!policy.matches.empty()) return {};
  return complaint(concat("nexthop domain ", domain, ": configured at ",
                          has_fingerprints                          ? "fingerprint"
                          : policy.level == ClientTlsLevel::kVerify ? "verify"
                                                                    : "secure",
                          " security level, but with no ",
                          has_fingerprints ? "fingerprints to match." : "names to match."));
}

Error ClientTlsPolicies::refuse(std::string_view nexthop, std::string_view host, Error error) {
  // In front of a socket stands its host, as Postfix has it.
  const bool is_socket = nexthop.starts_with('/');
  const std::string what =
      is_socket ? concat("error for ", host, "/", nexthop) : concat("for ", nexthop, "/", host);
  warnings_.warn("tls-policy", concat("TLS policy lookup ", what, ": ", error.message));
  return error;
}

Result<ClientTlsPolicy> ClientTlsPolicies::find(std::string_view nexthop, std::string_view domain,
                                                std::string_view host) {
  const auto failure = [&](Error error) { return refuse(nexthop, host, std::move(error)); };
  const Result<std::string> entry = look_up(nexthop);
  if (!entry) return failure(entry.error());
  const Result<Level> level = sites_.is_empty() ? settings_.level : site_level(nexthop, host);
  if (!level) return failure(level.error());
  Attributes attributes{.level = *level};
  if (!entry->empty()) {
    const Result<void> read = read_entry(*entry, nexthop, attributes);
    if (!read) return failure(read.error());
  }
  const Result<void> resolved = resolve_dane(domain, attributes.level);
  if (!resolved) return failure(resolved.error());
  ClientTlsPolicy policy;
  policy.level = attributes.level.level;
  policy.is_dane = attributes.level.is_dane;
  policy.is_dane_only = attributes.level.is_dane_only;
  if (policy.level == ClientTlsLevel::kNone) return policy;

  policy.rules_if_required = rules(attributes, true);
  if (policy.is_required()) {
    policy.require(policy.level);
  } else {
    static_cast<ClientTlsRules&>(policy) = rules(attributes, false);
  }
  policy.server_name = attributes.server_name.value_or(settings_.server_name);
  if (policy.server_name == "hostname") policy.server_name = host;
  if (policy.server_name == "nexthop") policy.server_name = domain;
  if (!policy.server_name.empty() && !is_server_name(policy.server_name))
    return failure(complaint(concat("\"", protocol_, "tls_servername = ", policy.server_name,
                                    "\" specifies an invalid hostname")));
  if (policy.checks_server()) {
    const Result<void> added = add_matches(attributes, domain, host, policy);
    if (!added) return failure(added.error());
  }
  return policy;
}

}  // namespace mta
