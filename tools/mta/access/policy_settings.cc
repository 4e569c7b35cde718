#include "tools/mta/access/policy_settings.h"

#include <array>

#include "libconf/braces.h"
#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libconf/value.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using std::chrono::seconds;

constexpr std::string_view kPrefix = "smtpd_policy_service_";

/// Puts the text of a setting in its place; errors as those of libconf/value.h.
using Store = Result<void> (*)(const libconf::Parameter& row, std::string_view text,
                               PolicyServiceSettings& out);

template <seconds PolicyServiceSettings::*member>
Result<void> store_duration(const libconf::Parameter& row, std::string_view text,
                            PolicyServiceSettings& out) {
  auto value = libconf::parse_duration(row.name, text);
  if (!value) return value.error();
  out.*member = *value;
  return {};
}

template <std::int64_t PolicyServiceSettings::*member>
Result<void> store_number(const libconf::Parameter& row, std::string_view text, PolicyServiceSettings& out) {
  auto value = libconf::parse_long(row.name, text);
  if (!value) return value.error();
  out.*member = *value;
  return {};
}

template <std::string PolicyServiceSettings::*member>
Result<void> store_text(const libconf::Parameter&, std::string_view text, PolicyServiceSettings& out) {
  out.*member = text;
  return {};
}

struct Option {
  std::string_view name;
  Store store;
};

using Service = PolicyServiceSettings;
constexpr std::array kOptions = {
    Option{"default_action", store_text<&Service::default_action>},
    Option{"max_idle", store_duration<&Service::max_idle>},
    Option{"max_ttl", store_duration<&Service::max_ttl>},
    Option{"policy_context", store_text<&Service::policy_context>},
    Option{"request_limit", store_number<&Service::request_limit>},
    Option{"retry_delay", store_duration<&Service::retry_delay>},
    Option{"timeout", store_duration<&Service::timeout>},
    Option{"try_limit", store_number<&Service::try_limit>},
};

Result<void> set(std::string_view name, std::string_view text, Service& service) {
  for (const Option& option : kOptions) {
    if (option.name != name) continue;
    const libconf::Parameter& row = *libconf::find_parameter(concat(kPrefix, name));
    if (auto fault = libconf::check_value(row, text)) return *fault;
    return option.store(row, text, service);
  }
  return libconf::configuration_error(concat("unknown option: \"", name, " = ", text, "\""));
}

Result<void> set_endpoint(std::string_view text, const libconf::Settings& settings, Service& service) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos)
    return libconf::configuration_error(concat("need service transport:endpoint instead of \"", text, "\""));
  const std::string_view type = text.substr(0, colon);
  service.endpoint = text;
  service.name = text.substr(colon + 1);
  if (type == "unix" || type == "local") {
    service.is_unix = true;
    const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(settings);
    if (!root) return root.error();
    service.path = root->at(service.name);
    return {};
  }
  if (type != "inet")
    return libconf::configuration_error(concat("invalid transport name: ", type, " in service: ", text));
  const std::size_t port = service.name.rfind(':');
  service.host = port == std::string::npos ? "" : service.name.substr(0, port);
  service.port = port == std::string::npos ? service.name : service.name.substr(port + 1);
  if (service.host.starts_with('[') && service.host.ends_with(']'))
    service.host = service.host.substr(1, service.host.size() - 2);
  return {};
}

}  // namespace

Result<PolicyServiceSettings> parse_policy_service(std::string_view argument,
                                                   const libconf::Settings& settings) {
  Service service;
  service.argument = argument;
  for (const Option& option : kOptions) {
    const std::string name = concat(kPrefix, option.name);
    auto text = settings.get(name);
    if (!text) return text.error();
    if (auto done = set(option.name, *text, service); !done) return done.error();
  }
  if (!argument.starts_with('{')) {
    if (auto done = set_endpoint(argument, settings, service); !done) return done.error();
    return service;
  }
  libconf::DiagnosticList faults;
  std::string_view rest = libconf::strip_braces(argument, "check_policy_service", faults);
  if (!faults.items().empty()) return libconf::configuration_error(faults.items().front().message);
  const auto endpoint = libconf::next_braced_word(rest, libconf::kListSeparators);
  if (!endpoint) return libconf::configuration_error(concat("empty policy service: \"", argument, "\""));
  if (auto done = set_endpoint(*endpoint, settings, service); !done) return done.error();
  while (auto word = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    std::string_view text = *word;
    if (text.starts_with('{')) text = libconf::strip_braces(text, "check_policy_service", faults);
    libconf::NameValue option;
    if (const auto fault = libconf::split_name_value(text, option); fault != libconf::NameValueFault::kNone)
      return libconf::configuration_error(
          concat("policy service: ", libconf::describe(fault), ": \"", text, "\""));
    if (auto done = set(option.name, option.value, service); !done) return done.error();
  }
  return service;
}

}  // namespace mta
