#include "tools/mta/sasl/dovecot_client.h"

#include <sys/un.h>
#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/sasl/dovecot_connection.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

using ConnectionPointer = std::shared_ptr<DovecotConnection>;

constexpr std::string_view kLost = "Connection lost to authentication server";
constexpr std::string_view kNotConnected = "Can't connect to authentication server";

SaslAnswer temporary(std::string_view reason) {
  return {.kind = SaslAnswer::Kind::kTemporary, .text = std::string(reason)};
}

/// Several sessions may wait for the same.
struct Attempt {
  explicit Attempt(const asio::any_io_executor& executor) : done(executor) {}
  asio::steady_timer done;  ///< Is cancelled when there is a result.
  std::optional<Result<ConnectionPointer>> result;
};

asio::awaitable<void> try_to_connect(std::shared_ptr<Attempt> attempt, asio::any_io_executor executor,
                                     DovecotPlace place, std::chrono::milliseconds timeout) {
  const auto connection = std::make_shared<DovecotConnection>(executor);
  const Result<void> opened = co_await connection->open(std::move(place), timeout);
  if (opened) {
    attempt->result.emplace(connection);
  } else {
    attempt->result.emplace(opened.error());
  }
  attempt->done.cancel();
}

class DovecotClient final : public SaslBackend {
 public:
  DovecotClient(DovecotSettings settings, DovecotPlace place, asio::any_io_executor executor,
                libconf::DiagnosticSink& log)
      : settings_(std::move(settings)), place_(std::move(place)), executor_(std::move(executor)), log_(log) {}
  DovecotClient(const DovecotClient&) = delete;
  DovecotClient& operator=(const DovecotClient&) = delete;
  ~DovecotClient() override {
    if (connection_) connection_->close();
  }

  asio::awaitable<Result<std::vector<std::string>>> mechanisms(const SaslPeer& peer) override;
  std::unique_ptr<SaslConversation> converse(const SaslPeer& peer) override;

  /// The open connection, if need be a new one.
  asio::awaitable<Result<ConnectionPointer>> connection();
  bool is_connected() const { return connection_ && connection_->is_open(); }

  const DovecotSettings& settings() const { return settings_; }
  bool offers(const DovecotConnection& connection, const SaslPeer& peer, std::string_view mechanism) const;

 private:
  const SecurityOptions& options(const SaslPeer& peer) const {
    return peer.has_tls ? settings_.tls_options : settings_.options;
  }

  DovecotSettings settings_;
  DovecotPlace place_;
  asio::any_io_executor executor_;
  libconf::DiagnosticSink& log_;
  ConnectionPointer connection_;
  std::shared_ptr<Attempt> attempt_;
};

class DovecotConversation final : public SaslConversation {
 public:
  DovecotConversation(DovecotClient& client, SaslPeer peer) : client_(client), peer_(std::move(peer)) {}
  DovecotConversation(const DovecotConversation&) = delete;
  DovecotConversation& operator=(const DovecotConversation&) = delete;
  ~DovecotConversation() override {
    if (is_waiting_for_client_) connection_->send(dovecot_cancel_request(id_));
  }

  asio::awaitable<SaslAnswer> start(std::string mechanism,
                                    std::optional<std::string> initial_response) override {
    // A connection that was idle may have been closed without a word; this shows with the first request.
    const bool is_old = client_.is_connected();
    std::optional<SaslAnswer> answer = co_await try_to_start(mechanism, initial_response);
    if (!answer && is_old && !connection_->is_open() && !connection_->is_silent())
      answer = co_await try_to_start(mechanism, initial_response);
    co_return answer.value_or(temporary(kLost));
  }

  asio::awaitable<SaslAnswer> step(std::string response) override {
    is_waiting_for_client_ = false;
    co_return remember(co_await connection_->ask(id_, dovecot_continue_request(id_, response),
                                                 client_.settings().reply_timeout))
        .value_or(temporary(kLost));
  }

 private:
  asio::awaitable<std::optional<SaslAnswer>> try_to_start(
      const std::string& mechanism, const std::optional<std::string>& initial_response) {
    const Result<ConnectionPointer> connected = co_await client_.connection();
    if (!connected) co_return temporary(kNotConnected);
    connection_ = *connected;
    if (!client_.offers(*connection_, peer_, mechanism)) {
      co_return SaslAnswer{.kind = SaslAnswer::Kind::kFailure, .text = "Invalid authentication mechanism"};
    }
    id_ = connection_->new_id();
    const DovecotSettings& settings = client_.settings();
    std::string request = dovecot_auth_request(id_, mechanism, settings.service, peer_, initial_response);
    co_return remember(co_await connection_->ask(id_, std::move(request), settings.reply_timeout));
  }

  std::optional<SaslAnswer> remember(std::optional<SaslAnswer> answer) {
    is_waiting_for_client_ = answer && answer->kind == SaslAnswer::Kind::kChallenge;
    return answer;
  }

