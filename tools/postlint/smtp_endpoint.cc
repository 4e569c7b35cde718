#include "tools/postlint/smtp_endpoint.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace postlint {
namespace {

struct KnownPort {
  std::string_view port;
  SmtpRole role;
};
constexpr std::array kKnownPorts = {
    KnownPort{"25", SmtpRole::kMx},
    KnownPort{"smtp", SmtpRole::kMx},
    KnownPort{"465", SmtpRole::kSubmissions},
    KnownPort{"smtps", SmtpRole::kSubmissions},
    KnownPort{"submissions", SmtpRole::kSubmissions},
    KnownPort{"587", SmtpRole::kSubmission},
    KnownPort{"submission", SmtpRole::kSubmission},
};

bool is_loopback(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host.starts_with("127.") || host == "::1" || host == "localhost" || host == "loopback-only";
}

bool listens_on_loopback(const libconf::Settings& settings) {
  const std::vector<std::string> interfaces = words_of(settings, "inet_interfaces");
  return !interfaces.empty() && std::all_of(interfaces.begin(), interfaces.end(),
                                            [](const std::string& each) { return is_loopback(each); });
}

}  // namespace

SmtpEndpoint smtp_endpoint(const Service& service) {
  const std::string& name = service.service().service();
  if (service.service().type() == "pass") return {};  // postscreen hands over what came to port 25.
  if (service.service().type() != "inet") return {.role = SmtpRole::kOther, .is_local_only = true};
  SmtpEndpoint endpoint{.role = SmtpRole::kOther};
  const std::size_t colon = name.rfind(':');
  if (colon != std::string::npos) endpoint.host = name.substr(0, colon);
  endpoint.port = colon == std::string::npos ? name : name.substr(colon + 1);
  for (const KnownPort& known : kKnownPorts)
    if (known.port == endpoint.port) endpoint.role = known.role;
  endpoint.is_local_only =
      endpoint.host.empty() ? listens_on_loopback(service.settings) : is_loopback(endpoint.host);
  return endpoint;
}

}  // namespace postlint
