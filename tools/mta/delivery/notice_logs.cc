#include "tools/mta/delivery/notice_logs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"
#include "tools/mta/address/quoting.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::FileDescriptor;
using libconf::Result;

constexpr mode_t kMode = 0600;

constexpr std::string_view kEndOfEntry = "\n\n";

std::string_view action_name(NoticeKind kind, const RecipientReport& report) {
  if (kind == NoticeKind::kFailure) return "failed";
  if (kind == NoticeKind::kDelay) return "delayed";
  if (kind == NoticeKind::kProbe)
    return report.outcome == DeliveryOutcome::kSent ? "deliverable" : "undeliverable";
  if (report.outcome == DeliveryOutcome::kDeferred) return "delayed";
  if (report.outcome == DeliveryOutcome::kBounced) return "failed";
  switch (report.status.action) {
    case DsnAction::kRelayed:
      return "relayed";
    case DsnAction::kExpanded:
      return "expanded";
    case DsnAction::kByOutcome:
      break;
  }
  return "delivered";
}

/// A trace tells who delivered, and of an alias no more than that it is one: where its mail goes to is not
/// the sender's business.
std::string reason_of(NoticeKind kind, const RecipientReport& report) {
  const bool is_trace = kind == NoticeKind::kTrace || kind == NoticeKind::kProbe;
  if (!is_trace || report.relay == "none") return report.status.text;
  const bool is_expanded =
      report.outcome == DeliveryOutcome::kSent && report.status.action == DsnAction::kExpanded;
  return concat("delivery via ", report.relay, ": ", is_expanded ? "alias expanded" : report.status.text);
}

Result<std::string> read_log(int fd, const std::string& path) {
  std::string text;
  if (const int error = libconf::read_to_end(fd, text, kLongestNoticeLog); error != 0)
    return queue_error("read ", path, error);
  return text;
}

/// Makes the log end with a whole entry. Gives its size then.
Result<off_t> cut_unfinished(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return queue_error("read ", path, errno);
  const off_t size = status.st_size;
  std::array<char, kEndOfEntry.size()> end{};
  const auto length = static_cast<off_t>(end.size());
  if (size == 0 || (size >= length && ::pread(fd, end.data(), end.size(), size - length) == length &&
                    std::string_view(end.data(), end.size()) == kEndOfEntry))
    return size;
  const Result<std::string> text = read_log(fd, path);
  if (!text) return text.error();
  const std::size_t last = text->rfind(kEndOfEntry);
  const off_t whole = last == std::string::npos ? 0 : static_cast<off_t>(last) + length;
  if (::ftruncate(fd, whole) != 0) return queue_error("write ", path, errno);
  return whole;
}

Result<void> sync_name(const std::string& path) {
  const std::string directory = path.substr(0, path.rfind('/'));
  const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return queue_error("fsync ", directory, errno);
  return {};
}

}  // namespace

std::string_view notice_directory(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kFailure:
      return "bounce";
    case NoticeKind::kDelay:
      return "defer";
    case NoticeKind::kTrace:
    case NoticeKind::kProbe:
      break;
  }
  return "trace";
}

NoticeEntry notice_entry(NoticeKind kind, const QueueRecipient& recipient, const RecipientReport& report) {
  const DeliveryStatus& status = report.status;
  const bool has_original =
      !recipient.original.empty() && !libconf::equals_ignoring_case(recipient.original, recipient.address);
  return {.address = quote_address(recipient.address),
          .original = has_original ? quote_address(recipient.original) : "",
          .offset = recipient.offset,
          .dsn_original = recipient.dsn_original,
          .notify = recipient.notify,
          .status = status.code,
          .action = std::string(action_name(kind, report)),
          .diagnostic_type = status.diagnostic_type,
          .diagnostic = status.diagnostic,
          .server_type = status.remote_server.empty() ? "" : "dns",
          .server = status.remote_server,
          .reason = reason_of(kind, report)};
}

Result<NoticeLogs> NoticeLogs::open(const QueueDirectory& queue, const libconf::Settings& settings) {
  const Result<bool> has_sentences = settings.get_bool("backwards_bounce_logfile_compatibility");
  if (!has_sentences) return has_sentences.error();
  return NoticeLogs(queue, *has_sentences);
}

Result<void> NoticeLogs::append(NoticeKind kind, std::string_view queue_id, const NoticeEntry& entry) const {
  const std::string_view directory = notice_directory(kind);
  if (Result<void> made = queue_.make_directory_of(directory, queue_id); !made) return made;
  const std::string path = queue_.log_path_of(directory, queue_id);
  constexpr int kFlags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  const FileDescriptor file(::open(path.c_str(), kFlags, kMode));
  if (!file) return queue_error("open ", path, errno);
  if (::flock(file.get(), LOCK_EX) != 0) return queue_error("lock ", path, errno);
  const Result<off_t> size = cut_unfinished(file.get(), path);
  if (!size) return size.error();
  Result<void> written;
  if (const int error = libconf::write_all(file.get(), format_notice_entry(entry, has_sentences_));
      error != 0)
    written = queue_error("write ", path, error);
  // What is late is tried again, and then written down again.
  if (written && kind != NoticeKind::kDelay) {
    if (::fsync(file.get()) != 0) {
      written = queue_error("fsync ", path, errno);
    } else if (*size == 0) {
      written = sync_name(path);
    }
  }
  if (!written && ::ftruncate(file.get(), *size) != 0) return queue_error("write ", path, errno);
  return written;
}

Result<std::vector<NoticeEntry>> NoticeLogs::read(NoticeKind kind, std::string_view queue_id) const {
  const std::string path = queue_.log_path_of(notice_directory(kind), queue_id);
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT) return std::vector<NoticeEntry>();
    return queue_error("open ", path, errno);
  }
  const Result<std::string> text = read_log(file.get(), path);
  if (!text) return text.error();
  return parse_notice_log(*text);
}

Result<void> NoticeLogs::remove(NoticeKind kind, std::string_view queue_id) const {
  const std::string path = queue_.log_path_of(notice_directory(kind), queue_id);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return queue_error("remove ", path, errno);
  return {};
}

}  // namespace mta
