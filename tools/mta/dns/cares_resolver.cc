#include "tools/mta/dns/cares_resolver.h"

#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <utility>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/dns/dns_message.h"

namespace mta {
namespace {

/// Numbers of RFC 1035, 3.2.2 and 3.2.3.
constexpr int kClassInternet = 1;
constexpr std::array<int, 8> kTypeNumbers = {1, 28, 15, 2, 12, 6, 16, 52};

int type_number(DnsType type) { return kTypeNumbers[static_cast<std::size_t>(type)]; }

DnsStatus to_status(int code) {
  switch (code) {
    case ARES_SUCCESS:
      return DnsStatus::kFound;
    case ARES_ENODATA:
      return DnsStatus::kNoData;
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
      return DnsStatus::kNoSuchName;
    default:
      return DnsStatus::kTemporaryFailure;
  }
}

// One reader a type; each appends to `records` and returns c-ares' code.
using Records = std::vector<DnsRecord>;

int read_a(const unsigned char* bytes, int size, Records& records) {
  std::array<ares_addrttl, 64> found{};
  int count = static_cast<int>(found.size());
  const int code = ares_parse_a_reply(bytes, size, nullptr, found.data(), &count);
  for (int i = 0; code == ARES_SUCCESS && i < count; ++i)
    records.push_back(
        {to_string(libmaps::Ipv4Address{ntohl(found[static_cast<std::size_t>(i)].ipaddr.s_addr)})});
  return code;
}

int read_aaaa(const unsigned char* bytes, int size, Records& records) {
  std::array<ares_addr6ttl, 64> found{};
  int count = static_cast<int>(found.size());
  const int code = ares_parse_aaaa_reply(bytes, size, nullptr, found.data(), &count);
  for (int i = 0; code == ARES_SUCCESS && i < count; ++i) {
    libmaps::Ipv6Address address;
    for (int byte = 0; byte < 16; ++byte) {
      std::uint64_t& half = byte < 8 ? address.high : address.low;
      half = half << 8 | found[static_cast<std::size_t>(i)].ip6addr._S6_un._S6_u8[byte];
    }
    records.push_back({to_string(address)});
  }
  return code;
}

int read_mx(const unsigned char* bytes, int size, Records& records) {
  ares_mx_reply* found = nullptr;
  const int code = ares_parse_mx_reply(bytes, size, &found);
  for (const ares_mx_reply* each = found; each != nullptr; each = each->next)
    records.push_back({each->host, each->priority});
  ares_free_data(found);
  return code;
}

int read_ns(const unsigned char* bytes, int size, Records& records) {
  hostent* found = nullptr;
  const int code = ares_parse_ns_reply(bytes, size, &found);
  if (code == ARES_SUCCESS) {
    for (char** each = found->h_aliases; *each != nullptr; ++each) records.push_back({*each});
    ares_free_hostent(found);
  }
  return code;
}

int read_ptr(const unsigned char* bytes, int size, Records& records) {
  hostent* found = nullptr;
  const int code = ares_parse_ptr_reply(bytes, size, nullptr, 0, AF_INET, &found);
  if (code == ARES_SUCCESS) {
    for (char** each = found->h_aliases; *each != nullptr; ++each) records.push_back({*each});
    ares_free_hostent(found);
  }
  return code;
}

int read_soa(const unsigned char* bytes, int size, Records& records) {
  ares_soa_reply* found = nullptr;
  const int code = ares_parse_soa_reply(bytes, size, &found);
  if (code == ARES_SUCCESS) records.push_back({found->nsname});
  ares_free_data(found);
  return code;
}

int read_txt(const unsigned char* bytes, int size, Records& records) {
  ares_txt_ext* found = nullptr;
  const int code = ares_parse_txt_reply_ext(bytes, size, &found);
  for (const ares_txt_ext* each = found; each != nullptr; each = each->next) {
    if (each->record_start || records.empty()) records.emplace_back();
    records.back().data.append(reinterpret_cast<const char*>(each->txt), each->length);
  }
  ares_free_data(found);
  return code;
}

int read_tlsa(const unsigned char* bytes, int size, Records& records) {
  const auto message = read_dns_message({bytes, static_cast<std::size_t>(size)}, type_number(DnsType::kTlsa));
  if (!message) return ARES_EBADRESP;
  for (const std::string& each : message->data) records.push_back({each});
  return records.empty() ? ARES_ENODATA : ARES_SUCCESS;
}

using Reader = int (*)(const unsigned char*, int, Records&);
constexpr std::array<Reader, 8> kReaders = {read_a,   read_aaaa, read_mx,  read_ns,
                                            read_ptr, read_soa,  read_txt, read_tlsa};

/// What the code of a response is for c-ares.
int to_ares_code(int response_code) {
  constexpr int kNoError = 0;
  constexpr int kNoSuchName = 3;
  if (response_code == kNoError) return ARES_SUCCESS;
  return response_code == kNoSuchName ? ARES_ENOTFOUND : ARES_ESERVFAIL;
}

/// Whether a line of resolv.conf(5), or RES_OPTIONS, has the option.
bool has_trust(std::string_view options) {
  while (const auto word = libconf::next_word(options, libconf::kBlanks))
    if (*word == "trust-ad") return true;
  return false;
}

bool is_system_trusted() {
  if (const char* options = std::getenv("RES_OPTIONS"); options != nullptr && has_trust(options)) return true;
  std::ifstream file("/etc/resolv.conf");
  for (std::string line; std::getline(file, line);) {
    std::string_view rest = line;
    if (libconf::next_word(rest, libconf::kBlanks) == "options" && has_trust(rest)) return true;
  }
  return false;
}

DnsAnswer read_answer(DnsType type, bool is_trusted, const unsigned char* bytes, int size) {
  DnsAnswer answer;
  const auto message = read_dns_message({bytes, static_cast<std::size_t>(size)}, type_number(type));
  if (message)
    answer = {
        .ttl = message->ttl, .name = message->name, .is_validated = is_trusted && message->is_authentic};
  if (const int failure = to_ares_code(message ? message->response_code : 0); failure != ARES_SUCCESS) {
    answer.status = to_status(failure);
    return answer;
  }
  const int code = kReaders[static_cast<std::size_t>(type)](bytes, size, answer.records);
  answer.status = to_status(code);
  // A chain of aliases that ends in nothing is no error to all of the readers.
  if (answer.status == DnsStatus::kFound && answer.records.empty()) answer.status = DnsStatus::kNoData;
  if (answer.status != DnsStatus::kFound) answer.records.clear();
  return answer;
}

}  // namespace

/// The c-ares channel, the sockets that it waits for, and its clock.
class CaresResolver::Channel : public std::enable_shared_from_this<Channel> {
 public:
  Channel(asio::any_io_executor executor, const CaresOptions& options)
      : executor_(executor), clock_(executor), limit_(options.limit) {}
  ~Channel() {
    if (is_open_) ares_destroy(channel_);
  }

