/// The recipients of one message: expanded, with those that BCC maps add, each once (cleanup(8),
/// duplicate_filter_limit).
///
///     MessageRecipients recipients(addresses, rules, context);
///     Result<void> added = recipients.add({.address = "both@example.com", ...});
///     recipients.write(writer, RecipientPlace::kEnvelope);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/queue/queue_file_writer.h"
#include "tools/mta/queue/queue_message.h"
#include "tools/mta/smtp/address_services.h"

namespace mta {

/// What main.cf says about recipients.
struct RecipientRules {
  std::size_t duplicate_limit = 1000;  ///< duplicate_filter_limit: so many are remembered.
  bool tells_originals_apart = true;   ///< enable_original_recipient
  bool adds_bcc = true;                ///< sender_bcc_maps and recipient_bcc_maps are asked.

  /// Errors: as the getters of Settings.
  static libconf::Result<RecipientRules> read(const libconf::Settings& settings);
};

/// Where in the queue file a recipient stands.
enum class RecipientPlace {
  kSender,     ///< Right behind the sender, as sender_bcc_maps has it.
  kEnvelope,   ///< Before the content.
  kExtracted,  ///< Behind it: it came up with the content.
};

/// A recipient, and who asked for it.
struct MessageRecipient {
  QueueRecipient recipient;
  RecipientPlace place = RecipientPlace::kEnvelope;
  bool is_automatic = false;  ///< The sender did not name it: a rule of ours or a filter added it.
};

/// Not thread-safe; `addresses` must outlive it.
class MessageRecipients {
 public:
  MessageRecipients(AddressServices& addresses, const RecipientRules& rules, RewriteContext context)
      : addresses_(addresses), rules_(rules), context_(context) {}

  /// A recipient that the sender names, in external form, with what recipient_bcc_maps add to it. Errors: as
  /// AddressServices::expand().
  libconf::Result<void> add(EnvelopeRecipient recipient, RecipientPlace place = RecipientPlace::kEnvelope);

  /// One that a milter added: as add(), without BCC.
  libconf::Result<void> add_filtered(EnvelopeRecipient recipient);

  /// One that the sender is not to hear of: a BCC. `address` is in external form.
  libconf::Result<void> add_automatic(std::string_view address, RecipientPlace place);

  /// Takes back all that came of an address, which is compared as it is, with what was asked for first
  /// (SMFIR_DELRCPT).
  void remove(std::string_view address);

  /// All of them, in the order in which they came up.
  const std::vector<MessageRecipient>& all() const { return recipients_; }

  /// Writes those that stand there.
  void write(QueueFileWriter& writer, RecipientPlace place) const;

  /// The notifications that the sender asked for, with those of recipients that came again.
  int notify() const { return notify_; }

 private:
  libconf::Result<void> expand(EnvelopeRecipient recipient, RecipientPlace place, bool is_automatic);
  std::string key_of(const EnvelopeRecipient& recipient) const;

  AddressServices& addresses_;
  RecipientRules rules_;
  RewriteContext context_;
  std::vector<MessageRecipient> recipients_;
  std::unordered_set<std::string> seen_;
  int notify_ = 0;  ///< An OR of NotifyFlag.
};

}  // namespace mta
