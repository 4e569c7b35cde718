// What postqueue(1) reads: the log of a message, what showq(8) says, and files that may be damaged.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string_view>

#include "libconf/handle.h"
#include "tests/fuzz/property.h"
#include "tools/mta/queue/listing_protocol.h"
#include "tools/mta/queue/notice_log.h"
#include "tools/mta/queue/queue_lister.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = as_text(data, size);
  for (const mta::NoticeEntry& each : mta::parse_notice_log(bytes)) {
    require(!each.address.empty(), "every recipient has an address");
    const auto again = mta::parse_notice_log(format_notice_entry(each, true));
    require(again.size() == 1 && format_notice_entry(again[0], true) == format_notice_entry(each, true),
            "what is written is read again");
  }

  mta::ListingReader reader;
  reader.feed(mta::kListingGreeting);
  reader.feed(bytes);
  for (;;) {
    const auto message = reader.next();
    if (!message || !*message) break;
    mta::ListingReader again;
    again.feed(mta::kListingGreeting);
    again.feed(format_listed_message(**message));
    const auto same = again.next();
    require(same && *same == *message, "what is written is read again");
  }

  const libconf::FileDescriptor file(::memfd_create("message", MFD_CLOEXEC));
  if (!file || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  static_cast<void>(mta::read_listed_message(file.get(), {}, "MAILER-DAEMON"));
  return 0;
}