  libconf::Result<void> open(const CaresOptions& options) {
    ares_options settings{};
    settings.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    settings.timeout = static_cast<int>(options.try_timeout.count());
    settings.tries = options.tries;
    settings.sock_state_cb = [](void* self, ares_socket_t socket, int reads, int writes) {
      static_cast<Channel*>(self)->watch(socket, reads != 0, writes != 0);
    };
    settings.sock_state_cb_data = this;
    constexpr int kMask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (const int code = ares_init_options(&channel_, &settings, kMask); code != ARES_SUCCESS)
      return libconf::Error{.kind = libconf::ErrorKind::kInputOutput,
                            .message = libconf::concat("resolver: ", ares_strerror(code))};
    is_open_ = true;
    is_trusted_ = options.servers.empty() ? is_system_trusted() : options.is_trusted;
    std::string servers;
    for (const std::string& server : options.servers) servers += (servers.empty() ? "" : ",") + server;
    if (servers.empty()) return {};
    if (const int code = ares_set_servers_ports_csv(channel_, servers.c_str()); code != ARES_SUCCESS)
      return libconf::configuration_error(libconf::concat("resolver: ", servers, ": ", ares_strerror(code)));
    return {};
  }

  asio::awaitable<DnsAnswer> resolve(std::string name, DnsType type) {
    const auto question = std::make_shared<Question>(executor_, type);
    question->is_trusted = is_trusted_;
    question->timer.expires_after(limit_);
    // The callback keeps the question; who waits for it may be gone by then.
    auto holder = std::make_unique<std::shared_ptr<Question>>(question);
    if (is_trusted_) {
      ask_for_validation(name, type, std::move(holder));
    } else {
      ares_query(channel_, name.c_str(), kClassInternet, type_number(type), &Channel::done, holder.release());
    }
    schedule();
    asio::error_code ignored;
    if (!question->is_done)
      co_await question->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return question->answer;
  }

  /// Answers all open questions with failures, and lets the sockets go.
  void close() {
    if (!std::exchange(is_open_, false)) return;
    ares_destroy(channel_);
    clock_.cancel();
    sockets_.clear();
  }

 private:
  struct Question {
    Question(asio::any_io_executor executor, DnsType asked) : type(asked), timer(std::move(executor)) {}
    DnsType type;
    bool is_trusted = false;
    DnsAnswer answer = {.status = DnsStatus::kTemporaryFailure};
    bool is_done = false;
    asio::steady_timer timer;  ///< Expires at the limit; cancelled by the answer.
  };

