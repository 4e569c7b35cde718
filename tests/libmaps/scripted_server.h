/// A server for tests of network tables: a thread that answers requests from a script.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace postkit_test {

/// Takes connections one after the other, until it is destroyed.
class ScriptedServer {
 public:
  struct Answer {
    std::string bytes;
    bool closes = false;
  };
  /// The answer to one request, which ends with `end`.
  using Script = std::function<Answer(const std::string& request)>;

  /// Listens on a free port of 127.0.0.1, or on a UNIX-domain socket where a path is given.
  ScriptedServer(char end, Script script, const std::string& path = "")
      : end_(end), script_(std::move(script)) {
    sockaddr_un local{};
    sockaddr_in inet{};
    local.sun_family = AF_UNIX;
    path.copy(local.sun_path, sizeof local.sun_path - 1);
    inet.sin_family = AF_INET;
    inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = path.empty() ? reinterpret_cast<sockaddr*>(&inet) : reinterpret_cast<sockaddr*>(&local);
    socklen_t size = path.empty() ? sizeof inet : sizeof local;
    listener_ = ::socket(path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
    if (::bind(listener_, address, size) != 0 || ::listen(listener_, 8) != 0)
      throw std::runtime_error("cannot listen");
    if (path.empty()) {
      ::getsockname(listener_, address, &size);
      port_ = ntohs(inet.sin_port);
    }
    thread_ = std::thread([this] { run(); });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    stops_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    if (const int fd = connection_; fd >= 0) ::shutdown(fd, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string port() const { return std::to_string(port_); }

  /// The requests so far, and after each accepted connection "(connection)".
  std::vector<std::string> log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }

 private:
  void note(std::string line) {
    const std::lock_guard lock(mutex_);
    log_.push_back(std::move(line));
  }

  void run() {
    while (!stops_) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      connection_ = fd;
      note("(connection)");
      if (!stops_) serve(fd);
      connection_ = -1;
      ::close(fd);
    }
  }

  void serve(int fd) {
    std::string request;
    char c = 0;
    while (::read(fd, &c, 1) == 1) {
      request += c;
      if (c != end_) continue;
      note(request);
      const Answer answer = script_(request);
      if (::send(fd, answer.bytes.data(), answer.bytes.size(), MSG_NOSIGNAL) < 0 || answer.closes) return;
      request.clear();
    }
  }

  char end_;
  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stops_ = false;
  std::atomic<int> connection_ = -1;
  std::mutex mutex_;
  std::vector<std::string> log_;
  std::thread thread_;
};

/// A port of 127.0.0.1 where nobody listens.
inline std::string unused_port() {
  const ScriptedServer server('\n', [](const std::string&) { return ScriptedServer::Answer{}; });
  return server.port();
}

}  // namespace postkit_test
