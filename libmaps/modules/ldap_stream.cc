#include "libmaps/modules/ldap_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

namespace libmaps {

/// One socket, with bytes that were read ahead and such that are to be written.
class LdapStream::Channel {
 public:
  Channel(LdapStream& stream, int fd) : stream_(stream), fd_(fd) { stream_.channels_.push_back(this); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { std::erase(stream_.channels_, this); }

  bool has_input() const { return begin_ != end_; }

  /// As read(2) on a blocking socket, but for the deadline.
  ber_slen_t read(void* buffer, ber_len_t size) {
    if (!has_input()) {
      // What is asked for may wait for what was held back.
      if (!flush()) return -1;
      const ssize_t count =
          attempt(POLLIN, [&] { return ::recv(fd_, input_.data(), input_.size(), MSG_DONTWAIT); });
      if (count <= 0) return count;
      begin_ = 0;
      end_ = static_cast<std::size_t>(count);
    }
    const std::size_t count = std::min<std::size_t>(size, end_ - begin_);
    std::memcpy(buffer, input_.data() + begin_, count);
    begin_ += count;
    return static_cast<ber_slen_t>(count);
  }

  ber_slen_t write(const void* buffer, ber_len_t size) {
    output_.append(static_cast<const char*>(buffer), size);
    const bool is_kept = stream_.holds_back_ && output_.size() < kMuchOutput;
    return is_kept || flush() ? static_cast<ber_slen_t>(size) : -1;
  }

  bool flush() {
    std::string_view rest = output_;
    while (!rest.empty()) {
      // Without SIGPIPE: a library must not have its program killed.
      const ssize_t count = attempt(
          POLLOUT, [&] { return ::send(fd_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
      if (count < 0) break;
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
    const bool is_done = rest.empty();
    output_.clear();
    return is_done;
  }

 private:
  static constexpr std::size_t kMuchOutput = 32768;

  /// Repeats a system call that does not block until it has a result, or time is over.
  template <class Call>
  ssize_t attempt(short event, const Call& call) {
    for (;;) {
      const ssize_t count = call();
      if (count >= 0 || (errno != EAGAIN && errno != EINTR)) return count;
      if (errno == EINTR) continue;
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(stream_.deadline_ - Clock::now()).count();
      pollfd waiting{.fd = fd_, .events = event, .revents = 0};
      if (left > 0 && ::poll(&waiting, 1, static_cast<int>(left)) != 0) continue;
      stream_.is_timed_out_ = true;
      errno = ETIMEDOUT;
      return -1;
    }
  }

  LdapStream& stream_;
  int fd_;
  std::array<char, 16384> input_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string output_;
};

/// The functions by which the library calls a Channel (lber-sockbuf(3)).
struct LdapStream::Layer {
  static Channel& channel(Sockbuf_IO_Desc* layer) { return *static_cast<Channel*>(layer->sbiod_pvt); }

  static int set_up(Sockbuf_IO_Desc* layer, void* stream) {
    int fd = -1;
    if (::ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &fd) != 1) return -1;
    layer->sbiod_pvt = new (std::nothrow) Channel(*static_cast<LdapStream*>(stream), fd);
    return layer->sbiod_pvt == nullptr ? -1 : 0;
  }
  static int remove(Sockbuf_IO_Desc* layer) {
    delete &channel(layer);
    layer->sbiod_pvt = nullptr;
    return 0;
  }
  static int control(Sockbuf_IO_Desc* layer, int option, void* argument) {
    if (option == LBER_SB_OPT_DATA_READY && channel(layer).has_input()) return 1;
    return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
  }
  static ber_slen_t read(Sockbuf_IO_Desc* layer, void* buffer, ber_len_t size) {
    return channel(layer).read(buffer, size);
  }
  static ber_slen_t write(Sockbuf_IO_Desc* layer, void* buffer, ber_len_t size) {
    return channel(layer).write(buffer, size);
  }
  static int close(Sockbuf_IO_Desc*) { return 0; }

  static inline Sockbuf_IO functions = {set_up, remove, control, read, write, close};
};

void LdapStream::attach(LDAP* handle) { ::ldap_set_option(handle, LDAP_OPT_CONNECT_CB, &callbacks_); }

int LdapStream::on_connect(LDAP*, Sockbuf* socket, LDAPURLDesc*, sockaddr*, ldap_conncb* callbacks) {
  auto* const stream = static_cast<LdapStream*>(callbacks->lc_arg);
  stream->start_waiting();
  // Above the socket, below TLS and SASL.
  return ::ber_sockbuf_add_io(socket, &Layer::functions, LBER_SBIOD_LEVEL_PROVIDER + 1, stream);
}

void LdapStream::start_waiting() {
  is_timed_out_ = false;
  deadline_ = Clock::now() + patience_;
}

bool LdapStream::flush() {
  holds_back_ = false;
  return std::all_of(channels_.begin(), channels_.end(), [](Channel* channel) { return channel->flush(); });
}

}  // namespace libmaps
