/// The message on standard input, as records for postdrop(1).
///
///     ContentCopy copy({.line_length_limit = 2048}, output);
///     Result<void> done = copy.run(STDIN_FILENO);
///     for (const std::string& address : copy.recipients()) ...
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/content/mime_parser.h"
#include "tools/mta/queue/queue_record.h"

namespace sendmail {

/// sendmail_fix_line_endings: which lines lose the <CR> before their <LF>.
enum class LineEndings { kAlways, kStrict, kNever };

struct ContentOptions {
  std::size_t line_length_limit = 2048;
  LineEndings line_endings = LineEndings::kAlways;  ///< kStrict: all, if the first line had one.
  bool ignores_dots = false;                        ///< A line with a dot does not end the message.
  bool extracts_recipients = false;                 ///< Looks for them in the headers.
  std::size_t header_address_token_limit = 0;
};

/// As main.cf says; what the command line says is left as it is by default. Errors: as the getters of
/// Settings; kConfiguration for an unknown kind of line endings.
libconf::Result<ContentOptions> content_options(const libconf::Settings& settings);

/// Takes the records of the content.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void put(mta::RecordType type, std::string_view payload) = 0;
};

/// One message. Not thread-safe; `sink` must live longer.
class ContentCopy final : private mta::MessageSink {
 public:
  ContentCopy(const ContentOptions& options, RecordSink& sink);

  /// Reads up to the end of the message. Errors: kInputOutput, when it cannot be read.
  libconf::Result<void> run(int input);

  /// Of the headers To, Cc and Bcc; or of those of a resent message, if it has any. In internal form, in
  /// their order.
  const std::vector<std::string>& recipients() const {
    return resent_recipients_.empty() ? recipients_ : resent_recipients_;
  }

 private:
  // mta::MessageSink
  void header(mta::HeaderKind kind, std::string_view text) override;
  void end_of_headers() override {}
  void body_line(std::string_view text) override;
  void body_piece(std::string_view text) override { sink_.put(mta::RecordType::kPartialLine, text); }

  /// False: the message has ended.
  bool line(std::string_view text, bool had_cr, bool is_complete);
  void write(std::string_view text, bool is_complete);
  void end();

  ContentOptions options_;
  RecordSink& sink_;
  mta::MimeParser parser_;
  std::vector<std::string> recipients_;
  std::vector<std::string> resent_recipients_;
  bool is_at_start_ = true;  ///< Only lines as mailboxes have them between messages have come.
  bool is_first_line_ = true;
  bool is_within_line_ = false;    ///< A piece of it has come.
  bool is_envelope_line_ = false;  ///< That line is left out.
  bool fixes_endings_;
  bool is_unfinished_ = false;  ///< The last line of the message has no end.
};

}  // namespace sendmail