  struct Socket {
    explicit Socket(asio::any_io_executor executor, ares_socket_t fd) : descriptor(std::move(executor), fd) {}
    // The descriptor is c-ares' to close.
    ~Socket() { descriptor.release(); }
    asio::posix::stream_descriptor descriptor;
    bool wants_read = false;
    bool wants_write = false;
    bool waits_to_read = false;
    bool waits_to_write = false;
  };

  static void done(void* holder, int code, int, unsigned char* bytes, int size) {
    const std::unique_ptr<std::shared_ptr<Question>> owned(static_cast<std::shared_ptr<Question>*>(holder));
    Question& question = **owned;
    question.answer = code == ARES_SUCCESS ? read_answer(question.type, question.is_trusted, bytes, size)
                                           : DnsAnswer{.status = to_status(code)};
    question.is_done = true;
    question.timer.cancel();
  }

  /// As ares_query() does, with the bit that asks for validation (RFC 6840, section 5.7).
  void ask_for_validation(const std::string& name, DnsType type,
                          std::unique_ptr<std::shared_ptr<Question>> holder) {
    thread_local std::random_device random;
    const auto id = static_cast<unsigned short>(random());
    unsigned char* query = nullptr;
    int size = 0;
    const int code =
        ares_create_query(name.c_str(), kClassInternet, type_number(type), id, 1, &query, &size, 0);
    if (code != ARES_SUCCESS) {
      done(holder.release(), code, 0, nullptr, 0);
      return;
    }
    query[3] |= 0x20;
    ares_send(channel_, query, size, &Channel::done, holder.release());
    ares_free_string(query);
  }

  void watch(ares_socket_t fd, bool reads, bool writes) {
    if (!reads && !writes) {
      sockets_.erase(fd);
      return;
    }
    auto& socket = sockets_[fd];
    if (!socket) socket = std::make_shared<Socket>(executor_, fd);
    socket->wants_read = reads;
    socket->wants_write = writes;
    wait(fd, socket);
  }

  void wait(ares_socket_t fd, const std::shared_ptr<Socket>& socket) {
    using Wait = asio::posix::stream_descriptor::wait_type;
    if (socket->wants_read && !std::exchange(socket->waits_to_read, true))
      socket->descriptor.async_wait(Wait::wait_read, [self = weak_from_this(), fd, socket](auto error) {
        socket->waits_to_read = false;
        if (!error) ready(self, fd, socket, fd, ARES_SOCKET_BAD);
      });
    if (socket->wants_write && !std::exchange(socket->waits_to_write, true))
      socket->descriptor.async_wait(Wait::wait_write, [self = weak_from_this(), fd, socket](auto error) {
        socket->waits_to_write = false;
        if (!error) ready(self, fd, socket, ARES_SOCKET_BAD, fd);
      });
  }

  static void ready(const std::weak_ptr<Channel>& weak, ares_socket_t fd,
                    const std::shared_ptr<Socket>& socket, ares_socket_t readable, ares_socket_t writable) {
    const auto self = weak.lock();
    if (!self || !self->is_open_) return;
    // The number may belong to another socket by now.
    const auto current = self->sockets_.find(fd);
    if (current == self->sockets_.end() || current->second != socket) return;
    ares_process_fd(self->channel_, readable, writable);
    const auto still = self->sockets_.find(fd);
    if (still != self->sockets_.end() && still->second == socket) self->wait(fd, socket);
    self->schedule();
  }

  /// Lets c-ares repeat questions and give up, when it wants to.
  void schedule() {
    timeval left{};
    if (!is_open_ || ares_timeout(channel_, nullptr, &left) == nullptr) {
      clock_.cancel();
      return;
    }
    clock_.expires_after(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec));
    clock_.async_wait([weak = weak_from_this()](auto error) {
      const auto self = weak.lock();
      if (error || !self || !self->is_open_) return;
      ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      self->schedule();
    });
  }

  asio::any_io_executor executor_;
  asio::steady_timer clock_;
  std::chrono::milliseconds limit_;
  ares_channel channel_ = nullptr;
  bool is_open_ = false;
  bool is_trusted_ = false;
  std::map<ares_socket_t, std::shared_ptr<Socket>> sockets_;
};

CaresResolver::CaresResolver(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

CaresResolver::~CaresResolver() { channel_->close(); }

libconf::Result<std::unique_ptr<CaresResolver>> CaresResolver::create(asio::any_io_executor executor,
                                                                      const CaresOptions& options) {
  auto channel = std::make_shared<Channel>(std::move(executor), options);
  if (auto opened = channel->open(options); !opened) return opened.error();
  return std::unique_ptr<CaresResolver>(new CaresResolver(std::move(channel)));
}

asio::awaitable<DnsAnswer> CaresResolver::resolve(std::string name, DnsType type) {
  // The channel stays while the question is open, even when the resolver goes.
  const std::shared_ptr<Channel> channel = channel_;
  if (name.ends_with('.')) name.pop_back();
  co_return co_await channel->resolve(std::move(name), type);
}

}  // namespace mta
