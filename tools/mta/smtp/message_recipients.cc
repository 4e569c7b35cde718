#include "tools/mta/smtp/message_recipients.h"

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"

namespace mta {

using libconf::concat;
using libconf::Result;

Result<RecipientRules> RecipientRules::read(const libconf::Settings& settings) {
  const Result<std::int64_t> limit = settings.get_int("duplicate_filter_limit");
  if (!limit) return limit.error();
  const Result<bool> keeps_original = settings.get_bool("enable_original_recipient");
  if (!keeps_original) return keeps_original.error();
  return RecipientRules{.duplicate_limit = static_cast<std::size_t>(*limit),
                        .keeps_original = *keeps_original};
}

/// The same mailbox twice is a duplicate; another notification of the same is none, as long as originals
/// matter.
std::string MessageRecipients::key_of(const EnvelopeRecipient& recipient) const {
  if (!rules_.keeps_original) return libconf::lower_case(recipient.address);
  return libconf::lower_case(concat(std::to_string(recipient.dsn_notify), "\n", recipient.dsn_original, "\n",
                                    recipient.original, "\n", recipient.address));
}

Result<void> MessageRecipients::expand(EnvelopeRecipient recipient, bool is_automatic) {
  const Result<std::vector<EnvelopeRecipient>> expanded = addresses_.expand(context_, std::move(recipient));
  if (!expanded) return expanded.error();
  for (const EnvelopeRecipient& each : *expanded) {
    const std::string key = key_of(each);
    if (seen_.contains(key)) continue;
    // Beyond the limit nothing is remembered.
    if (rules_.duplicate_limit == 0 || seen_.size() < rules_.duplicate_limit) seen_.insert(key);
    recipients_.push_back({.recipient = {.address = each.address,
                                         .original = rules_.keeps_original ? each.original : "",
                                         .dsn_original = each.dsn_original,
                                         .notify = each.dsn_notify},
                           .is_automatic = is_automatic});
  }
  return {};
}

Result<void> MessageRecipients::add_plain(EnvelopeRecipient recipient) {
  return expand(std::move(recipient), false);
}

Result<void> MessageRecipients::add(EnvelopeRecipient recipient) {
  const Result<std::string> rewritten = addresses_.rewrite_recipient(context_, recipient.address);
  if (!rewritten) return rewritten.error();
  if (Result<void> added = expand(std::move(recipient), false); !added) return added;
  const Result<std::optional<std::string>> bcc =
      addresses_.automatic_bcc(AddressServices::Bcc::kRecipient, *rewritten);
  if (!bcc) return bcc.error();
  return *bcc ? add_automatic(**bcc) : Result<void>();
}

Result<void> MessageRecipients::add_automatic(std::string_view address) {
  return expand({.address = std::string(address),
                 .original = unquote_address(address),
                 .dsn_notify = kNotifyNever},
                true);
}

void MessageRecipients::remove(std::string_view address) {
  std::erase_if(recipients_, [&](const MessageRecipient& each) {
    const QueueRecipient& recipient = each.recipient;
    const std::string& asked_for = recipient.original.empty() ? recipient.address : recipient.original;
    if (asked_for != address) return false;
    seen_.erase(key_of({.address = recipient.address,
                        .original = recipient.original,
                        .dsn_original = recipient.dsn_original,
                        .dsn_notify = recipient.notify}));
    return true;
  });
}

void MessageRecipients::write(QueueFileWriter& writer, std::size_t first) const {
  for (std::size_t i = first; i < recipients_.size(); ++i) {
    const MessageRecipient& each = recipients_[i];
    if (each.is_automatic) {
      writer.automatic_recipient(each.recipient);
    } else {
      writer.recipient(each.recipient);
    }
  }
}

}  // namespace mta
