#include "tools/mta/access/policy_client.h"

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/daemon/unix_address.h"

namespace mta {
namespace {

using libconf::concat;

/// A reply is a line or two; a server that goes on without end is none.
constexpr std::size_t kLongestReply = 65536;

auto done(asio::error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace

/// One connection. Every operation has a time limit, and says in words why it failed; empty: it did not.
class PolicyClient::Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(const asio::any_io_executor& executor) : socket_(executor), deadline_(executor) {}

  asio::awaitable<std::string> connect(const PolicyServiceSettings& settings) {
    asio::error_code error;
    arm(settings.timeout);
    if (settings.is_unix) {
      const auto address = unix_address(settings.path);
      error = asio::error::name_too_long;
      if (address) co_await socket_.async_connect(*address, done(error));
    } else {
      asio::ip::tcp::resolver resolver(socket_.get_executor());
      const std::string host = settings.host.empty() ? "localhost" : settings.host;
      const auto found = co_await resolver.async_resolve(host, settings.port, done(error));
      for (const auto& entry : found) {
        asio::error_code ignored;
        socket_.close(ignored);
        co_await socket_.async_connect(entry.endpoint(), done(error));
        if (!error || is_late_) break;
      }
    }
    disarm();
    co_return describe(error);
  }

  /// Sends `request`; the reply goes to `reply`.
  asio::awaitable<std::string> ask(std::string_view request, std::chrono::seconds timeout,
                                   std::string& reply) {
    asio::error_code error;
    arm(timeout);
    co_await asio::async_write(socket_, asio::buffer(request), done(error));
    std::string text;
    while (!error && policy_reply_length(text) == 0 && text.size() < kLongestReply) {
      std::array<char, 4096> bytes;
      const std::size_t count = co_await socket_.async_read_some(asio::buffer(bytes), done(error));
      text.append(bytes.data(), count);
    }
    disarm();
    const std::size_t length = policy_reply_length(text);
    if (length == 0) co_return error ? describe(error) : "Application error";
    // More than one reply to one request: what comes next would be the answer to something else.
    is_confused_ = length != text.size();
    reply = text.substr(0, length);
    co_return "";
  }

  bool is_confused() const { return is_confused_; }

  /// Whether the server has not closed it meanwhile, and has not spoken without being asked.
  bool is_quiet() {
    asio::error_code error;
    socket_.non_blocking(true, error);
    std::array<char, 1> byte;
    socket_.receive(asio::buffer(byte), asio::socket_base::message_peek, error);
    return error == asio::error::would_block;
  }

  std::string endpoint;
  std::string root;      ///< Of a service that is confined; its endpoint is another one.
  std::string instance;  ///< The message that it is for; empty: anybody's.
  Clock::time_point opened = Clock::now();
  Clock::time_point expires = {};
  std::int64_t requests = 0;

 private:
  void arm(std::chrono::seconds timeout) {
    is_late_ = false;
    deadline_.expires_after(timeout);
    deadline_.async_wait([weak = weak_from_this()](asio::error_code error) {
      const auto self = weak.lock();
      if (error || !self) return;
      self->is_late_ = true;
      asio::error_code ignored;
      self->socket_.close(ignored);
    });
  }
  void disarm() { deadline_.cancel(); }

  std::string describe(const asio::error_code& error) const {
    if (is_late_) return "Connection timed out";
    if (error == asio::error::eof) return "Application error";
    return error ? error.message() : "";
  }

  asio::generic::stream_protocol::socket socket_;
  asio::steady_timer deadline_;
  bool is_late_ = false;
  bool is_confused_ = false;
};

struct PolicyClient::Timer {
  explicit Timer(const asio::any_io_executor& executor) : expiry(executor) {}
  asio::steady_timer expiry;
};

PolicyClient::PolicyClient(asio::any_io_executor executor, PolicyVersions versions)
    : executor_(std::move(executor)),
      versions_(std::move(versions)),
      timer_(std::make_shared<Timer>(executor_)) {}

PolicyClient::~PolicyClient() = default;

asio::awaitable<std::string> PolicyClient::ask(const PolicyServiceSettings& settings, const SmtpdState& state,
                                               const std::function<void(std::string)>& warn) {
  const std::string request = format_policy_request(state, settings.policy_context, versions_);
  const std::string instance = state.instance;
  for (std::int64_t attempt = 1; attempt <= settings.try_limit; ++attempt) {
    std::shared_ptr<Connection> connection = take(settings, instance);
    std::string fault;
    if (!connection) {
      connection = std::make_shared<Connection>(executor_);
      connection->endpoint = settings.endpoint;
      connection->root = settings.path.root;
      connection->instance = instance;
      fault = co_await connection->connect(settings);
      if (!fault.empty()) warn(concat("connect to ", settings.name, ": ", fault));
    }
    if (fault.empty()) {
      std::string reply;
      fault = co_await connection->ask(request, settings.timeout, reply);
      if (fault.empty()) {
        if (std::optional<std::string> action = parse_policy_reply(reply)) {
          keep(std::move(connection), settings);
          co_return std::move(*action);
        }
        warn(concat("missing attribute action in input from ", settings.name));
        fault = "Application error";
      }
    }
    warn(concat("problem talking to server ", settings.name, ": ", fault));
    if (attempt == settings.try_limit) break;
    asio::steady_timer pause(executor_, settings.retry_delay);
    co_await pause.async_wait(asio::use_awaitable);
  }
  co_return settings.default_action;
}

std::shared_ptr<PolicyClient::Connection> PolicyClient::take(const PolicyServiceSettings& settings,
                                                             const std::string& instance) {
  drop_expired();
  const auto usable = [&](std::string_view wanted) {
    return std::find_if(kept_.begin(), kept_.end(), [&](const auto& each) {
      return each->endpoint == settings.endpoint && each->root == settings.path.root &&
             each->instance == wanted;
    });
  };
  auto found = usable(instance);
  if (found == kept_.end()) found = usable("");
  if (found == kept_.end()) return nullptr;
  std::shared_ptr<Connection> connection = std::move(*found);
  kept_.erase(found);
  if (!connection->is_quiet()) return nullptr;
  connection->instance = instance;
  return connection;
}

void PolicyClient::keep(std::shared_ptr<Connection> connection, const PolicyServiceSettings& settings) {
  ++connection->requests;
  const bool is_used_up = settings.request_limit > 0 && connection->requests >= settings.request_limit;
  const auto ends = connection->opened + settings.max_ttl;
  if (is_used_up || connection->is_confused() || ends <= Clock::now()) return;
  connection->expires = std::min(Clock::now() + settings.max_idle, ends);
  kept_.push_back(std::move(connection));
  schedule();
}

void PolicyClient::release(std::string_view instance) {
  for (const auto& connection : kept_)
    if (connection->instance == instance) connection->instance.clear();
}

void PolicyClient::drop_expired() {
  const auto now = Clock::now();
  kept_.remove_if([now](const auto& connection) { return connection->expires <= now; });
}

void PolicyClient::schedule() {
  if (kept_.empty()) return;
  const auto first = std::min_element(kept_.begin(), kept_.end(),
                                      [](const auto& a, const auto& b) { return a->expires < b->expires; });
  timer_->expiry.expires_at((*first)->expires);
  timer_->expiry.async_wait([this, timer = std::weak_ptr<Timer>(timer_)](asio::error_code error) {
    // Cancelled by a later call; or the client is gone.
    if (error || timer.expired()) return;
    drop_expired();
    schedule();
  });
}

}  // namespace mta
