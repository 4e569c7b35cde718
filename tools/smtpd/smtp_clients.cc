#include "tools/smtpd/smtp_clients.h"

#include <utility>

#include "tools/mta/smtp/smtp_server.h"

namespace smtpd {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using mta::Transport;

class SmtpClients final : public mta::Service {
 public:
  SmtpClients(std::unique_ptr<mta::SmtpService> service, std::unique_ptr<mta::SmtpService> stressed,
              asio::io_context& io, std::size_t limit)
      : service_(std::move(service)),
        stressed_(std::move(stressed)),
        server_(io, *service_, *stressed_, limit) {}

  Result<void> listen(Transport transport, libconf::FileDescriptor socket) override {
    switch (transport) {
      case Transport::kInet:
      case Transport::kUnix:
        server_.listen(std::move(socket), mta::SmtpServer::Clients::kConnect);
        return {};
      case Transport::kPass:
        server_.listen(std::move(socket), mta::SmtpServer::Clients::kArePassed);
        return {};
      default:
        return Error{.kind = ErrorKind::kUnsupported, .message = "smtpd has no clients there"};
    }
  }
  bool was_used() const override { return server_.was_used(); }
  void retire() override { server_.retire(); }
  void stop() override { server_.stop(); }

 private:
  std::unique_ptr<mta::SmtpService> service_;
  std::unique_ptr<mta::SmtpService> stressed_;  ///< The same with "stress = yes".
  mta::SmtpServer server_;
};

}  // namespace

Result<std::unique_ptr<mta::Service>> serve_smtp_clients(ServiceStart start) {
  libconf::Settings stress_settings = start.settings;
  stress_settings.override_value("stress", "yes");
  Result<std::unique_ptr<mta::SmtpService>> service =
      mta::SmtpService::create(std::move(start.settings), start.runtime);
  if (!service) return service.error();
  Result<std::unique_ptr<mta::SmtpService>> stressed =
      mta::SmtpService::create(std::move(stress_settings), start.runtime);
  if (!stressed) return stressed.error();
  return std::unique_ptr<mta::Service>(std::make_unique<SmtpClients>(
      std::move(*service), std::move(*stressed), start.runtime.io, start.process_limit));
}

}  // namespace smtpd
