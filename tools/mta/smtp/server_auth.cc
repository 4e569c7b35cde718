#include "tools/mta/smtp/server_auth.h"

#include <utility>

namespace mta {

using libconf::Result;

Result<std::unique_ptr<ServerAuth>> ServerAuth::create(const libconf::Settings& settings,
                                                       asio::any_io_executor executor,
                                                       const libmaps::MatchList::OpenTable& open_table,
                                                       libconf::DiagnosticSink& sink) {
  std::unique_ptr<ServerAuth> auth(new ServerAuth);
  const Result<bool> is_enabled = settings.get_bool("smtpd_sasl_auth_enable");
  if (!is_enabled) return is_enabled.error();
  if (!*is_enabled) return auth;

  const struct {
    std::string_view parameter;
    bool& value;
  } flags[] = {{"smtpd_tls_auth_only", auth->requires_tls_},
               {"smtpd_sasl_authenticated_header", auth->adds_header_}};
  for (const auto& [parameter, value] : flags) {
    const Result<bool> flag = settings.get_bool(parameter);
    if (!flag) return flag.error();
    value = *flag;
  }
  constexpr std::string_view kExceptions = "smtpd_sasl_exceptions_networks";
  const Result<std::string> exceptions = settings.get(kExceptions);
  if (!exceptions) return exceptions.error();
  Result<libmaps::MatchList> list = libmaps::MatchList::parse(
      std::string(kExceptions), *exceptions, {.kind = libmaps::MatchKind::kNetworks}, open_table);
  if (!list) return list.error();
  auth->exceptions_.emplace(std::move(*list));
  const Result<AuthLimitSettings> limits = read_auth_limits(settings);
  if (!limits) return limits.error();
  auth->limits_.emplace(*limits);
  Result<std::unique_ptr<SaslServer>> sasl =
      SaslServer::create(settings, std::move(executor), open_table, sink);
  if (!sasl) return sasl.error();
  auth->sasl_ = std::move(*sasl);
  return auth;
}

Result<bool> ServerAuth::is_announced_to(const ClientState& client) {
  const Result<bool> is_exception = exceptions_->matches_client(client.name, client.address);
  if (!is_exception) return is_exception.error();
  return !*is_exception;
}

}  // namespace mta
