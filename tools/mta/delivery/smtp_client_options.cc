#include "tools/mta/delivery/smtp_client_options.h"

#include <algorithm>
#include <optional>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::Result;

Error bad_value(std::string_view parameter, std::string_view value) {
  return configuration_error(concat("bad parameter value: ", parameter, " = ", value));
}

/// As Postfix has it, for LMTP too.
Error bad_bind_address(std::string_view parameter, std::string_view value) {
  return configuration_error(concat("smtp_connect_addr: bad ", parameter, " parameter: ", value));
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Reads parameters that carry the name of the protocol, and remembers the first that cannot be.
class Reader {
 public:
  Reader(const libconf::Settings& settings, ClientProtocol protocol)
      : settings_(settings), prefix_(protocol == ClientProtocol::kLmtp ? "lmtp_" : "smtp_") {}

  std::string name(std::string_view suffix) const { return concat(prefix_, suffix); }

  void text(const std::string& parameter, std::string& value) { take(settings_.get(parameter), value); }
  void list(const std::string& parameter, std::vector<std::string>& value) {
    take(settings_.get_list(parameter), value);
  }
  void flag(const std::string& parameter, bool& value) { take(settings_.get_bool(parameter), value); }
  void time(const std::string& parameter, std::chrono::seconds& value) {
    take(settings_.get_duration(parameter), value);
  }
  void count(const std::string& parameter, std::size_t& value) {
    std::int64_t number = 0;
    take(settings_.get_int(parameter), number);
    value = static_cast<std::size_t>(std::max<std::int64_t>(number, 0));
  }
  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  template <class T>
  void take(Result<T> result, T& value) {
    if (result) {
      value = std::move(*result);
    } else {
      fail(result.error());
    }
  }

  const libconf::Settings& settings_;
  std::string_view prefix_;
  std::optional<Error> error_;
};

void read_names(Reader& reader, SmtpClientOptions& options) {
  reader.text("syslog_name", options.syslog_name);
  reader.text("myhostname", options.myhostname);
  reader.text(reader.name(options.is_lmtp() ? "lhlo_name" : "helo_name"), options.helo_name);
  reader.text(reader.name("tcp_port"), options.default_port);
  reader.list(reader.name("fallback_relay"), options.fallback_relays);
  std::string discarded;
  reader.text(reader.name(options.is_lmtp() ? "discard_lhlo_keywords" : "discard_ehlo_keywords"), discarded);
  options.discarded_keywords = DiscardedKeywords::parse(discarded);
}

void read_lookups(Reader& reader, SmtpClientOptions& options) {
  std::vector<std::string> words;
  reader.list("inet_protocols", words);
  const bool has_all = has(words, "all");
  options.has_ipv4 = has_all || has(words, "ipv4");
  options.has_ipv6 = has_all || has(words, "ipv6");
  std::string word;
  reader.text(reader.name("address_preference"), word);
  if (word == "ipv4") {
    options.preference = AddressPreference::kIpv4;
  } else if (word == "ipv6") {
    options.preference = AddressPreference::kIpv6;
  } else if (word != "any") {
    reader.fail(bad_value(reader.name("address_preference"), word));
  }
  bool is_dns_disabled = false;
  reader.flag("disable_dns_lookups", is_dns_disabled);
  std::string level;
  reader.text(reader.name("dns_support_level"), level);
  options.uses_dns = level.empty() ? !is_dns_disabled : level != "disabled";
  options.uses_dnssec = level == "dnssec";
  reader.text("dnssec_probe", options.dnssec_probe);
  constexpr std::string_view kPolicyName = "smtp_tls_dane_insecure_mx_policy";
  reader.text(std::string(kPolicyName), options.insecure_mx_policy);
  const std::string& policy = options.insecure_mx_policy;
  if (policy != "dane" && policy != "encrypt" && policy != "may") reader.fail(bad_value(kPolicyName, policy));
  words.clear();
  reader.list(reader.name("host_lookup"), words);
  for (const std::string& each : words)
    if (each != "dns" && each != "native") reader.fail(bad_value(reader.name("host_lookup"), each));
  options.asks_dns = options.uses_dns && has(words, "dns");
  options.asks_native = !options.uses_dns || has(words, "native");
  reader.flag(reader.name("randomize_addresses"), options.randomizes);
  reader.flag("ignore_mx_lookup_error", options.ignores_mx_error);
  reader.flag(reader.name("defer_if_no_mx_address_found"), options.defers_without_mx);
  reader.count(reader.name("mx_address_limit"), options.address_limit);
  reader.count(reader.name("mx_session_limit"), options.session_limit);
}

/// "[192.0.2.1]" is the same as without brackets.
void read_local_end(Reader& reader, bool has_ipv6, LocalEnd& local) {
  for (const auto& [suffix, address] : {std::pair<std::string_view, std::string&>{"bind_address", local.ipv4},
                                        {"bind_address6", local.ipv6}}) {
    reader.text(reader.name(suffix), address);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  }
  reader.flag(reader.name("bind_address_enforce"), local.is_required);
  const bool is_wrong = !local.ipv4.empty() && !libmaps::parse_ipv4(local.ipv4);
  if (is_wrong) reader.fail(bad_bind_address("smtp_bind_address", local.ipv4));
  const bool is_wrong6 = has_ipv6 && !local.ipv6.empty() && !libmaps::parse_ip_address(local.ipv6);
  if (is_wrong6) reader.fail(bad_bind_address("smtp_bind_address6", local.ipv6));
}

void read_protocol(Reader& reader, SmtpClientOptions& options) {
  if (!options.is_lmtp()) {
    reader.flag("smtp_always_send_ehlo", options.always_ehlo);
    reader.flag("smtp_never_send_ehlo", options.never_ehlo);
  }
  reader.flag(reader.name("skip_5xx_greeting"), options.skips_5xx_greeting);
  reader.flag(reader.name("skip_quit_response"), options.skips_quit_response);
  reader.flag(reader.name("quote_rfc821_envelope"), options.quotes_envelope);
  reader.flag(reader.name("send_xforward_command"), options.sends_xforward);
  reader.flag(reader.name("connection_cache_on_demand"), options.keeps_on_demand);
  reader.flag(reader.name("tls_connection_reuse"), options.keeps_tls_connections);
  reader.count(reader.name("connection_reuse_count_limit"), options.reuse_limit);
  std::string target;
  reader.text(reader.name("address_verify_target"), target);
  if (target != "rcpt" && target != "data")
    reader.fail(bad_value(reader.name("address_verify_target"), target));
  options.probes_data = target == "data";
  const struct {
    std::string_view suffix;
    std::chrono::seconds& value;
  } times[] = {{"connect_timeout", options.connect_timeout},
               {options.is_lmtp() ? "lhlo_timeout" : "helo_timeout", options.helo_timeout},
               {"xforward_timeout", options.xforward_timeout},
               {"mail_timeout", options.mail_timeout},
               {"rcpt_timeout", options.rcpt_timeout},
               {"data_init_timeout", options.data_init_timeout},
               {"data_xfer_timeout", options.data_xfer_timeout},
               {"data_done_timeout", options.data_done_timeout},
               {"rset_timeout", options.rset_timeout},
               {"quit_timeout", options.quit_timeout},
               {"starttls_timeout", options.starttls_timeout},
               {"connection_cache_time_limit", options.cache_time_limit},
               {"connection_reuse_time_limit", options.reuse_time_limit}};
  for (const auto& [suffix, value] : times) reader.time(reader.name(suffix), value);
  reader.time("minimal_backoff_time", options.minimal_backoff);
}

void read_protection(Reader& reader, SmtpClientOptions& options) {
  reader.flag(reader.name("tls_wrappermode"), options.uses_tls_wrapper);
  reader.flag(reader.name("tls_note_starttls_offer"), options.notes_starttls_offer);
}

void read_content(Reader& reader, SmtpClientOptions& options) {
  reader.count(reader.name("line_length_limit"), options.line_length_limit);
  bool is_disabled = false;
  reader.flag("disable_mime_output_conversion", is_disabled);
  options.converts_8bit = !is_disabled;
  reader.count("header_size_limit", options.mime.header_size_limit);
  reader.count("mime_boundary_length_limit", options.mime.boundary_length_limit);
  reader.count("mime_nesting_limit", options.mime.nesting_limit);
}

/// The only one of its family; nothing: there are none, or several, or it is loopback.
template <class Address>
std::string only_address(std::span<const libmaps::IpAddress> interfaces, bool (*is_loopback)(Address)) {
  const auto is_of_family = [](const libmaps::IpAddress& each) {
    return std::holds_alternative<Address>(each);
  };
  if (std::count_if(interfaces.begin(), interfaces.end(), is_of_family) != 1) return {};
  const auto address = std::get<Address>(*std::find_if(interfaces.begin(), interfaces.end(), is_of_family));
  return is_loopback(address) ? std::string() : libmaps::to_string(address);
}

bool is_loopback4(libmaps::Ipv4Address address) { return address.bits >> 24 == 127; }
bool is_loopback6(libmaps::Ipv6Address address) { return address.high == 0 && address.low == 1; }

}  // namespace

void LocalEnd::complete(std::span<const libmaps::IpAddress> interfaces) {
  if (ipv4.empty()) ipv4 = only_address(interfaces, is_loopback4);
  if (ipv6.empty()) ipv6 = only_address(interfaces, is_loopback6);
}

Result<SmtpClientOptions> SmtpClientOptions::read(const libconf::Settings& settings,
                                                  ClientProtocol protocol) {
  SmtpClientOptions options;
  options.protocol = protocol;
  const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(settings);
  if (!root) return root.error();
  options.root = *root;
  Reader reader(settings, protocol);
  read_names(reader, options);
  read_lookups(reader, options);
  read_local_end(reader, options.has_ipv6, options.local_end);
  read_protocol(reader, options);
  read_protection(reader, options);
  read_content(reader, options);
  if (reader.error()) return *reader.error();
  return options;
}

}  // namespace mta
