#include "tools/mta/queue/active_queue.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/queue/queue_file_reader.h"
#include "tools/mta/queue/queue_lister.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

/// Files that stay open between deliveries: each needs descriptors of its own, too.
constexpr std::size_t kMostOpenFiles = 200;

FileDescriptor open_file(const std::string& path) {
  return FileDescriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

Result<void> write_at(const ActiveMessage& message, std::uint64_t offset, std::string_view bytes) {
  if (::pwrite(message.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
      static_cast<ssize_t>(bytes.size()))
    return {};
  return queue_error("write queue file ", message.request.queue_id, errno);
}

/// Where an attribute of the client is told twice, the first name is that of who came first (XFORWARD).
struct OriginAttribute {
  std::string_view first;
  std::string_view second;
  std::string DeliveryOrigin::*member;
};
constexpr std::array kOriginAttributes = {
    OriginAttribute{"log_client_name", "client_name", &DeliveryOrigin::client_name},
    OriginAttribute{"log_client_address", "client_address", &DeliveryOrigin::client_address},
    OriginAttribute{"log_client_port", "client_port", &DeliveryOrigin::client_port},
    OriginAttribute{"log_helo_name", "helo_name", &DeliveryOrigin::helo_name},
    OriginAttribute{"log_protocol_name", "protocol_name", &DeliveryOrigin::protocol},
    OriginAttribute{"log_ident", "", &DeliveryOrigin::ident},
    OriginAttribute{"sasl_method", "", &DeliveryOrigin::sasl_method},
    OriginAttribute{"sasl_username", "", &DeliveryOrigin::sasl_user_name},
    OriginAttribute{"sasl_sender", "", &DeliveryOrigin::sasl_sender},
    OriginAttribute{"rewrite_context", "", &DeliveryOrigin::rewrite_context},
};

/// What a file must have.
Result<void> check(const QueueMessage& message) {
  const char* const missing = !message.sizes          ? "size"
                              : !message.arrival_time ? "arrival time"
                              : !message.sender       ? "sender"
                                                      : nullptr;
  if (missing == nullptr) return {};
  return Error{.kind = ErrorKind::kDataCorrupt, .message = concat("missing ", missing, " record")};
}

void fill(ActiveMessage& active, QueueMessage& message) {
  DeliveryRequest& request = active.request;
  request.sender = std::move(*message.sender);
  request.arrival = *message.arrival_time;
  request.content_size = static_cast<std::uint64_t>(message.sizes->content_length);
  request.envelope_id = std::move(message.envelope_id);
  request.return_flags = message.return_flags;
  request.send_options = static_cast<int>(message.sizes->send_options);
  request.encoding = message.attribute("encoding").value_or("");
  for (const OriginAttribute& each : kOriginAttributes) {
    auto value = message.attribute(each.first);
    if (!value && !each.second.empty()) value = message.attribute(each.second);
    request.origin.*each.member = value.value_or("");
  }
  active.trace_flags =
      static_cast<int>(parse_record_number(message.attribute("trace_flags").value_or("0")).value_or(0));
  if ((active.trace_flags & kTraceProbe) != 0) request.purpose = DeliveryPurpose::kProbe;
  active.filter = std::move(message.filter);
  active.redirect = std::move(message.redirect);
  active.verp_delimiters = std::move(message.verp_delimiters);
  active.sizes = message.sizes;
  active.warning_time = message.warning_time.value_or(0);
  active.warning_offset = message.warning_offset;
}

}  // namespace

NoticeSubject ActiveMessage::subject() const {
  return {.queue_id = request.queue_id,
          .sender = request.sender,
          .encoding = request.encoding,
          .envelope_id = request.envelope_id,
          .return_flags = request.return_flags,
          .send_options = request.send_options,
          .trace_flags = trace_flags,
          .verp_delimiters = verp_delimiters,
          .arrival = request.arrival,
          .content_size = request.content_size};
}

std::unique_ptr<ActiveMessage> ActiveQueue::take_up(const DueMessage& due, std::size_t recipient_limit) {
  const Result<void> moved = queue_.move(due.id, due.queue, Queue::kActive);
  if (!moved) {
    if (::access(queue_.path_of(due.queue, due.id).c_str(), F_OK) == 0)
      say(Severity::kWarning, moved.error().message);
    return nullptr;
  }
  auto active = std::make_unique<ActiveMessage>();
  active->request.queue_id = due.id;
  active->request.activated = queue_time_now();
  active->is_urgent = due.is_urgent;
  active->is_fresh = due.is_fresh;
  active->is_forced_to_expire = (due.mode & kForcedToExpire) != 0;
  const auto leave = [&](const Error& error) {
    if (error.kind == ErrorKind::kDataCorrupt) {
      reject(due.id, error);
    } else {
      say(Severity::kWarning, error.message);
      // As it was: the next look through the queue finds it again.
      if (const Result<void> back = queue_.move(due.id, Queue::kActive, due.queue); !back)
        say(Severity::kWarning, back.error().message);
    }
    release(*active);
    return nullptr;
  };
  if (const Result<void> opened = open(*active); !opened) return leave(opened.error());
  Result<QueueFileReader> reader = QueueFileReader::open(active->file.get(), concat("active/", due.id));
  if (!reader) return leave(reader.error());
  Result<QueueEnvelope> envelope = read_queue_envelope(*reader, recipient_limit);
  if (!envelope) return leave(envelope.error());
  if (const Result<void> checked = check(envelope->message); !checked) return leave(checked.error());
  fill(*active, envelope->message);
  active->recipients = std::move(envelope->message.recipients);
  active->rest = envelope->rest;
  active->unread = envelope->unread;
  return active;
}

Result<void> ActiveQueue::read_more(ActiveMessage& message, std::size_t recipient_limit) {
  Result<QueueFileReader> reader =
      QueueFileReader::open(message.file.get(), concat("active/", message.request.queue_id));
  if (!reader) return reader.error();
  QueueMessage known;
  known.sizes = message.sizes;
  Result<QueueEnvelope> more =
      read_more_recipients(*reader, known, *message.rest, recipient_limit, message.unread);
  if (!more) return more.error();
  message.recipients = std::move(more->message.recipients);
  message.rest = more->rest;
  message.unread = more->unread;
  return {};
}

void ActiveQueue::reject(const std::string& id, const Error& error) const {
  say(Severity::kWarning, concat(id, ": message rejected: ", error.message));
  if (const Result<void> moved = queue_.move(id, Queue::kActive, Queue::kCorrupt); !moved)
    return say(Severity::kWarning, moved.error().message);
  say(Severity::kWarning,
      concat("saving corrupt file \"", id, "\" from queue \"active\" to queue \"corrupt\""));
}

Result<void> ActiveQueue::open(ActiveMessage& message) {
  ++message.users;
  if (message.file) return {};
  message.file = open_file(path_of(message));
  if (!message.file) return queue_error("open ", path_of(message), errno);
  ++open_files_;
  return {};
}

void ActiveQueue::close(ActiveMessage& message) {
  if (--message.users == 0 && open_files_ > kMostOpenFiles && !message.is_locked) release(message);
}

void ActiveQueue::release(ActiveMessage& message) {
  if (!message.file) return;
  message.file = {};
  --open_files_;
}

Result<void> ActiveQueue::mark_done(ActiveMessage& message, const QueueRecipient& recipient) {
  constexpr char kDone = static_cast<char>(RecordType::kDone);
  return write_at(message, recipient.offset, {&kDone, 1});
}

void ActiveQueue::mark_warned(ActiveMessage& message) {
  constexpr std::uint64_t kHeader = 2;  // Of the record: its type, and the length of fifteen bytes.
  if (const Result<void> written =
          write_at(message, message.warning_offset + kHeader, fixed_width_number(ActiveMessage::kWarned));
      !written)
    say(Severity::kWarning, written.error().message);
  message.warning_time = ActiveMessage::kWarned;
}

void ActiveQueue::put_off(ActiveMessage& message, std::chrono::sys_seconds when) {
  const std::string path = path_of(message);
  const timespec time{.tv_sec = when.time_since_epoch().count(), .tv_nsec = 0};
  const std::array times = {time, time};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0)
    say(Severity::kWarning, queue_error("update time of ", path, errno).message);
  if (const Result<void> moved = queue_.move(message.request.queue_id, Queue::kActive, Queue::kDeferred);
      !moved)
    say(Severity::kWarning, moved.error().message);
}

