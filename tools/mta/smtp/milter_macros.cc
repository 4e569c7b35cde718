#include "tools/mta/smtp/milter_macros.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/mta/smtp/path.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

using Value = std::optional<std::string>;

/// What is empty is not known.
Value known(const std::string& text) { return text.empty() ? Value() : Value(text); }

struct Macro {
  std::string_view name;
  Value (*value)(const MilterSettings& settings, const MilterFacts& facts);
};

template <std::optional<MilterAddress> MilterFacts::*Who, std::string MilterAddress::*Part>
Value of_address(const MilterSettings&, const MilterFacts& facts) {
  if (!(facts.*Who)) return {};
  // The null sender has an address, which is empty.
  if (Part == &MilterAddress::address) return (*(facts.*Who)).*Part;
  return known((*(facts.*Who)).*Part);
}

template <auto Group, auto Member>
Value of_state(const MilterSettings&, const MilterFacts& facts) {
  return known((facts.state->*Group).*Member);
}

std::string_view resolved(NameStatus name, NameStatus reverse_name) {
  if (name == NameStatus::kFound) return "OK";
  if (name == NameStatus::kTemporaryFailure) return "TEMP";
  return reverse_name == NameStatus::kFound ? "FORGED" : "FAIL";
}

constexpr std::array kMacros = {
    Macro{"_",
          [](const MilterSettings&, const MilterFacts& facts) -> Value {
            return concat(facts.state->client.name, " [", facts.state->client.address, "]");
          }},
    Macro{"i", [](const MilterSettings&, const MilterFacts& facts) { return known(facts.state->queue_id); }},
    Macro{"j", [](const MilterSettings& settings, const MilterFacts&) { return known(settings.myhostname); }},
    Macro{"v", [](const MilterSettings& settings, const MilterFacts&) { return known(settings.version); }},
    Macro{"{auth_authen}", of_state<&SmtpdState::sasl, &SaslState::username>},
    Macro{"{auth_author}", of_state<&SmtpdState::sasl, &SaslState::sender>},
    Macro{"{auth_type}", of_state<&SmtpdState::sasl, &SaslState::method>},
    Macro{"{cert_issuer}", of_state<&SmtpdState::tls, &TlsState::certificate_issuer>},
    Macro{"{cert_subject}", of_state<&SmtpdState::tls, &TlsState::certificate_subject>},
    Macro{"{cipher_bits}",
          [](const MilterSettings&, const MilterFacts& facts) -> Value {
            const TlsState& tls = facts.state->tls;
            return tls.is_encrypted ? Value(std::to_string(tls.key_bits)) : Value();
          }},
    Macro{"{cipher}", of_state<&SmtpdState::tls, &TlsState::cipher>},
    Macro{"{client_addr}",
          [](const MilterSettings&, const MilterFacts& facts) -> Value {
            return smtp_literal(facts.state->client.address);
          }},
    Macro{"{client_connections}",
          [](const MilterSettings&, const MilterFacts& facts) -> Value {
            return facts.client_connections ? Value(std::to_string(*facts.client_connections)) : Value();
          }},
    Macro{"{client_name}", of_state<&SmtpdState::client, &ClientState::name>},
    Macro{"{client_port}", of_state<&SmtpdState::client, &ClientState::port>},
    Macro{"{client_ptr}", of_state<&SmtpdState::client, &ClientState::reverse_name>},
    Macro{"{client_resolve}",
          [](const MilterSettings&, const MilterFacts& facts) -> Value {
            const ClientState& client = facts.state->client;
            return std::string(resolved(client.name_status, client.reverse_name_status));
          }},
    Macro{"{daemon_addr}",
          [](const MilterSettings&, const MilterFacts& facts) { return known(facts.state->server_address); }},
    Macro{"{daemon_name}",
          [](const MilterSettings& settings, const MilterFacts&) { return known(settings.daemon_name); }},
    Macro{"{daemon_port}",
          [](const MilterSettings&, const MilterFacts& facts) { return known(facts.state->server_port); }},
    Macro{"{mail_addr}", of_address<&MilterFacts::sender, &MilterAddress::address>},
    Macro{"{mail_host}", of_address<&MilterFacts::sender, &MilterAddress::host>},
    Macro{"{mail_mailer}", of_address<&MilterFacts::sender, &MilterAddress::mailer>},
    Macro{"{rcpt_addr}", of_address<&MilterFacts::recipient, &MilterAddress::address>},
    Macro{"{rcpt_host}", of_address<&MilterFacts::recipient, &MilterAddress::host>},
    Macro{"{rcpt_mailer}", of_address<&MilterFacts::recipient, &MilterAddress::mailer>},
    Macro{"{tls_version}", of_state<&SmtpdState::tls, &TlsState::protocol>},
};

/// The name of a macro, with braces or without.
std::string_view bare(std::string_view name) {
  return name.starts_with('{') && name.ends_with('}') ? name.substr(1, name.size() - 2) : name;
}

}  // namespace

Result<MilterSettings> MilterSettings::read(const libconf::Settings& settings, std::string_view parameter) {
  MilterSettings out;
  Result<std::vector<MilterOptions>> filters = milter_options(settings, parameter);
  if (!filters) return filters.error();
  out.filters = std::move(*filters);
  const struct {
    std::string_view name;
    std::string& value;
  } texts[] = {{"myhostname", out.myhostname},
               {"milter_macro_daemon_name", out.daemon_name},
               {"milter_macro_v", out.version}};
  for (const auto& [name, value] : texts) {
    Result<std::string> text = settings.get(name);
    if (!text) return text.error();
    value = std::move(*text);
  }
  const Result<std::string> defaults = settings.get("milter_macro_defaults");
  if (!defaults) return defaults.error();
  std::string_view rest = *defaults;
  while (auto text = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    // `{name = value}`, but also `{name}=value`.
    if (text->starts_with('{') && text->ends_with('}') && text->find('=') != std::string_view::npos)
      text = libconf::trim(text->substr(1, text->size() - 2));
    libconf::NameValue pair;
    if (const auto fault = split_name_value(*text, pair); fault != libconf::NameValueFault::kNone)
      return libconf::configuration_error(
          concat("milter_macro_defaults: ", libconf::describe(fault), ": \"", *text, "\""));
    out.defaults.emplace_back(bare(pair.name), pair.value);
  }
  return out;
}

Value milter_macro(std::string_view name, const MilterSettings& settings, const MilterFacts& facts) {
  const auto* const found =
      std::find_if(kMacros.begin(), kMacros.end(), [name](const Macro& macro) { return macro.name == name; });
  if (found != kMacros.end()) {
    if (Value value = found->value(settings, facts)) return value;
  }
  const auto fallback = std::find_if(settings.defaults.begin(), settings.defaults.end(),
                                     [name](const auto& pair) { return pair.first == bare(name); });
  return fallback == settings.defaults.end() ? Value() : Value(fallback->second);
}

}  // namespace mta
