/// A proxymap service at a UNIX-domain socket, for tests of clients.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "libconf/handle.h"
#include "libmaps/proxy_server.h"
#include "tests/libmaps/table_fixture.h"

namespace postkit_test {

/// Answers all clients of one service, in one thread.
class ProxyListener {
 public:
  /// Makes the socket; it is for everyone, as Postfix's own is.
  ProxyListener(libmaps::ProxyService& service, std::string path)
      : service_(service), path_(std::move(path)), listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path_.c_str(), 0666) != 0 || ::listen(listener_.get(), 16) != 0)
      throw std::runtime_error("cannot listen at " + path_);
  }
  ProxyListener(const ProxyListener&) = delete;
  ProxyListener& operator=(const ProxyListener&) = delete;
  ~ProxyListener() { ::unlink(path_.c_str()); }

  /// Waits for something to do, for at most `milliseconds`, and does it.
  void serve(int milliseconds) {
    std::vector<pollfd> ready = {{.fd = listener_.get(), .events = POLLIN, .revents = 0}};
    for (const Client& client : clients_)
      ready.push_back({.fd = client.fd.get(), .events = POLLIN, .revents = 0});
    if (::poll(ready.data(), ready.size(), milliseconds) <= 0) return;
    auto client = clients_.begin();
    for (std::size_t i = 1; i < ready.size(); ++i) {
      const bool stays = ready[i].revents == 0 || serve(*client);
      client = stays ? std::next(client) : clients_.erase(client);
    }
    if (ready[0].revents != 0) accept();
  }

 private:
  struct Client {
    libconf::FileDescriptor fd;
    libmaps::ProxySession session;
  };

  static bool send(int fd, std::string_view bytes) {
    return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  void accept() {
    libconf::FileDescriptor fd(::accept(listener_.get(), nullptr, nullptr));
    if (fd && send(fd.get(), libmaps::ProxySession::greeting()))
      clients_.push_back({std::move(fd), libmaps::ProxySession()});
  }

  bool serve(Client& client) {
    char block[4096];
    const ssize_t count = ::recv(client.fd.get(), block, sizeof block, 0);
    if (count <= 0) return false;
    const auto output = client.session.receive(service_, {block, static_cast<std::size_t>(count)});
    return send(client.fd.get(), output.bytes) && !output.closes;
  }

  libmaps::ProxyService& service_;
  std::string path_;
  libconf::FileDescriptor listener_;
  std::list<Client> clients_;
};

/// One service of its own thread, at `queue_directory`/private/proxymap or proxywrite.
class ProxyThread {
 public:
  ProxyThread(libmaps::ProxyAccess access, const std::string& queue_directory, std::string main_cf)
      : fixture_(std::move(main_cf)), service_(*libmaps::ProxyService::make(access, fixture_.context)) {
    std::filesystem::create_directories(queue_directory + "/private");
    listener_ = std::make_unique<ProxyListener>(
        *service_,
        queue_directory + "/private/" + (access == libmaps::ProxyAccess::kRead ? "proxymap" : "proxywrite"));
    thread_ = std::thread([this] {
      while (!stops_) listener_->serve(20);
    });
  }
  ProxyThread(const ProxyThread&) = delete;
  ProxyThread& operator=(const ProxyThread&) = delete;
  ~ProxyThread() { stop(); }

  /// Ends the service, if it has not ended yet.
  void stop() {
    stops_ = true;
    if (thread_.joinable()) thread_.join();
    listener_.reset();
  }

  /// What the service warned of. REQUIRES: it has ended.
  std::vector<std::string> warned() const { return fixture_.warned(); }

 private:
  TableFixture fixture_;
  std::unique_ptr<libmaps::ProxyService> service_;
  std::unique_ptr<ProxyListener> listener_;
  std::atomic<bool> stops_ = false;
  std::thread thread_;
};

}  // namespace postkit_test
