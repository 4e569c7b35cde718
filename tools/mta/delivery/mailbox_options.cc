#include "tools/mta/delivery/mailbox_options.h"

#include "libconf/text.h"

namespace mta {

void MailboxOptions::read(SettingsReader& reader, std::string_view lock, std::string_view limit) {
  locks.read(reader, lock);
  reader.count(limit, size_limit);
  std::uint64_t message_limit = 0;
  reader.count("message_size_limit", message_limit);
  if (size_limit != 0 && (message_limit == 0 || size_limit < message_limit))
    reader.fail(libconf::configuration_error(
        libconf::concat("configuration error: ", limit, " is smaller than message_size_limit")));
  reader.flag("strict_mailbox_ownership", must_be_owned);
}

MailboxDelivery MailboxOptions::delivery(std::string path) const {
  return {.path = std::move(path), .locks = locks, .size_limit = size_limit, .must_be_owned = must_be_owned};
}

std::string probed_mailbox(std::string_view path) {
  return path.ends_with('/') ? "delivers to maildir" : "delivers to mailbox";
}

}  // namespace mta
