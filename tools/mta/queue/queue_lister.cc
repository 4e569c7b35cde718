#include "tools/mta/queue/queue_lister.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <unordered_set>

#include "libconf/file.h"
#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/queue/notice_log.h"
#include "tools/mta/queue/queue_record.h"
#include "tools/mta/queue/raw_records.h"

namespace mta {
namespace {

using libconf::FileDescriptor;
using libconf::Result;

/// As Postfix lists them.
constexpr std::array kOrder = {Queue::kMaildrop, Queue::kActive, Queue::kIncoming, Queue::kDeferred,
                               Queue::kHold};

std::string external(std::string_view address, std::string_view null_address) {
  address = address.substr(0, address.find('\0'));
  return address.empty() ? std::string(null_address) : quote_address(address);
}

void take_size(std::string_view payload, ListedMessage& message) {
  const std::optional<std::int64_t> size = leading_number(payload);
  if (size && *size >= 0) message.size = *size;
}

}  // namespace

std::optional<ListedMessage> read_listed_message(int fd, ListedMessage message,
                                                 std::string_view null_address) {
  RawRecords records(fd, message.id);
  bool has_time = false;
  bool has_sender = false;
  // A pointer that leads back is followed as often as a file without a loop can have pointers.
  for (int jumps = 0; jumps < 10'000;) {
    const auto record = records.next();
    if (!record || !*record) break;
    const auto type = static_cast<RecordType>((*record)->type);
    const std::string_view payload = (*record)->payload;
    if (type == RecordType::kContent || type == RecordType::kEnd) break;
    if (type == RecordType::kSize) {
      take_size(payload, message);
    } else if (type == RecordType::kTime && !has_time) {
      const std::optional<std::int64_t> time = leading_number(payload);
      has_time = time && *time > 0;
      if (has_time) message.arrival_time = *time;
    } else if (type == RecordType::kSender && !has_sender) {
      has_sender = true;
      message.sender = external(payload, null_address);
    } else if (type == RecordType::kRecipient && has_sender) {
      message.recipients.push_back({external(payload, null_address), ""});
    } else if (type == RecordType::kPointer) {
      const std::optional<std::int64_t> target = leading_number(payload);
      if (!target || *target < 0) break;
      ++jumps;
      if (*target > 0 && !records.seek(static_cast<std::uint64_t>(*target))) break;
    }
  }
  if (!has_sender) return std::nullopt;
  return message;
}

Result<QueueLister::Options> QueueLister::Options::read(const libconf::Settings& settings) {
  Result<std::string> null_address = settings.get("empty_address_recipient");
  if (!null_address) return null_address.error();
  const Result<std::int64_t> limit = settings.get_int("duplicate_filter_limit");
  if (!limit) return limit.error();
  return Options{.null_address = std::move(*null_address),
                 .duplicate_limit = static_cast<std::size_t>(*limit)};
}

QueueLister::QueueLister(const QueueDirectory& queue, Options options)
    : queue_(queue), options_(std::move(options)), names_(queue, kOrder.front()) {}

/// Who is in the log comes first, as it says; then who else is in the file.
void QueueLister::add_reasons(ListedMessage& message) const {
  const FileDescriptor log(::open(queue_.log_path_of("defer", message.id).c_str(),
                                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!log) return;
  std::string text;
  libconf::read_to_end(log.get(), text, kLongestNoticeLog);
  std::vector<ListedRecipient> recipients;
  std::unordered_set<std::string> seen;
  for (NoticeEntry& each : parse_notice_log(text)) {
    if (options_.duplicate_limit == 0 || seen.size() < options_.duplicate_limit) seen.insert(each.address);
    recipients.push_back({std::move(each.address), std::move(each.reason)});
  }
  for (ListedRecipient& each : message.recipients)
    if (seen.count(each.address) == 0) recipients.push_back(std::move(each));
  message.recipients = std::move(recipients);
}

std::optional<ListedMessage> QueueLister::read(const std::string& id) const {
  const Queue queue = kOrder[current_];
  const FileDescriptor file(
      ::open(queue_.path_of(queue, id).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode) || (status.st_mode & S_IXUSR) == 0) return std::nullopt;
  std::optional<ListedMessage> message =
      read_listed_message(file.get(),
                          {.queue = std::string(queue_name(queue)),
                           .id = id,
                           .arrival_time = status.st_mtime,
                           .size = status.st_size,
                           .is_forced_to_expire = (status.st_mode & kForcedToExpire) != 0,
                           .sender = {}},
                          options_.null_address);
  if (message) add_reasons(*message);
  return message;
}

Result<std::optional<ListedMessage>> QueueLister::next() {
  while (current_ < kOrder.size()) {
    const Result<std::optional<std::string>> name = names_.next();
    if (!name) return name.error();
    if (!*name) {
      if (++current_ < kOrder.size()) names_ = QueueNames(queue_, kOrder[current_]);
    } else if (std::optional<ListedMessage> message = read(**name)) {
      return message;
    }
  }
  return std::nullopt;
}

}  // namespace mta
