#include "tools/mta/smtp/proxy_filter.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/smtp/proxy_reply.h"
#include "tools/mta/smtp/xtext.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::size_t kPortion = 32768;        ///< Bytes of kept content that are sent at a time.
constexpr std::size_t kLongestReply = 65536;   ///< A filter that goes on without end says nothing.
constexpr std::size_t kLongestXforward = 512;  ///< RFC 5321, section 4.5.3.1.4

/// What the client hears when the filter cannot be asked.
/// `classes`: whether it is a fault of this host that the filter cannot be asked.
Reply unavailable(ErrorClasses classes = ErrorClass::kSoftware) {
  return {451, "4.3.0", "Error: queue file write error", classes};
}

}  // namespace

Result<ProxyOptions> ProxyOptions::read(const libconf::Settings& settings) {
  ProxyOptions options;
  Result<std::string> endpoint = settings.get("smtpd_proxy_filter");
  if (!endpoint) return endpoint.error();
  options.endpoint = std::move(*endpoint);
  if (options.endpoint.empty()) return options;
  const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(settings);
  if (!root) return root.error();
  std::optional<ServerPlace> place = parse_server_place(options.endpoint, *root);
  if (!place) return libconf::configuration_error(concat("bad smtpd_proxy_filter: ", options.endpoint));
  options.place = std::move(*place);
  Result<std::string> ehlo = settings.get("smtpd_proxy_ehlo");
  if (!ehlo) return ehlo.error();
  options.ehlo = std::move(*ehlo);
  const Result<std::chrono::seconds> timeout = settings.get_duration("smtpd_proxy_timeout");
  if (!timeout) return timeout.error();
  options.timeout = *timeout;
  const Result<std::vector<std::string>> words = settings.get_list("smtpd_proxy_options");
  if (!words) return words.error();
  for (const std::string& word : *words) {
    if (word != "speed_adjust")
      return libconf::configuration_error(concat("unknown smtpd_proxy_options value \"", word, "\""));
    options.is_speed_adjusted = true;
  }
  return options;
}

ProxyFilter::ProxyFilter(const asio::any_io_executor& executor, const ProxyOptions& options,
                         const QueueDirectory& queue, ForwardedAttributes client, Warn warn)
    : executor_(executor),
      options_(options),
      client_(std::move(client)),
      warn_(std::move(warn)),
      content_(queue) {}

ProxyFilter::~ProxyFilter() { leave(); }

void ProxyFilter::lose(std::string_view fault) {
  const bool is_late = fault == "Connection timed out";
  warn_(concat(is_late ? "timeout talking to proxy " : "lost connection with proxy ", options_.endpoint));
  socket_->close();
  socket_.reset();
}

ProxyFilter::Answer ProxyFilter::read_reply() {
  if (!socket_) co_return "";
  std::size_t length = 0;
  while ((length = proxy_reply_length(input_)) == 0 && input_.size() < kLongestReply) {
    const std::string fault = co_await socket_->read(input_, options_.timeout);
    if (fault.empty()) continue;
    lose(fault);
    co_return "";
  }
  std::string reply = clean_proxy_reply(std::string_view(input_).substr(0, length));
  input_.erase(0, length);
  if (is_proxy_reply(reply)) co_return reply;
  lose("Application error");
  co_return "";
}

ProxyFilter::Answer ProxyFilter::ask(std::string_view command) {
  if (!socket_) co_return "";
  const std::string line = concat(command, "\r\n");
  const std::string fault = co_await socket_->write(line, options_.timeout);
  if (!fault.empty()) {
    lose(fault);
    co_return "";
  }
  co_return co_await read_reply();
}

/// What the client is told, unless the reply starts with `wanted`.
std::optional<Reply> ProxyFilter::judge(std::string_view command, std::string_view reply, char wanted) {
  if (reply.empty()) return unavailable();
  if (reply[0] == wanted) return std::nullopt;
  warn_(concat("proxy ", options_.endpoint, " rejected \"", command, "\": \"", reply, "\""));
  // A filter that says yes to what was not asked makes no sense.
  return reply[0] == '4' || reply[0] == '5' ? reply_of_proxy(reply) : unavailable({});
}

