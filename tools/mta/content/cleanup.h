/// The way of a message's content into the queue, as cleanup(8) has it: checks, edits of headers, what is
/// refused. One pass; memory is bounded by header_size_limit and line_length_limit.
///
///     mta::Cleanup cleanup(options, checks, context, addresses, sink);
///     while (read(block)) cleanup.feed(block);
///     cleanup.finish();
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/settings.h"
#include "tools/mta/content/cleanup_headers.h"
#include "tools/mta/content/cleanup_sink.h"
#include "tools/mta/content/content_checks.h"
#include "tools/mta/content/mime_parser.h"

namespace mta {

/// A set of bytes.
using CharacterSet = std::bitset<256>;

/// Reads message_reject_characters or message_strip_characters, C escapes included. Errors: kConfiguration,
/// for an escape that is none.
libconf::Result<CharacterSet> parse_character_set(std::string_view text);

/// The parameters of main.cf that bear on content.
struct CleanupOptions {
  HeaderOptions headers;
  MimeOptions mime;
  std::size_t body_checks_size_limit = 0;  ///< In bytes, of each body; 0: no limit.
  bool detects_8bit = true;                ///< detect_8bit_encoding_header
  bool replaces_stray_cr = true;           ///< cleanup_replace_stray_cr_lf
  CharacterSet rejected;                   ///< message_reject_characters
  CharacterSet stripped;                   ///< message_strip_characters
};

/// The options as `settings` have them. Errors: as the getters of Settings.
libconf::Result<CleanupOptions> cleanup_options(const libconf::Settings& settings);

/// One message. Not thread-safe; all references must outlive the object.
class Cleanup final : private MessageSink {
 public:
  /// `addresses` may be null, see CleanupHeaders.
  Cleanup(const CleanupOptions& options, ContentChecks& checks, const MessageContext& context,
          HeaderAddresses* addresses, CleanupSink& sink);

  /// Takes the next bytes of the message, its Received: header for this host included, divided in any way. A
  /// line ends with a newline alone; whoever received it has removed the carriage return before that.
  void feed(std::string_view bytes);

  /// The same as feed() with that text and a newline.
  void feed_line(std::string_view text);

  /// The message is complete: tells the sink how it ends. Call nothing afterwards.
  void finish();

  /// The message will be refused or thrown away; feed() need not be called any more.
  bool is_decided() const { return is_decided_; }

 private:
  void header(HeaderKind kind, std::string_view text) override;
  void end_of_headers() override;
  void start_of_body() override { body_offset_ = 0; }
  void body_line(std::string_view text) override { body(text, true); }
  void body_piece(std::string_view text) override { body(text, false); }
  void fault(MimeFault fault, std::string_view text) override;

  void body(std::string_view text, bool ends_line);
  void checked_body(std::string_view text, bool ends_line);
  bool decides(const CheckAction& action);
  void refuse(Rejection rejection);
  void write_header(std::string_view text);
  void write_line(std::string_view text, bool ends_line);
  void write_text(std::string_view text, bool ends_line);
  bool has_stray_cr(std::string_view bytes) const;
  void feed_by_lines(std::string_view bytes);
  void raw_line(std::string& text);
  void feed_parser(std::string_view bytes);

  const CleanupOptions& options_;
  ContentChecks& checks_;
  const MessageContext& context_;
  CleanupSink& sink_;
  ContentInspection inspection_;
  CleanupHeaders headers_;
  MimeParser parser_;
  bool filters_characters_;      ///< There are bytes that are refused or removed.
  std::string raw_;              ///< With filters_characters_: the start of a line.
  std::string edited_;           ///< What feed() got, with other bytes in it.
  std::size_t body_offset_ = 0;  ///< In the current body, of the next line.
  std::bitset<kMimeFaults> faults_;
  std::optional<Rejection> rejection_;
  bool declares_8bit_ = false;
  bool is_discarded_ = false;
  bool is_decided_ = false;
};

}  // namespace mta