void ActiveQueue::remove(ActiveMessage& message) {
  const std::string& id = message.request.queue_id;
  const Result<void> removed = queue_.remove(Queue::kActive, id);
  if (removed) return say(Severity::kInfo, concat(id, ": removed"));
  // Somebody else may have done it: postsuper(1), -d.
  if (::access(path_of(message).c_str(), F_OK) == 0) say(Severity::kWarning, removed.error().message);
}

void ActiveQueue::lock(ActiveMessage& message) {
  message.is_locked = true;
  if (!message.file || ::flock(message.file.get(), LOCK_EX | LOCK_NB) != 0)
    say(Severity::kWarning, queue_error("lock ", path_of(message), errno).message);
}

std::vector<std::string> ActiveQueue::left_behind() const {
  std::vector<std::string> ids;
  QueueNames names(queue_, Queue::kActive);
  for (;;) {
    Result<std::optional<std::string>> id = names.next();
    if (!id) say(Severity::kWarning, id.error().message);
    if (!id || !*id) return ids;
    ids.push_back(std::move(**id));
  }
}

std::vector<std::string> ActiveQueue::recover(const std::vector<std::string>& ids) const {
  std::vector<std::string> busy;
  for (const std::string& id : ids) {
    const FileDescriptor file = open_file(queue_.path_of(Queue::kActive, id));
    if (!file) continue;
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      busy.push_back(id);
    } else if (const Result<void> moved = queue_.move(id, Queue::kActive, Queue::kIncoming); !moved) {
      say(Severity::kWarning, moved.error().message);
    }
  }
  return busy;
}

}  // namespace mta