/// Tells of the client what the filter wants to know (XFORWARD_README).
asio::awaitable<std::optional<Reply>> ProxyFilter::forward_client(std::string_view ehlo_reply) {
  const std::vector<std::string> offered = offered_attributes(ehlo_reply);
  std::vector<std::string> commands;
  for (const auto& [name, value] : client_) {
    const auto is_it = [&wanted = name](const std::string& each) {
      return libconf::equals_ignoring_case(each, wanted);
    };
    const bool is_wanted = std::any_of(offered.begin(), offered.end(), is_it);
    if (!is_wanted) continue;
    const std::string attribute =
        concat(" ", name, "=", value.empty() ? std::string("[UNAVAILABLE]") : encode_xtext(value));
    if (commands.empty() || commands.back().size() + attribute.size() > kLongestXforward)
      commands.emplace_back("XFORWARD");
    commands.back() += attribute;
  }
  for (const std::string& command : commands) {
    const std::string reply = co_await ask(command);
    if (const auto refusal = judge(command, reply, '2')) co_return unavailable(refusal->error_classes());
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<Reply>> ProxyFilter::open(std::string mail_command) {
  socket_ = std::make_shared<ClientSocket>(executor_);
  input_.clear();
  ServerPlace place = options_.place;
  const std::string fault = co_await socket_->connect(std::move(place), options_.timeout);
  if (!fault.empty()) {
    warn_(concat("connect to proxy filter ", options_.endpoint, ": ", fault));
    socket_.reset();
    co_return unavailable();
  }
  const std::string greeting = co_await read_reply();
  if (const auto refusal = judge("connection request", greeting, '2'))
    co_return unavailable(refusal->error_classes());
  const std::string ehlo = concat("EHLO ", options_.ehlo);
  const std::string offer = co_await ask(ehlo);
  if (const auto refusal = judge(ehlo, offer, '2')) co_return unavailable(refusal->error_classes());
  if (std::optional<Reply> refusal = co_await forward_client(offer)) co_return refusal;
  const std::string reply = co_await ask(mail_command);
  co_return judge(mail_command, reply, '2');
}

asio::awaitable<std::optional<Reply>> ProxyFilter::start(std::string mail_command) {
  if (!options_.is_speed_adjusted) {
    if (std::optional<Reply> refusal = co_await open(std::move(mail_command))) {
      // The next recipient may be luckier.
      leave();
      co_return refusal;
    }
  } else {
    mail_command_ = std::move(mail_command);
  }
  is_started_ = true;
  co_return std::nullopt;
}

asio::awaitable<std::optional<Reply>> ProxyFilter::recipient(std::string command) {
  if (options_.is_speed_adjusted) {
    rcpt_commands_.push_back(std::move(command));
    co_return std::nullopt;
  }
  const std::string reply = co_await ask(command);
  co_return judge(command, reply, '2');
}

void ProxyFilter::leave() {
  if (!socket_) return;
  socket_->write_now("QUIT\r\n");
  socket_->close();
  socket_.reset();
}

asio::awaitable<std::optional<Reply>> ProxyFilter::data() {
  if (options_.is_speed_adjusted) co_return std::nullopt;
  const std::string reply = co_await ask("DATA");
  co_return judge("DATA", reply, '3');
}

void ProxyFilter::line(std::string_view text, bool is_continued) {
  if (!is_in_line_ && text.starts_with('.')) output_ += '.';
  is_in_line_ = is_continued;
  output_ += text;
  if (!is_continued) output_ += "\r\n";
}

asio::awaitable<void> ProxyFilter::send() {
  if (options_.is_speed_adjusted) {
    content_.append(output_);
  } else if (socket_ && !output_.empty()) {
    const std::string fault = co_await socket_->write(output_, options_.timeout);
    if (!fault.empty()) lose(fault);
  }
  output_.clear();
}

/// Says all that was kept, but for the end of the content.
asio::awaitable<std::optional<Reply>> ProxyFilter::replay() {
  std::optional<Reply> refusal = co_await open(std::move(mail_command_));
  if (refusal) co_return refusal;
  for (const std::string& command : rcpt_commands_) {
    const std::string reply = co_await ask(command);
    if ((refusal = judge(command, reply, '2'))) co_return refusal;
  }
  const std::string reply = co_await ask("DATA");
  if ((refusal = judge("DATA", reply, '3'))) co_return refusal;
  for (std::uint64_t offset = 0;;) {
    const Result<std::string> portion = content_.read(offset, kPortion);
    if (!portion) {
      warn_(portion.error().message);
      socket_->close();
      socket_.reset();
      co_return unavailable();
    }
    if (portion->empty()) co_return std::nullopt;
    const std::string fault = co_await socket_->write(*portion, options_.timeout);
    if (!fault.empty()) {
      lose(fault);
      co_return unavailable();
    }
    offset += portion->size();
  }
}

asio::awaitable<Reply> ProxyFilter::finish() {
  co_await send();
  if (options_.is_speed_adjusted) {
    const std::optional<Reply> refusal = co_await replay();
    if (refusal && !refusal->error_classes().is_empty()) co_return *refusal;
    if (refusal) co_return Reply(refusal->code(), refusal->enhanced(), refusal->text(), ErrorClass::kPolicy);
  }
  const std::string reply = co_await ask(".");
  co_return reply.empty() ? unavailable() : reply_of_proxy(reply, ErrorClass::kPolicy);
}

}  // namespace mta
