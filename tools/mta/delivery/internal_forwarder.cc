#include "tools/mta/delivery/internal_forwarder.h"

#include <utility>

#include "libconf/text.h"
#include "tools/mta/queue/queue_file_reader.h"

namespace mta {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

asio::awaitable<Result<std::string>> InternalForwarder::forward(const DeliveryRequest& request,
                                                                ForwardedMail mail, int message) {
  InternalEnvelope envelope = forward_envelope(request);
  envelope.sender = std::move(mail.sender);
  envelope.recipients = std::move(mail.recipients);
  for (QueueRecipient& recipient : envelope.recipients) recipient.notify = forward_notify(recipient.notify);
  Result<QueueFileReader> reader = QueueFileReader::open(message, request.queue_id);
  if (!reader) co_return reader.error();
  Result<std::unique_ptr<InternalMail>> forwarded = mail_.open(std::move(envelope));
  if (!forwarded) co_return forwarded.error();
  for (const std::string& line : mail.head) (*forwarded)->line(line, false);
  if (Result<void> copied = copy_content(*reader, mail.content_offset, **forwarded); !copied)
    co_return copied.error();
  const IntakeResult result = co_await (*forwarded)->finish();
  if (result.kind == IntakeKind::kRefused)
    co_return Error{.kind = ErrorKind::kTemporary,
                    .message = concat(request.queue_id, ": cannot forward: ", result.refusal.text)};
  co_return (*forwarded)->id();
}

}  // namespace mta