  DovecotClient& client_;
  SaslPeer peer_;
  ConnectionPointer connection_;
  std::uint32_t id_ = 0;
  bool is_waiting_for_client_ = false;
};

asio::awaitable<Result<ConnectionPointer>> DovecotClient::connection() {
  if (is_connected()) co_return connection_;
  const bool is_first = !attempt_;
  if (is_first) {
    attempt_ = std::make_shared<Attempt>(executor_);
    attempt_->done.expires_after(settings_.connect_timeout + std::chrono::seconds(1));
    // Not a part of this session, which may end while others wait.
    asio::co_spawn(executor_, try_to_connect(attempt_, executor_, place_, settings_.connect_timeout),
                   asio::detached);
  }
  const std::shared_ptr<Attempt> attempt = attempt_;
  if (!attempt->result) {
    asio::error_code ignored;
    co_await attempt->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (attempt_ == attempt) {
    attempt_.reset();
    if (attempt->result && *attempt->result) connection_ = **attempt->result;
  }
  // Looking up a name cannot be interrupted.
  if (!attempt->result)
    attempt->result.emplace(Error{.kind = ErrorKind::kTemporary, .message = "Connection timed out"});
  if (is_first && !*attempt->result) {
    log_.warn("sasl-connect", concat("SASL: Connect to Dovecot auth socket '", settings_.path,
                                     "' failed: ", attempt->result->error().message));
  }
  co_return *attempt->result;
}

bool DovecotClient::offers(const DovecotConnection& connection, const SaslPeer& peer,
                           std::string_view mechanism) const {
  const std::vector<DovecotMechanism>& all = connection.mechanisms();
  return std::any_of(all.begin(), all.end(), [&](const DovecotMechanism& each) {
    return each.name == mechanism && allows(options(peer), each);
  });
}

asio::awaitable<Result<std::vector<std::string>>> DovecotClient::mechanisms(const SaslPeer& peer) {
  const Result<ConnectionPointer> connected = co_await connection();
  if (!connected) co_return connected.error();
  std::vector<std::string> names;
  for (const DovecotMechanism& each : (*connected)->mechanisms())
    if (allows(options(peer), each)) names.push_back(each.name);
  co_return names;
}

std::unique_ptr<SaslConversation> DovecotClient::converse(const SaslPeer& peer) {
  return std::make_unique<DovecotConversation>(*this, peer);
}

Error no_place(std::string_view path, std::string_view reason) {
  return libconf::configuration_error(concat("smtpd_sasl_path: ", path, ": ", reason));
}

/// The place that `path` means to a service with that root.
Result<DovecotPlace> parse_place(std::string_view path, const libconf::ServiceRoot& root) {
  constexpr std::string_view kInet = "inet:";
  constexpr std::string_view kUnix = "unix:";
  if (path.starts_with(kInet)) {
    const std::string_view rest = path.substr(kInet.size());
    const std::size_t colon = rest.rfind(':');
    if (colon == std::string_view::npos || colon + 1 == rest.size()) return no_place(path, "no port");
    std::string_view host = rest.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty()) return no_place(path, "no host");
    return DovecotPlace(InetPlace{.host = std::string(host), .port = std::string(rest.substr(colon + 1))});
  }
  const std::string_view file = path.starts_with(kUnix) ? path.substr(kUnix.size()) : path;
  if (file.empty()) return no_place(path, "no path");
  if (file.size() >= sizeof(sockaddr_un::sun_path)) return no_place(path, "File name too long");
  return DovecotPlace(UnixPlace{.path = root.at(file)});
}

}  // namespace

Result<std::unique_ptr<SaslBackend>> create_dovecot_client(const libconf::Settings& settings,
                                                           asio::any_io_executor executor,
                                                           libconf::DiagnosticSink& log) {
  const Result<std::string> path = settings.get("smtpd_sasl_path");
  if (!path) return path.error();
  const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(settings);
  if (!root) return root.error();
  const Result<std::string> service = settings.get("smtpd_sasl_service");
  if (!service) return service.error();
  Result<SecurityOptions> options = read_security_options(settings, "smtpd_sasl_security_options");
  if (!options) return options.error();
  Result<SecurityOptions> tls_options = read_security_options(settings, "smtpd_sasl_tls_security_options");
  if (!tls_options) return tls_options.error();
  return create_dovecot_client(DovecotSettings{.path = *path,
                                               .root = *root,
                                               .service = *service,
                                               .options = *options,
                                               .tls_options = *tls_options},
                               std::move(executor), log);
}

Result<std::unique_ptr<SaslBackend>> create_dovecot_client(DovecotSettings settings,
                                                           asio::any_io_executor executor,
                                                           libconf::DiagnosticSink& log) {
  Result<DovecotPlace> place = parse_place(settings.path, settings.root);
  if (!place) return place.error();
  return std::unique_ptr<SaslBackend>(
      std::make_unique<DovecotClient>(std::move(settings), std::move(*place), std::move(executor), log));
}

}  // namespace mta
