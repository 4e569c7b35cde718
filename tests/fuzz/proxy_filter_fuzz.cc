// Bytes that a before-queue filter sends, over a real connection: what the client hears of them is a reply,
// and all ends. The first line of the input says when the filter is asked ("s": at the end, speed_adjust),
// the rest is what it sends.
#include <stdlib.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <string>

#include "libconf/text.h"
#include "tests/fuzz/property.h"
#include "tools/mta/smtp/proxy_filter.h"

namespace {

using asio::local::stream_protocol;

/// Where the filter listens, as long as the program runs.
class Place {
 public:
  Place() {
    require(::mkdtemp(directory_) != nullptr, "there is a directory");
    path_ = libconf::concat(directory_, "/filter");
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    ::unlink(path_.c_str());
    ::rmdir(directory_);
  }
  const std::string& path() const { return path_; }

 private:
  char directory_[24] = "/tmp/proxy-fuzz-XXXXXX";
  std::string path_;
};

/// The filter: says all it has at once, and listens to nothing.
asio::awaitable<void> serve(stream_protocol::acceptor& acceptor, std::string_view bytes) {
  asio::error_code failure;
  stream_protocol::socket client =
      co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
  if (failure) co_return;
  const auto all = asio::buffer(bytes);
  co_await asio::async_write(client, all, asio::redirect_error(asio::use_awaitable, failure));
  client.shutdown(stream_protocol::socket::shutdown_send, failure);
  char words[4096];
  const auto buffer = asio::buffer(words);
  while (!failure)
    co_await client.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, failure));
}

/// Whether a client can read it: lines of one code, each with the end of a line at its end only.
void check_reply(const mta::Reply& reply) {
  std::string out;
  reply.append_to(out);
  std::string_view rest = out;
  const std::string_view code = rest.substr(0, 3);
  for (bool is_last = false; !is_last;) {
    const std::size_t end = rest.find('\n');
    require(end != std::string_view::npos && end > 4 && rest[end - 1] == '\r', "a reply has whole lines");
    const std::string_view line = rest.substr(0, end - 1);
    require(line.substr(0, 3) == code && (line[3] == ' ' || line[3] == '-'), "each line has the code");
    require(line.find_first_of(std::string_view("\r\0", 2)) == std::string_view::npos, "a line is one line");
    is_last = line[3] == ' ';
    rest.remove_prefix(end + 1);
  }
  require(rest.empty(), "a reply is one reply");
}

void check_refusal(const mta::Reply& reply) {
  check_reply(reply);
  require(reply.code() / 100 == 4 || reply.code() / 100 == 5, "a refusal refuses");
}

/// A message with two recipients, as far as the filter lets it come.
asio::awaitable<void> converse(mta::ProxyFilter& filter, bool& is_over) {
  is_over = true;
  std::optional<mta::Reply> refusal = co_await filter.start("MAIL FROM:<a@example.com>");
  require(filter.is_started() == !refusal.has_value(), "a filter that refuses has not started");
  if (refusal) {
    check_refusal(*refusal);
    co_return;
  }
  bool has_recipient = false;
  for (int number = 0; number < 2; ++number) {
    refusal = co_await filter.recipient("RCPT TO:<b@example.com>");
    if (refusal) check_refusal(*refusal);
    has_recipient = has_recipient || !refusal;
  }
  if (!has_recipient) co_return;
  refusal = co_await filter.data();
  if (refusal) {
    check_refusal(*refusal);
    co_return;
  }
  filter.line("Subject: x", false);
  filter.line(".", false);
  co_await filter.send();
  check_reply(co_await filter.finish());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Place place;
  static const mta::QueueDirectory queue({.path = "/nonexistent"});
  std::string_view bytes = as_text(data, size);
  const bool is_speed_adjusted = take_first_line(bytes).starts_with('s');
  ::unlink(place.path().c_str());
  asio::io_context io;
  stream_protocol::acceptor acceptor(io, stream_protocol::endpoint(place.path()));
  const mta::ProxyOptions options{.endpoint = "unix:filter",
                                  .place = {.path = {.path = place.path()}},
                                  .ehlo = "client.example",
                                  .timeout = std::chrono::seconds(20),
                                  .is_speed_adjusted = is_speed_adjusted};
  bool is_over = false;
  {
    std::optional<mta::ProxyFilter> filter;
    filter.emplace(io.get_executor(), options, queue,
                   mta::ForwardedAttributes{{"NAME", "a b"}, {"ADDR", "192.0.2.1"}, {"HELO", ""}},
                   [](std::string_view text) { require(!text.empty(), "a warning says something"); });
    asio::co_spawn(io, serve(acceptor, bytes), asio::detached);
    asio::co_spawn(io, converse(*filter, is_over), [&filter, &acceptor](const std::exception_ptr& thrown) {
      require(!thrown, "nothing is thrown");
      filter.reset();
      acceptor.close();
    });
    io.run();
  }
  require(is_over, "a conversation ends");
  return 0;
}
