#include "tools/mta/delivery/queue_forwarder.h"

#include "libconf/text.h"

namespace mta {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

asio::awaitable<Result<std::string>> QueueForwarder::forward(const DeliveryRequest& request,
                                                             ForwardedMail mail, int message) {
  InternalEnvelope envelope = forward_envelope(request);
  envelope.sender = std::move(mail.sender);
  envelope.recipients = std::move(mail.recipients);
  Result<std::unique_ptr<InternalMail>> opened = service_.open(std::move(envelope));
  if (!opened) co_return opened.error();
  InternalMail& forwarded = **opened;
  for (const std::string& line : mail.head) forwarded.line(line, false);
  Result<QueueFileReader> reader = QueueFileReader::open(message, request.queue_id);
  if (!reader) co_return reader.error();
  const Result<void> copied = copy_content(*reader, mail.content_offset, forwarded);
  if (!copied) co_return copied.error();
  const IntakeResult result = co_await forwarded.finish();
  if (result.kind == IntakeKind::kRefused)
    co_return Error{.kind = ErrorKind::kTemporary,
                    .message = concat(request.queue_id, ": unable to forward: ", result.refusal.text)};
  co_return forwarded.id();
}

}  // namespace mta
