#include "tools/mta/sasl/cyrus_server.h"

#include <sasl/sasl.h>

#include <algorithm>
#include <array>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <mutex>
#include <utility>

#include "libconf/service_root.h"
#include "libconf/text.h"
#include "tools/mta/sasl/cyrus_callbacks.h"
#include "tools/mta/sasl/cyrus_library.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

struct Disposer {
  void operator()(sasl_conn_t* context) const { sasl_dispose(&context); }
};

/// Says nothing about the client, but about the server.
constexpr std::array kTemporaryCodes = {SASL_FAIL,     SASL_NOMEM,   SASL_TRYAGAIN, SASL_NOTINIT,
                                        SASL_BADPARAM, SASL_UNAVAIL, SASL_CONFIGERR};

/// "192.0.2.1;25", or nothing when it is not known.
std::string address_and_port(const std::string& address, const std::string& port) {
  return address.empty() || port.empty() ? std::string() : concat(address, ";", port);
}

const char* text_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

unsigned length_of(const std::string& text) { return static_cast<unsigned>(text.size()); }

/// What the library knows of a session. Used by one thread at a time.
class CyrusContext {
 public:
  explicit CyrusContext(const CyrusSettings& settings) : callbacks_(settings.config, settings.root) {}

  /// Returns a code of the library.
  int open(const CyrusSettings& settings, const SaslPeer& peer) {
    const std::string local = address_and_port(peer.local_address, peer.local_port);
    const std::string remote = address_and_port(peer.remote_address, peer.remote_port);
    sasl_conn_t* context = nullptr;
    int status = sasl_server_new(settings.service.c_str(), text_or_null(settings.host_name),
                                 text_or_null(settings.local_domain), text_or_null(local),
                                 text_or_null(remote), callbacks_.list(), 0, &context);
    context_.reset(context);
    if (status != SASL_OK) return status;
    // SMTP has no use for the security layers of mechanisms.
    sasl_security_properties_t properties{};
    properties.security_flags = security_flags(peer.has_tls ? settings.tls_options : settings.options);
    return sasl_setprop(context_.get(), SASL_SEC_PROPS, &properties);
  }

  std::vector<std::string> mechanisms() {
    const char* list = nullptr;
    if (sasl_listmech(context_.get(), nullptr, "", " ", "", &list, nullptr, nullptr) != SASL_OK) return {};
    std::vector<std::string> names;
    std::string_view rest = list;
    while (const std::optional<std::string_view> name = libconf::next_word(rest, " "))
      names.emplace_back(*name);
    return names;
  }

  SaslAnswer start(const std::string& mechanism, const std::optional<std::string>& initial_response) {
    const char* output = nullptr;
    unsigned length = 0;
    const int status = sasl_server_start(
        context_.get(), mechanism.c_str(), initial_response ? initial_response->c_str() : nullptr,
        initial_response ? length_of(*initial_response) : 0, &output, &length);
    return answer(status, output, length);
  }

  SaslAnswer step(const std::string& response) {
    const char* output = nullptr;
    unsigned length = 0;
    const int status =
        sasl_server_step(context_.get(), response.c_str(), length_of(response), &output, &length);
    return answer(status, output, length);
  }

  SaslAnswer failure(int status) {
    // Whether there is such a user is nobody's business.
    if (status == SASL_NOUSER) status = SASL_BADAUTH;
    const bool is_temporary =
        std::find(kTemporaryCodes.begin(), kTemporaryCodes.end(), status) != kTemporaryCodes.end();
    return {.kind = is_temporary ? SaslAnswer::Kind::kTemporary : SaslAnswer::Kind::kFailure,
            .text = sasl_errstring(status, nullptr, nullptr),
            .username = username()};
  }

  void report(libconf::DiagnosticSink& log) { callbacks_.report(log); }

 private:
  SaslAnswer answer(int status, const char* output, unsigned length) {
    if (status == SASL_CONTINUE) {
      return {.kind = SaslAnswer::Kind::kChallenge,
              .text = output == nullptr ? std::string() : std::string(output, length)};
    }
    if (status != SASL_OK) return failure(status);
    std::string name = username();
    if (name.empty()) return failure(SASL_BADAUTH);
    return {.kind = SaslAnswer::Kind::kSuccess, .username = std::move(name)};
  }

  std::string username() {
    const void* name = nullptr;
    if (!context_ || sasl_getprop(context_.get(), SASL_USERNAME, &name) != SASL_OK || name == nullptr)
      return {};
    return static_cast<const char*>(name);
  }

  CyrusCallbacks callbacks_;  // Outlives the context.
  std::unique_ptr<sasl_conn_t, Disposer> context_;
};

/// What a session waits for.
struct Call {
  explicit Call(const asio::any_io_executor& executor) : done(executor) {}
  asio::steady_timer done;  ///< Is cancelled when there is an answer.
  std::optional<SaslAnswer> answer;
};

/// Where threads bring their answers, as long as there is somebody.
struct Home {
  explicit Home(asio::any_io_executor target) : executor(std::move(target)) {}
  std::mutex mutex;
  std::optional<asio::any_io_executor> executor;
};

class CyrusServer final : public SaslBackend {
 public:
  CyrusServer(CyrusSettings settings, CyrusLibrary& library, asio::any_io_executor executor,
              libconf::DiagnosticSink& log)
      : settings_(std::make_shared<const CyrusSettings>(std::move(settings))),
        library_(library),
        home_(std::make_shared<Home>(std::move(executor))),
        log_(log) {}
  CyrusServer(const CyrusServer&) = delete;
  CyrusServer& operator=(const CyrusServer&) = delete;
  ~CyrusServer() override {
    const std::lock_guard<std::mutex> guard(home_->mutex);
    home_->executor.reset();
  }

