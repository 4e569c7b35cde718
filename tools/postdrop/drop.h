/// One message on its way into maildrop/.
///
///     Drop drop(program, std::move(file), limits);
///     Outcome outcome = drop.copy(STDIN_FILENO);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/submission/login_senders.h"
#include "tools/mta/submission/submission_records.h"
#include "tools/mta/submission/user_program.h"

namespace postdrop {

/// The status of a message, as cleanup(8) and the programs that talk to it number it.
enum class DropStatus {
  kOk = 0,
  kBad = 1,          ///< No sender or no recipient.
  kWrite = 2,        ///< It could not be written, or a table could not tell.
  kTooBig = 4,       ///< message_size_limit
  kForbidden = 512,  ///< The user may not send as that sender.
};

/// How it ended. Without a status there is nobody who wants one.
struct Outcome {
  enum class Kind {
    kDone,       ///< `status` says the rest.
    kAbandoned,  ///< The other side is gone, or this one is to go: nobody wants an answer.
    kMalformed,  ///< The input makes no sense.
  };
  Kind kind = Kind::kDone;
  DropStatus status = DropStatus::kOk;
  std::string reason = {};  ///< For the user; may be empty.
};

class Drop {
 public:
  struct Limits {
    std::size_t line_length = 0;     ///< line_length_limit
    std::uint64_t message_size = 0;  ///< message_size_limit; 0: none.
  };

  /// All must outlive the object, but for the file.
  Drop(mta::UserProgram& program, mta::QueueFile file, mta::QueueTime now, mta::LoginSenders& senders,
       Limits limits);

  /// Reads records up to the last one, checks them, and writes the file. Does not make it safe.
  Outcome copy(int input);

  /// Makes the file, which is all there, a message, safely on the disk. Returns its status.
  DropStatus commit(const mta::QueueDirectory& queue);

 private:
  Outcome take(const mta::QueueRecord& record);
  Outcome check_sender(std::string_view sender);
  Outcome write_rest();
  Outcome malformed(std::string_view warning, std::string_view text);
  void take_attribute(std::string_view payload);
  std::string user() const;

  mta::UserProgram& program_;
  mta::QueueFile file_;
  mta::LoginSenders& senders_;
  Limits limits_;
  mta::SubmissionRules rules_{mta::SubmissionForm::kStream};
  std::string pending_;
  std::uint64_t written_ = 0;
};

}  // namespace postdrop
