#include "tools/mta/content/milter_client.h"

#include <utility>

#include "libconf/text.h"
#include "tools/mta/content/header_line.h"

namespace mta {
namespace {

using libconf::concat;

/// For events that cannot change a message: MilterSession calls none of these.
class NoEdits final : public MilterEdits {
 public:
  void add_header(std::string_view, std::string_view) override {}
  void insert_header(std::uint32_t, std::string_view, std::string_view) override {}
  void change_header(std::uint32_t, std::string_view, std::string_view) override {}
  void delete_header(std::uint32_t, std::string_view) override {}
  void add_recipient(std::string_view, std::span<const std::string>) override {}
  void delete_recipient(std::string_view) override {}
  void change_sender(std::string_view, std::span<const std::string>) override {}
  void replace_body(std::string_view) override {}
  void hold(std::string_view) override {}
};

NoEdits& no_edits() {
  static NoEdits edits;
  return edits;
}

/// How much of a body is read at a time, in bytes.
constexpr std::size_t kPortion = 32768;

}  // namespace

MilterClient::MilterClient(const asio::any_io_executor& executor, const MilterOptions& options,
                           MilterMacroLookup macros, MilterWarn warn)
    : executor_(executor),
      options_(options),
      macros_(std::move(macros)),
      warn_(std::move(warn)),
      session_(std::in_place, options, macros_) {}

MilterClient::~MilterClient() { quit(); }

void MilterClient::pass_warnings_on() {
  for (const std::string& warning : session_->take_warnings()) warn_(warning);
}

void MilterClient::fail_to_read(std::string_view reason) {
  session_->fail(concat("can't read ", name_of(*session_->awaited()), " reply packet header: ", reason));
}

/// Takes replies until all is said. False: the connection is of no more use.
asio::awaitable<bool> MilterClient::receive(ClientSocket::Duration limit, MilterEdits& edits) {
  std::string input;
  while (session_->awaits_reply()) {
    const auto reply = reader_.next();
    if (!reply) {
      session_->fail(reply.error().message);
      co_return false;
    }
    if (reply->has_value()) {
      session_->take(**reply, edits);
      continue;
    }
    input.clear();
    const std::string fault = co_await socket_->read(input, limit);
    if (!fault.empty()) {
      fail_to_read(fault);
      co_return false;
    }
    reader_.feed(input);
  }
  co_return true;
}

asio::awaitable<MilterVerdict> MilterClient::exchange(std::string packets, ClientSocket::Duration limit,
                                                      MilterEdits& edits) {
  if (!packets.empty()) {
    const std::string fault = co_await socket_->write(packets, limit);
    bool is_well = fault.empty();
    if (is_well) {
      is_well = co_await receive(limit, edits);
    } else if (session_->awaits_reply()) {
      fail_to_read(fault);
    } else {
      session_->fail(concat("can't write packet: ", fault));
    }
    if (!is_well) socket_->close();
  }
  pass_warnings_on();
  co_return session_->verdict();
}

asio::awaitable<MilterVerdict> MilterClient::connect(MilterPeer peer) {
  quit();
  session_.emplace(options_, macros_);
  reader_ = {};
  socket_ = std::make_shared<ClientSocket>(executor_);
  const ClientSocket::Duration limit = options_.connect_timeout;
  ServerPlace place = options_.place;
  const std::string fault = co_await socket_->connect(std::move(place), limit);
  if (!fault.empty()) {
    session_->fail_to_connect(fault);
    pass_warnings_on();
    co_return session_->verdict();
  }
  std::string offer = session_->negotiate();
  MilterVerdict verdict = co_await exchange(std::move(offer), limit, no_edits());
  if (verdict.kind != MilterVerdictKind::kContinue) co_return verdict;
  std::string packets = session_->connect(peer.name, peer.family, peer.port, peer.address);
  co_return co_await exchange(std::move(packets), limit, no_edits());
}

asio::awaitable<MilterVerdict> MilterClient::tell(MilterEvent event) {
  std::string packets = event(*session_);
  co_return co_await exchange(std::move(packets), options_.command_timeout, no_edits());
}

asio::awaitable<MilterVerdict> MilterClient::inspect(const StagedMessage& message, MilterEdits& edits,
                                                     MilterWarn warn) {
  std::swap(warn_, warn);
  MilterVerdict verdict = co_await tell_content(message, edits);
  std::swap(warn_, warn);
  co_return verdict;
}

asio::awaitable<MilterVerdict> MilterClient::tell_content(const StagedMessage& message, MilterEdits& edits) {
  const ClientSocket::Duration limit = options_.content_timeout;
  for (const std::string& header : message.visible_headers()) {
    const HeaderStart start = header_start(header);
    std::string packets = session_->header(std::string_view(header).substr(0, start.name),
                                           std::string_view(header).substr(start.colon + 1));
    MilterVerdict verdict = co_await exchange(std::move(packets), limit, no_edits());
    if (verdict.kind != MilterVerdictKind::kContinue) co_return verdict;
  }
  std::string packets = session_->end_of_headers();
  MilterVerdict verdict = co_await exchange(std::move(packets), limit, no_edits());
  if (verdict.kind == MilterVerdictKind::kContinue) verdict = co_await tell_body(message, edits);
  co_return verdict;
}

asio::awaitable<MilterVerdict> MilterClient::tell_body(const StagedMessage& message, MilterEdits& edits) {
  const ClientSocket::Duration limit = options_.content_timeout;
  std::string chunk;
  std::uint64_t offset = 0;
  bool has_more = true;
  while (has_more || !chunk.empty()) {
    if (has_more && chunk.size() < kMilterChunkSize) {
      auto portion = message.read_body(offset, kPortion);
      if (!portion) {
        session_->fail(portion.error().message);
        break;
      }
      offset += portion->size();
      has_more = !portion->empty();
      for (const char c : *portion) {
        if (c == '\n') chunk += '\r';
        chunk += c;
      }
      continue;
    }
    std::string packets = session_->body(std::string_view(chunk).substr(0, kMilterChunkSize));
    chunk.erase(0, kMilterChunkSize);
    MilterVerdict verdict = co_await exchange(std::move(packets), limit, no_edits());
    if (verdict.kind != MilterVerdictKind::kContinue) co_return verdict;
  }
  std::string packets = session_->end_of_message();
  co_return co_await exchange(std::move(packets), limit, edits);
}

/// What a filter need not answer. One that does not read is not waited for: it gets no more at all.
void MilterClient::send_now(std::string_view packets) {
  if (packets.empty() || !socket_ || !socket_->is_open()) return;
  if (!socket_->write_now(packets)) socket_->close();
}

void MilterClient::abort() { send_now(session_->abort()); }

void MilterClient::quit() {
  if (!socket_) return;
  abort();
  send_now(session_->quit());
  socket_->close();
  socket_.reset();
}

MilterChain::MilterChain(const asio::any_io_executor& executor, const std::vector<MilterOptions>& options,
                         const MilterMacroLookup& macros, const MilterWarn& warn) {
  for (const MilterOptions& each : options)
    clients_.push_back(std::make_unique<MilterClient>(executor, each, macros, warn));
}

asio::awaitable<MilterVerdict> MilterChain::connect(MilterPeer peer) {
  for (const auto& client : clients_) {
    MilterPeer copy = peer;
    MilterVerdict verdict = co_await client->connect(std::move(copy));
    if (verdict.kind != MilterVerdictKind::kContinue) co_return verdict;
  }
  co_return MilterVerdict();
}

asio::awaitable<MilterVerdict> MilterChain::tell(MilterEvent event) {
  for (const auto& client : clients_) {
    MilterVerdict verdict = co_await client->tell(event);
    if (verdict.kind != MilterVerdictKind::kContinue) co_return verdict;
  }
  co_return MilterVerdict();
}

asio::awaitable<void> MilterChain::tell_rejected_recipient(MilterEvent event) {
  for (const auto& client : clients_) {
    if (client->wants_rejected_recipients()) co_await client->tell(event);
  }
}

void MilterChain::abort() {
  for (const auto& client : clients_) client->abort();
}

void MilterChain::quit() {
  for (const auto& client : clients_) client->quit();
}

}  // namespace mta
