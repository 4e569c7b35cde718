// A TLS server as a main.cf has it, for comparison with Postfix:
//
//     tls_program MAIN_CF CLIENT_NAME_AND_ADDRESS
//
// First it prints what loading reports, then its port on 127.0.0.1; 0, and the end, when there is no TLS.
// After each handshake it sends "220 ready", closes, and prints what the log would say, a line each with its
// severity before it ("I ", "W ", "E "), then the comments for a Received: header, "R " before each line, and
// an empty line.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <iostream>
#include <string>

#include "libconf/handle.h"
#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "tools/mta/tls/tls_facts.h"

namespace {

class PrintingSink final : public libconf::DiagnosticSink {
 public:
  void report(libconf::Diagnostic diagnostic) override {
    constexpr std::string_view kLetters = "IWE";
    std::cout << kLetters[static_cast<std::size_t>(diagnostic.severity)] << ' ' << diagnostic.message << '\n';
  }
};

void serve(mta::TlsServerContext& context, int socket, const std::string& client, PrintingSink& log) {
  mta::TlsConnection connection{.client = client, .log = log};
  const mta::SslHandle session(SSL_new(context.native()));
  SSL_set_fd(session.get(), socket);
  context.attach(session.get(), connection);
  if (SSL_accept(session.get()) != 1) {
    mta::take_library_problems();
    mta::log_failed_handshake(connection, "-1");
    return;
  }
  const mta::TlsFacts facts = mta::read_tls_facts(session.get(), context.policy(), connection);
  mta::log_established(facts, context.policy(), connection);
  constexpr std::string_view kReady = "220 ready\r\n";
  SSL_write(session.get(), kReady.data(), static_cast<int>(kReady.size()));
  SSL_shutdown(session.get());
  mta::take_library_problems();
  std::cout << "R ";
  for (const char c : mta::received_tls_comment(facts)) std::cout << c << (c == '\n' ? "R " : "");
  std::cout << '\n';
}

/// A listening socket on 127.0.0.1, and its port.
std::pair<libconf::FileDescriptor, int> listen_on_loopback() {
  libconf::FileDescriptor listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 5) != 0 ||
      ::getsockname(listener.get(), generic, &size) != 0)
    return {};
  return {std::move(listener), ntohs(address.sin_port)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto document = libconf::MainCfDocument::load(argv[1]);
  if (!document) return 2;
  const libconf::Settings settings(&*document, libconf::system_host());
  PrintingSink log;
  const auto fail = [](const mta::Error& error) {
    std::cout << "W " << error.message << "\n0" << std::endl;
    return 1;
  };
  const mta::Result<mta::TlsPolicy> policy = mta::TlsPolicy::read(settings, log);
  if (!policy) return fail(policy.error());
  const auto context = mta::TlsServerContext::load(*policy, settings, log);
  if (!context) return fail(context.error());
  const auto [listener, port] = listen_on_loopback();
  std::cout << port << std::endl;
  while (true) {
    const libconf::FileDescriptor client(::accept(listener.get(), nullptr, nullptr));
    if (!client) return 1;
    serve(**context, client.get(), argv[2], log);
    std::cout << std::endl;
  }
}
