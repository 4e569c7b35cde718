#include "tools/mta/sasl/cyrus_client.h"

#include <sasl/sasl.h>

#include "tools/mta/sasl/cyrus_library.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

struct Disposer {
  void operator()(sasl_conn_t* context) const { sasl_dispose(&context); }
};

Error failure(int status) {
  return {.kind = ErrorKind::kTemporary, .message = sasl_errstring(status, nullptr, nullptr)};
}

class Client final : public CyrusClient {
 public:
  Client(CyrusCredentials credentials, libconf::DiagnosticSink& log)
      : callbacks_(CyrusOptions(), std::move(credentials)), log_(log) {}

  int open(const Place& place, const SecurityOptions& options) {
    sasl_conn_t* context = nullptr;
    const int status = sasl_client_new(place.service.c_str(), place.host.c_str(), nullptr, nullptr,
                                       callbacks_.list(), 0, &context);
    context_.reset(context);
    callbacks_.report(log_);
    if (status != SASL_OK) return status;
    // SMTP has no use for the security layers of mechanisms.
    sasl_security_properties_t properties{};
    properties.security_flags = security_flags(options);
    return sasl_setprop(context_.get(), SASL_SEC_PROPS, &properties);
  }

  Result<Start> start(const std::string& mechanisms) override {
    const char* output = nullptr;
    const char* mechanism = nullptr;
    unsigned length = 0;
    const int status =
        sasl_client_start(context_.get(), mechanisms.c_str(), nullptr, &output, &length, &mechanism);
    callbacks_.report(log_);
    if (status != SASL_OK && status != SASL_CONTINUE) return failure(status);
    Start start{.mechanism = mechanism == nullptr ? "" : mechanism};
    if (output != nullptr) start.response.emplace(output, length);
    return start;
  }

  Result<std::string> step(const std::string& challenge) override {
    const char* output = nullptr;
    unsigned length = 0;
    const int status = sasl_client_step(context_.get(), challenge.data(),
                                        static_cast<unsigned>(challenge.size()), nullptr, &output, &length);
    callbacks_.report(log_);
    if (status != SASL_OK && status != SASL_CONTINUE) return failure(status);
    return output == nullptr ? std::string() : std::string(output, length);
  }

 private:
  CyrusCallbacks callbacks_;  // Outlives the context.
  std::unique_ptr<sasl_conn_t, Disposer> context_;
  libconf::DiagnosticSink& log_;
};

}  // namespace

Error CyrusClient::unreadable_challenge() { return failure(SASL_CONTINUE); }

Result<std::unique_ptr<CyrusClient>> CyrusClient::open(const Place& place, CyrusCredentials credentials,
                                                       const SecurityOptions& options,
                                                       libconf::DiagnosticSink& log) {
  const Result<void> started = CyrusLibrary::start_client(log);
  if (!started) return started.error();
  auto client = std::make_unique<Client>(std::move(credentials), log);
  const int status = client->open(place, options);
  if (status != SASL_OK) return failure(status);
  return std::unique_ptr<CyrusClient>(std::move(client));
}

}  // namespace mta
