// Carries AUTH exchanges by lines, so that tests can hold them against those of a mail server:
//
//     sasl_program CONFIG_DIRECTORY [tls]
//
// Reads MECHANISMS, or AUTH and its arguments, and then what a client responds. Writes the replies; behind a
// success, a line "username NAME". What would be logged goes to standard error.
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/text.h"
#include "libmaps/open.h"
#include "tools/mta/daemon/site.h"
#include "tools/mta/sasl/sasl_server.h"

namespace {

using libconf::Result;

class PrintingSink final : public libconf::DiagnosticSink {
 public:
  void report(libconf::Diagnostic diagnostic) override {
    std::fprintf(stderr, "warning: %s\n", diagnostic.message.c_str());
  }
};

void say(std::string_view line) {
  std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
  std::fflush(stdout);
}

class Lines {
 public:
  explicit Lines(asio::io_context& io) : input_(io, ::dup(STDIN_FILENO)) {}

  /// Nothing: the end.
  asio::awaitable<std::optional<std::string>> next() {
    asio::error_code failure;
    const std::size_t size = co_await asio::async_read_until(
        input_, asio::dynamic_buffer(text_), '\n', asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return std::nullopt;
    std::string line = text_.substr(0, size - 1);
    text_.erase(0, size);
    co_return line;
  }

 private:
  asio::posix::stream_descriptor input_;
  std::string text_;
};

asio::awaitable<void> offer(mta::SaslServer& server, const mta::SaslPeer& peer) {
  const Result<std::vector<std::string>> names = co_await server.mechanisms(peer);
  std::string line = "250-AUTH";
  if (names) {
    for (const std::string& name : *names) line += libconf::concat(" ", name);
  } else {
    line = libconf::concat("error: ", names.error().message);
  }
  say(line);
}

asio::awaitable<void> authenticate(mta::SaslServer& server, const mta::SaslPeer& peer, std::string_view words,
                                   Lines& lines) {
  const std::optional<std::string_view> mechanism = libconf::next_word(words, " ");
  const std::optional<std::string_view> initial = libconf::next_word(words, " ");
  if (!mechanism || libconf::next_word(words, " ")) {
    say("501 5.5.4 Syntax: AUTH mechanism");
    co_return;
  }
  mta::SaslExchange exchange = server.exchange(peer);
  mta::SaslReply reply = co_await exchange.start(*mechanism, initial);
  while (reply.state == mta::SaslReply::State::kChallenge) {
    say(reply.text);
    const std::optional<std::string> line = co_await lines.next();
    if (!line) co_return;
    reply = co_await exchange.step(*line);
  }
  say(reply.text);
  if (reply.state == mta::SaslReply::State::kSuccess) say(libconf::concat("username ", reply.username));
}

asio::awaitable<void> serve(mta::SaslServer& server, mta::SaslPeer peer, Lines& lines, asio::io_context& io) {
  constexpr std::string_view kAuth = "AUTH";
  while (const std::optional<std::string> line = co_await lines.next()) {
    if (line->starts_with(kAuth)) {
      co_await authenticate(server, peer, std::string_view(*line).substr(kAuth.size()), lines);
    } else {
      co_await offer(server, peer);
    }
  }
  io.stop();
}

int run(const std::string& directory, bool has_tls) {
  PrintingSink sink;
  const Result<std::unique_ptr<mta::Site>> site = mta::Site::load(directory, sink);
  if (!site) {
    say(libconf::concat("error: ", site.error().message));
    return 1;
  }
  const auto open_table = [&](std::string_view spec) {
    return libmaps::open(spec, {.settings = (*site)->settings(), .warnings = sink});
  };
  asio::io_context io;
  Result<std::unique_ptr<mta::SaslServer>> server =
      mta::SaslServer::create((*site)->settings(), io.get_executor(), open_table, sink);
  if (!server) {
    say(libconf::concat("error: ", server.error().message));
    return 1;
  }
  const mta::SaslPeer peer{.local_address = "127.0.0.1",
                           .local_port = "25",
                           .remote_address = "127.0.0.1",
                           .remote_port = "40000",
                           .has_tls = has_tls};
  Lines lines(io);
  asio::co_spawn(io, serve(**server, peer, lines, io), asio::detached);
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: sasl_program CONFIG_DIRECTORY [tls]\n");
    return 2;
  }
  return run(argv[1], argc > 2 && std::string_view(argv[2]) == "tls");
}
