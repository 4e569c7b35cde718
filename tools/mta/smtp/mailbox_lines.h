/// The lines that begin a message in a mailbox file, "From user date", which some clients send: they become
/// headers (smtpd(8)).
#pragma once

#include "tools/mta/smtp/content_reader.h"

namespace mta {

/// Passes lines on; "From " and ">From " lines in front of all others as X-Mailbox-Line: headers. Not
/// thread-safe; `next` must outlive it.
class MailboxLines final : public ContentSink {
 public:
  explicit MailboxLines(ContentSink& next) : next_(next) {}

  void line(std::string_view text, bool is_continued) override {
    if (is_at_start_ && !is_in_line_) {
      is_at_start_ = text.starts_with("From ") || text.starts_with(">From ");
      if (is_at_start_) next_.line("X-Mailbox-Line: ", true);
    }
    is_in_line_ = is_continued;
    next_.line(text, is_continued);
  }

 private:
  ContentSink& next_;
  bool is_at_start_ = true;  ///< Nothing but such lines has come.
  bool is_in_line_ = false;  ///< The end of a line is still to come.
};

}  // namespace mta
