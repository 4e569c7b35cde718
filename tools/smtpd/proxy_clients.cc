#include "tools/smtpd/proxy_clients.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <set>
#include <utility>
#include <vector>

#include "libmaps/proxy_server.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/daemon/local_acceptors.h"
#include "tools/mta/daemon/mail_log.h"

namespace smtpd {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using libmaps::ProxyService;
using Socket = mta::LocalAcceptors::Socket;

/// Of the service with this name in master.cf tables can be changed (proxymap(8)).
constexpr std::string_view kWritingService = "proxywrite";

class ProxyClients final : public mta::Service {
 public:
  explicit ProxyClients(ServiceStart start)
      : start_(std::move(start)),
        io_(start_.runtime.io),
        warnings_(start_.runtime.log, {.program = "proxymap"}),
        released_(io_, asio::steady_timer::time_point::max()) {}

  /// Opens what the first request needs. Errors: as ProxyService::make().
  Result<void> prepare() { return add_worker(); }

  Result<void> listen(mta::Transport transport, libconf::FileDescriptor socket) override;
  bool was_used() const override { return was_used_; }
  void retire() override;
  /// Sessions that come to their end may ask still. Their requests are waited for, idle clients are not.
  void stop() override {}

 private:
  /// Open tables, and the settings that they may read: both for one request at a time.
  struct Worker {
    explicit Worker(const libconf::Settings& theirs) : settings(theirs) {}
    libconf::Settings settings;
    std::unique_ptr<ProxyService> service;
  };

  Result<void> add_worker();
  asio::awaitable<std::unique_ptr<Worker>> take_worker();
  void give_back(std::unique_ptr<Worker> worker);
  asio::awaitable<void> serve(Socket socket);
  asio::awaitable<void> converse(Socket& socket);

  ServiceStart start_;
  asio::io_context& io_;
  mta::LogSink warnings_;
  mta::LocalAcceptors acceptors_{io_, [this](Socket client) {
                                   was_used_ = true;
                                   asio::co_spawn(io_, serve(std::move(client)), asio::detached);
                                 }};
  std::set<Socket*> clients_;
  std::vector<std::unique_ptr<Worker>> idle_;
  std::size_t workers_ = 0;
  asio::steady_timer released_;  ///< Cancelled when a worker is free again.
  bool was_used_ = false;
  bool is_retired_ = false;
};

Result<void> ProxyClients::listen(mta::Transport transport, libconf::FileDescriptor socket) {
  if (transport != mta::Transport::kUnix)
    return Error{.kind = ErrorKind::kUnsupported, .message = "proxymap has no clients there"};
  acceptors_.add(std::move(socket));
  return {};
}

Result<void> ProxyClients::add_worker() {
  auto worker = std::make_unique<Worker>(start_.settings);
  const auto access =
      start_.name == kWritingService ? libmaps::ProxyAccess::kReadWrite : libmaps::ProxyAccess::kRead;
  auto service = ProxyService::make(access, {.settings = worker->settings, .warnings = warnings_});
  if (!service) return service.error();
  worker->service = std::move(*service);
  idle_.push_back(std::move(worker));
  ++workers_;
  return {};
}

asio::awaitable<std::unique_ptr<ProxyClients::Worker>> ProxyClients::take_worker() {
  while (idle_.empty()) {
    const bool may_add = start_.process_limit == 0 || workers_ < start_.process_limit;
    if (may_add && add_worker()) break;
    asio::error_code cancelled;
    co_await released_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  std::unique_ptr<Worker> worker = std::move(idle_.back());
  idle_.pop_back();
  co_return worker;
}

void ProxyClients::give_back(std::unique_ptr<Worker> worker) {
  idle_.push_back(std::move(worker));
  released_.cancel();
}

asio::awaitable<void> ProxyClients::serve(Socket socket) {
  clients_.insert(&socket);
  co_await converse(socket);
  clients_.erase(&socket);
}

asio::awaitable<void> ProxyClients::converse(Socket& socket) {
  libmaps::ProxySession session;
  asio::error_code failure;
  const auto into = [&failure] { return asio::redirect_error(asio::use_awaitable, failure); };
  const std::string greeting = libmaps::ProxySession::greeting();
  co_await asio::async_write(socket, asio::buffer(greeting), into());
  std::array<char, 4096> input{};
  for (bool closes = false; !failure && !closes && !is_retired_;) {
    const std::size_t size = co_await socket.async_read_some(asio::buffer(input), into());
    if (failure) co_return;
    const mta::EventLoop::Hold hold;
    std::unique_ptr<Worker> worker = co_await take_worker();
    libmaps::ProxySession::Output answer;
    {
      const mta::EventLoop::Pause pause;
      answer = session.receive(*worker->service, std::string_view(input.data(), size));
    }
    give_back(std::move(worker));
    co_await asio::async_write(socket, asio::buffer(answer.bytes), into());
    closes = answer.closes;
  }
}

void ProxyClients::retire() {
  is_retired_ = true;
  acceptors_.close();
  asio::error_code ignored;
  // A request on its way is answered still.
  for (Socket* const client : clients_) client->shutdown(Socket::shutdown_receive, ignored);
}

}  // namespace

Result<std::unique_ptr<mta::Service>> serve_proxy_clients(ServiceStart start) {
  auto clients = std::make_unique<ProxyClients>(std::move(start));
  if (Result<void> prepared = clients->prepare(); !prepared) return prepared.error();
  return std::unique_ptr<mta::Service>(std::move(clients));
}

}  // namespace smtpd
