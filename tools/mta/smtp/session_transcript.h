/// What was said in an SMTP session, of a server or a client, for a postmaster who may want to read it when
/// something goes wrong (notify_classes).
///
///     SessionTranscript transcript(wanted, std::move(buffer));
///     transcript.received("MAIL FROM:<ann@example.org>");
///     transcript.sent("250 2.1.0 Ok\r\n");
///     transcript.note(ErrorClass::kProtocol);
///     if (transcript.is_wanted()) tell(transcript);
///
/// Every session is written down, as nobody knows before how it ends: that is a copy into one buffer. How it
/// is shown is decided when it is.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "tools/mta/daemon/error_class.h"

namespace mta {

/// Not thread-safe.
class SessionTranscript {
 public:
  enum class Direction { kIn, kOut };

  /// How much is kept, in bytes. Of what the other side goes on to say for ever, the beginning is left out.
  static constexpr std::size_t kLimit = std::size_t{512} << 10;

  /// With no class in `wanted`, nothing is written down. The capacity of `buffer` is used.
  explicit SessionTranscript(ErrorClasses wanted, std::string buffer = {})
      : wanted_(wanted), record_(std::move(buffer)) {
    record_.clear();
  }

  /// A line of the other side, without its end.
  void received(std::string_view line);

  /// Whole lines of this side, with <CR><LF> at the end of each. None begins with '<': they are replies, or
  /// commands.
  void sent(std::string_view lines);

  /// Something has gone wrong.
  void note(ErrorClasses classes) { seen_ |= classes; }

  /// All is well after all: what was noted is of no interest any more.
  void forgive() { seen_ = {}; }

  /// Forgets everything: another session begins.
  void restart();

  /// Whether something was noted that is wanted.
  bool is_wanted() const { return seen_.has_any_of(wanted_); }
  ErrorClasses seen() const { return seen_; }

  /// The beginning was left out.
  bool is_cut() const { return is_cut_; }

  /// Calls `show` for each line, without its end, from the first to the last.
  void for_each_line(const std::function<void(Direction direction, std::string_view line)>& show) const;

  /// Gives the buffer back. The object is of no more use.
  std::string release() { return std::move(record_); }

 private:
  void make_room(std::size_t size);

  ErrorClasses wanted_;
  ErrorClasses seen_;
  std::string record_;  ///< Lines with their ends; kMark stands before those that came in.
  bool is_cut_ = false;
};

}  // namespace mta
