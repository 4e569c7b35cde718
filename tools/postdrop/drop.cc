#include "tools/postdrop/drop.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "libconf/text.h"

namespace postdrop {
namespace {

using libconf::concat;
using libconf::Result;
using mta::RecordType;

constexpr std::size_t kPortion = std::size_t{64} << 10;

}  // namespace

Drop::Drop(mta::UserProgram& program, mta::QueueFile file, mta::QueueTime now, mta::LoginSenders& senders,
           Limits limits)
    : program_(program), file_(std::move(file)), senders_(senders), limits_(limits) {
  append_record(pending_, RecordType::kTime, mta::arrival_time_payload(now));
}

std::string Drop::user() const { return concat("uid=", std::to_string(::getuid())); }

Outcome Drop::malformed(std::string_view warning, std::string_view text) {
  if (!warning.empty()) program_.warn(warning);
  program_.fatal(concat(user(), ": ", text));
  return {.kind = Outcome::Kind::kMalformed};
}

Outcome Drop::check_sender(std::string_view sender) {
  const std::string login = mta::login_name(::getuid()).value_or(concat("uid:", std::to_string(::getuid())));
  const Result<bool> allowed = senders_.allow(login, sender);
  if (!allowed) return {.status = DropStatus::kWrite, .reason = allowed.error().message};
  if (*allowed) return {};
  return {.status = DropStatus::kForbidden, .reason = concat("not authorized to use sender='", sender, "'")};
}

void Drop::take_attribute(std::string_view payload) {
  const mta::AttributeReading reading = mta::read_submission_attribute(payload);
  if (!reading.fault.empty()) {
    program_.warn(concat(user(), ": ignoring malformed record: ", reading.fault, ": ", payload));
  } else if (!reading.attribute) {
    program_.warn(concat(user(), ": ignoring attribute record: ", payload));
  } else {
    append_record(pending_, RecordType::kAttribute,
                  concat(mta::submission_attribute_name(*reading.attribute), "=", reading.value));
  }
}

Outcome Drop::take(const mta::QueueRecord& record) {
  if (!rules_.take(record.type))
    return malformed(
        "", concat("unexpected record type: ", std::to_string(static_cast<unsigned char>(record.type))));
  if (record.type == RecordType::kSender)
    if (Outcome outcome = check_sender(record.payload); outcome.status != DropStatus::kOk) return outcome;
  if (record.type == RecordType::kAttribute) {
    take_attribute(record.payload);
  } else {
    append_record(pending_, record.type, record.payload);
  }
  if (rules_.is_complete() || pending_.size() >= kPortion) return write_rest();
  return {};
}

Outcome Drop::write_rest() {
  if (limits_.message_size > 0 && written_ + pending_.size() > limits_.message_size) {
    program_.warn(concat(user(), ": ", std::strerror(EFBIG)));
    return {.status = DropStatus::kTooBig};
  }
  if (const Result<void> done = file_.write_at(written_, pending_); !done) {
    program_.warn(concat(user(), ": ", done.error().message));
    return {.status = DropStatus::kWrite};
  }
  written_ += pending_.size();
  pending_.clear();
  return {};
}

Outcome Drop::copy(int input) {
  mta::RecordDecoder decoder(limits_.line_length);
  std::array<char, kPortion> buffer{};
  while (!rules_.is_complete()) {
    const Result<std::optional<mta::QueueRecord>> record = decoder.next();
    if (!record) return malformed(concat("stdin: ", record.error().message), "malformed input");
    if (*record) {
      Outcome outcome = take(**record);
      if (outcome.kind != Outcome::Kind::kDone || outcome.status != DropStatus::kOk) return outcome;
      continue;
    }
    const ssize_t size = ::read(input, buffer.data(), buffer.size());
    if (size < 0) return {.kind = Outcome::Kind::kAbandoned, .status = DropStatus::kWrite};  // A signal.
    if (size > 0) {
      decoder.feed({buffer.data(), static_cast<std::size_t>(size)});
    } else if (const Result<void> whole = decoder.finish(); !whole) {
      return malformed(concat("stdin: ", whole.error().message), "malformed input");
    } else {
      return {.kind = Outcome::Kind::kAbandoned};
    }
  }
  if (rules_.has_sender() && rules_.has_recipient()) return {};
  return {.status = DropStatus::kBad};
}

DropStatus Drop::commit(const mta::QueueDirectory& queue) {
  const auto failed = [this](const libconf::Error& error) {
    program_.warn(concat(user(), ": ", error.message));
    return DropStatus::kWrite;
  };
  const std::string path = queue.path_of(mta::Queue::kMaildrop, file_.id());
  const std::string directory = path.substr(0, path.rfind('/'));
  if (::fsync(file_.fd()) != 0) return failed(mta::queue_error("fsync ", path, errno));
  if (const Result<void> named = file_.publish(path); !named) return failed(named.error());
  // With the rights of setgid_group the directory can be written to, and not be opened. Then the file is
  // synced again: file systems with a journal write its new name with it.
  const libconf::FileDescriptor handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (::fsync(handle ? handle.get() : file_.fd()) == 0) return DropStatus::kOk;
  const int reason = errno;
  ::unlink(path.c_str());
  return failed(mta::queue_error("fsync ", path, reason));
}

}  // namespace postdrop
