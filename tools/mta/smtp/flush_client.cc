#include "tools/mta/smtp/flush_client.h"

#include <memory>

#include "tools/mta/daemon/client_socket.h"
#include "tools/mta/queue/queue_record.h"
#include "tools/mta/submission/attribute_list.h"

namespace mta {
namespace {

asio::awaitable<std::optional<AttributeList>> read_list(ClientSocket& socket, AttributeListReader& reader,
                                                        std::chrono::seconds limit) {
  for (;;) {
    if (std::optional<AttributeList> list = reader.take()) co_return list;
    std::string input;
    const std::string fault = co_await socket.read(input, limit);
    if (!fault.empty() || !reader.feed(input)) co_return std::nullopt;
  }
}

}  // namespace

asio::awaitable<std::optional<FlushStatus>> flush_site(asio::any_io_executor executor, std::string path,
                                                       std::string site, std::chrono::seconds limit) {
  const auto socket = std::make_shared<ClientSocket>(executor);
  const ServerPlace place{.path = {.path = std::move(path)}, .host = {}, .port = {}};
  std::string fault = co_await socket->connect(place, limit);
  if (!fault.empty()) co_return std::nullopt;
  AttributeListReader reader;
  const std::optional<AttributeList> greeting = co_await read_list(*socket, reader, limit);
  if (!greeting || find_attribute(*greeting, "protocol") != "queue_flush_protocol") co_return std::nullopt;
  const std::string request = format_attribute_list({{"request", "send_site"}, {"site", site}});
  fault = co_await socket->write(request, limit);
  if (!fault.empty()) co_return std::nullopt;
  const std::optional<AttributeList> answer = co_await read_list(*socket, reader, limit);
  if (!answer) co_return std::nullopt;
  const auto status = parse_record_number(find_attribute(*answer, "status").value_or(""));
  if (!status) co_return std::nullopt;
  for (const FlushStatus each : {FlushStatus::kDone, FlushStatus::kInvalid, FlushStatus::kDenied})
    if (static_cast<int>(each) == *status) co_return each;
  co_return FlushStatus::kFailed;
}

}  // namespace mta
