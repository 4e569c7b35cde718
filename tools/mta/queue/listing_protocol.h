/// How showq(8) tells postqueue(1) what is in the queue: attributes, "NAME\0VALUE\0" each, in a fixed order;
/// another null byte ends a message, and one in place of a message ends the listing.
///
///     write(kListingGreeting); write(format_listed_message(message)); write(kListingEnd);
///
///     ListingReader reader;
///     reader.feed(bytes);
///     Result<std::optional<ListedMessage>> message = reader.next();   // nothing: feed more, or is_at_end()
///
/// The protocol is that of Postfix 3.5 and later.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "tools/mta/queue/queue_lister.h"

namespace mta {

/// What the server says first.
constexpr std::string_view kListingGreeting{"protocol\0mail_queue_list_protocol\0\0", 35};
constexpr std::string_view kListingEnd{"\0", 1};

/// Null bytes in texts end these. Pure; thread-safe.
std::string format_listed_message(const ListedMessage& message);

/// Takes a stream apart. Not thread-safe.
class ListingReader {
 public:
  /// Takes the next bytes of the stream, divided in any way.
  void feed(std::string_view bytes);

  /// The next message; nothing when it has not come whole yet, and at the end. Errors: kDataCorrupt, what is
  /// wrong with the attributes, "unexpected attribute X from SOURCE (expecting: Y)".
  libconf::Result<std::optional<ListedMessage>> next();

  /// The server has said that there are no more.
  bool is_at_end() const { return is_at_end_; }

 private:
  bool has_greeting_ = false;
  bool is_at_end_ = false;
  std::string buffer_;
  std::size_t start_ = 0;    ///< Of what was not taken yet.
  std::size_t scanned_ = 0;  ///< Up to here there is no end of a message.
};

}  // namespace mta