  asio::awaitable<Result<std::vector<std::string>>> mechanisms(const SaslPeer& peer) override {
    CyrusContext context(*settings_);
    const int status = context.open(*settings_, peer);
    std::vector<std::string> names;
    if (status == SASL_OK) names = context.mechanisms();
    context.report(log_);
    if (status != SASL_OK) {
      co_return Error{.kind = ErrorKind::kTemporary,
                      .message = concat("SASL per-connection server initialization: ",
                                        sasl_errstring(status, nullptr, nullptr))};
    }
    co_return names;
  }

  std::unique_ptr<SaslConversation> converse(const SaslPeer& peer) override;

  using Work = std::function<SaslAnswer(CyrusContext&)>;

  /// Runs `work` on a thread. The context must not be used by others before there is an answer; when this
  /// takes too long, never again. `work` may outlive the session, and the server.
  asio::awaitable<SaslAnswer> run(std::shared_ptr<CyrusContext> context, Work work) {
    const auto call = std::make_shared<Call>(*home_->executor);
    call->done.expires_after(settings_->timeout);
    asio::post(library_.threads(),
               [context, home = home_, waiting = std::weak_ptr<Call>(call), work = std::move(work)]() {
                 SaslAnswer answer = work(*context);
                 const std::lock_guard<std::mutex> guard(home->mutex);
                 if (!home->executor) return;
                 asio::post(*home->executor, [waiting, answer = std::move(answer)]() mutable {
                   const std::shared_ptr<Call> found = waiting.lock();
                   if (!found) return;
                   found->answer = std::move(answer);
                   found->done.cancel();
                 });
               });
    asio::error_code ignored;
    co_await call->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (!call->answer) {
      log_.warn("sasl-timeout",
                "SASL authentication problem: the password verification service does not answer");
      co_return SaslAnswer{.kind = SaslAnswer::Kind::kTemporary, .text = "Authentication backend timed out"};
    }
    context->report(log_);
    co_return std::move(*call->answer);
  }

  std::shared_ptr<const CyrusSettings> settings() const { return settings_; }

 private:
  std::shared_ptr<const CyrusSettings> settings_;
  CyrusLibrary& library_;
  std::shared_ptr<Home> home_;
  libconf::DiagnosticSink& log_;
};

class CyrusConversation final : public SaslConversation {
 public:
  CyrusConversation(CyrusServer& server, SaslPeer peer)
      : server_(server),
        peer_(std::move(peer)),
        context_(std::make_shared<CyrusContext>(*server_.settings())) {}

  asio::awaitable<SaslAnswer> start(std::string mechanism,
                                    std::optional<std::string> initial_response) override {
    CyrusServer::Work work = [settings = server_.settings(), peer = peer_, mechanism = std::move(mechanism),
                              initial_response = std::move(initial_response)](CyrusContext& context) {
      const int status = context.open(*settings, peer);
      if (status != SASL_OK) return context.failure(status);
      return context.start(mechanism, initial_response);
    };
    return server_.run(context_, std::move(work));
  }

  asio::awaitable<SaslAnswer> step(std::string response) override {
    CyrusServer::Work work = [response = std::move(response)](CyrusContext& context) {
      return context.step(response);
    };
    return server_.run(context_, std::move(work));
  }

 private:
  CyrusServer& server_;
  SaslPeer peer_;
  std::shared_ptr<CyrusContext> context_;
};

std::unique_ptr<SaslConversation> CyrusServer::converse(const SaslPeer& peer) {
  return std::make_unique<CyrusConversation>(*this, peer);
}

}  // namespace

Result<std::unique_ptr<SaslBackend>> create_cyrus_server(const libconf::Settings& settings,
                                                         asio::any_io_executor executor,
                                                         libconf::DiagnosticSink& log) {
  CyrusSettings values;
  std::string name;
  std::string path;
  std::string config_directory;
  const std::array<std::pair<std::string_view, std::string*>, 6> texts = {{
      {"smtpd_sasl_path", &name},
      {"cyrus_sasl_config_path", &path},
      {"config_directory", &config_directory},
      {"smtpd_sasl_service", &values.service},
      {"myhostname", &values.host_name},
      {"smtpd_sasl_local_domain", &values.local_domain},
  }};
  for (const auto& [parameter, value] : texts) {
    Result<std::string> text = settings.get(parameter);
    if (!text) return text.error();
    *value = std::move(*text);
  }
  if (path.empty()) path = concat(config_directory, "/sasl:/etc/sasl2:/etc/sasl:/usr/lib/sasl2");
  Result<CyrusOptions> config = CyrusOptions::find(name, path);
  if (!config) return config.error();
  values.config = std::move(*config);
  const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(settings);
  if (!root) return root.error();
  values.root = root->directory();
  const Result<SecurityOptions> options = read_security_options(settings, "smtpd_sasl_security_options");
  if (!options) return options.error();
  values.options = *options;
  const Result<SecurityOptions> tls_options =
      read_security_options(settings, "smtpd_sasl_tls_security_options");
  if (!tls_options) return tls_options.error();
  values.tls_options = *tls_options;
  return create_cyrus_server(std::move(values), std::move(executor), log);
}

Result<std::unique_ptr<SaslBackend>> create_cyrus_server(CyrusSettings settings,
                                                         asio::any_io_executor executor,
                                                         libconf::DiagnosticSink& log) {
  const Result<CyrusLibrary*> library = CyrusLibrary::get(settings.config, log);
  if (!library) return library.error();
  return std::unique_ptr<SaslBackend>(
      std::make_unique<CyrusServer>(std::move(settings), **library, std::move(executor), log));
}

}  // namespace mta
