#include "tools/mta/smtp/message_recipients.h"

#include "libconf/text.h"
#include "libmaps/utf8.h"
#include "tools/mta/address/quoting.h"

namespace mta {

using libconf::concat;
using libconf::Result;

Result<RecipientRules> RecipientRules::read(const libconf::Settings& settings) {
  const Result<std::int64_t> limit = settings.get_int("duplicate_filter_limit");
  if (!limit) return limit.error();
  const Result<bool> tells_apart = settings.get_bool("enable_original_recipient");
  if (!tells_apart) return tells_apart.error();
  return RecipientRules{.duplicate_limit = static_cast<std::size_t>(*limit),
                        .tells_originals_apart = *tells_apart};
}

/// The same mailbox twice is a duplicate; another notification of the same is none, as long as originals
/// matter.
std::string MessageRecipients::key_of(const EnvelopeRecipient& recipient) const {
  if (!rules_.tells_originals_apart) return libmaps::fold_unicode(recipient.address);
  return libmaps::fold_unicode(concat(std::to_string(recipient.dsn_notify), "\n", recipient.dsn_original,
                                      "\n", recipient.original, "\n", recipient.address));
}

Result<void> MessageRecipients::expand(EnvelopeRecipient recipient, RecipientPlace place, bool is_automatic) {
  const Result<std::vector<EnvelopeRecipient>> expanded = addresses_.expand(context_, std::move(recipient));
  if (!expanded) return expanded.error();
  for (const EnvelopeRecipient& each : *expanded) {
    const std::string key = key_of(each);
    if (seen_.contains(key)) continue;
    // Beyond the limit nothing is remembered.
    if (rules_.duplicate_limit == 0 || seen_.size() < rules_.duplicate_limit) seen_.insert(key);
    recipients_.push_back({.recipient = {.address = each.address,
                                         .original = each.original,
                                         .dsn_original = each.dsn_original,
                                         .notify = each.dsn_notify},
                           .place = place,
                           .is_automatic = is_automatic});
  }
  return {};
}

Result<void> MessageRecipients::add_filtered(EnvelopeRecipient recipient) {
  return expand(std::move(recipient), RecipientPlace::kEnvelope, true);
}

Result<void> MessageRecipients::add(EnvelopeRecipient recipient, RecipientPlace place) {
  const Result<std::string> rewritten = addresses_.rewrite_recipient(context_, recipient.address);
  if (!rewritten) return rewritten.error();
  notify_ |= recipient.dsn_notify;
  if (Result<void> added = expand(std::move(recipient), place, false); !added) return added;
  if (!rules_.adds_bcc) return {};
  const Result<std::optional<std::string>> bcc =
      addresses_.automatic_bcc(AddressServices::Bcc::kRecipient, *rewritten);
  if (!bcc) return bcc.error();
  return *bcc ? add_automatic(**bcc, place) : Result<void>();
}

Result<void> MessageRecipients::add_automatic(std::string_view address, RecipientPlace place) {
  Result<std::string> rewritten = addresses_.rewrite_recipient(context_, address);
  if (!rewritten) return rewritten.error();
  EnvelopeRecipient recipient{
      .address = *rewritten, .original = unquote_address(*rewritten), .dsn_notify = kNotifyNever};
  return expand(std::move(recipient), place, true);
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

void MessageRecipients::write(QueueFileWriter& writer, RecipientPlace place) const {
  for (const MessageRecipient& each : recipients_) {
    if (each.place != place) continue;
    if (each.is_automatic) {
      writer.automatic_recipient(each.recipient);
    } else {
      writer.recipient(each.recipient);
    }
  }
}

}  // namespace mta
