/// The content of a message as DATA (RFC 5321, section 4.5.2) and BDAT (RFC 3030) carry it.
///
///     mta::DataReader reader(limits, sink);
///     std::string_view input = received;
///     if (reader.read(input)) answer(reader.summary());  // what is left of `input` are commands
///
/// Lines go to the sink as they come, without a copy where a line lies in one portion; how the input is
/// divided into portions changes nothing. Not thread-safe; the sink must live longer than the reader.
#pragma once

#include <cstdint>
#include <string_view>

#include "tools/mta/smtp/line_reader.h"

namespace mta {

/// Takes the lines of a message.
class ContentSink {
 public:
  virtual ~ContentSink() = default;

  /// A line without its end, or the first part of one: `is_continued` says that the next call continues it.
  /// The view is valid during the call only.
  virtual void line(std::string_view text, bool is_continued) = 0;
};

/// What bounds the reading of content, from main.cf.
struct ContentLimits {
  std::size_t line_length_limit;     ///< line_length_limit: pieces of a line, in bytes.
  std::uint64_t message_size_limit;  ///< message_size_limit, in bytes; 0: none.
  BareNewline bare_newline;          ///< smtpd_forbid_bare_newline, as it applies to this client.
};

/// What is known of content that was read.
struct ContentSummary {
  std::uint64_t size = 0;   ///< In bytes, with two for the end of each piece; it stops when it is too big.
  bool is_too_big = false;  ///< More than message_size_limit. Nothing beyond goes to the sink.
  bool has_bare_newline = false;  ///< A line ended in <LF> alone.
};

/// Passes lines on, within the limits. What DATA and BDAT have in common.
class ContentWriter {
 public:
  ContentWriter(const ContentLimits& limits, ContentSink& sink) : limits_(limits), sink_(sink) {}

  void write(std::string_view text, LineEnd end);

  /// The piece that was to be continued was the last; this counts for nothing.
  void end_line();

  /// A line that ends so does not belong to the content.
  void drop(LineEnd end) { summary_.has_bare_newline |= end == LineEnd::kLf; }

  const ContentSummary& summary() const { return summary_; }
  const ContentLimits& limits() const { return limits_; }

 private:
  ContentLimits limits_;
  ContentSink& sink_;
  ContentSummary summary_;
};

/// Reads what follows DATA, up to the line that is a dot. A dot in front of a line is dropped.
///
/// Unless <LF> is as good as <CR><LF> (BareNewline::kAllow), only <CR><LF>.<CR><LF> ends the message: any
/// other line that is a dot is dropped, as Postfix does. So no two servers can disagree about the end
/// (CVE-2023-51764).
class DataReader {
 public:
  DataReader(const ContentLimits& limits, ContentSink& sink)
      : splitter_(limits.line_length_limit, limits.bare_newline == BareNewline::kAllow),
        writer_(limits, sink) {}

  /// Takes content off the front of `input`. True: the message is complete, and `input` starts after it. Call
  /// it no more then.
  bool read(std::string_view& input);

  const ContentSummary& summary() const { return writer_.summary(); }

 private:
  bool is_end(LineEnd end) const;

  LineSplitter splitter_;
  ContentWriter writer_;
  LineEnd previous_end_ = LineEnd::kCrLf;  ///< Of the piece before. The command line ended so.
};

/// Reads the chunks of one message. Dots mean nothing here; a line may cross from one chunk to the next. A
/// last line that has no end gets one.
class ChunkReader {
 public:
  ChunkReader(const ContentLimits& limits, ContentSink& sink)
      : splitter_(limits.line_length_limit, limits.bare_newline == BareNewline::kAllow),
        writer_(limits, sink) {}

  /// A chunk of `size` bytes follows. REQUIRES: the one before is complete, and was not the last.
  void start(std::uint64_t size, bool is_last);

  /// Takes content off the front of `input`, the chunk's bytes and no more. True: the chunk is complete.
  bool read(std::string_view& input);

  /// Whether a chunk of `size` bytes could be the end of a message that is not too big.
  bool fits(std::uint64_t size) const;

  /// Bytes that have come, of all chunks.
  std::uint64_t received() const { return received_; }

  const ContentSummary& summary() const { return writer_.summary(); }

 private:
  void finish();

  LineSplitter splitter_;
  ContentWriter writer_;
  std::uint64_t left_ = 0;  ///< Bytes of the chunk that are still to come.
  std::uint64_t received_ = 0;
  bool is_last_ = false;
  LineEnd previous_end_ = LineEnd::kCrLf;
};

/// Passes over the bytes of a chunk that is refused.
class ChunkSkipper {
 public:
  explicit ChunkSkipper(std::uint64_t size) : left_(size) {}

  /// Takes bytes off the front of `input`. True: all of the chunk is gone.
  bool read(std::string_view& input);

 private:
  std::uint64_t left_;
};

}  // namespace mta
