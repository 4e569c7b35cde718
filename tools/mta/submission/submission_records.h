/// The records of a message that a user of this host submits: sendmail(1) writes them to postdrop(1), which
/// puts them into maildrop/, where pickup(8) reads them. They come from anybody, so both check them.
///
///     SubmissionRules rules(SubmissionForm::kStream);
///     while (auto record = next_record())
///       if (!rules.take(record->type)) return refuse(record->type);
///     if (!rules.is_complete()) return refuse_end();
#pragma once

#include <optional>
#include <string_view>

#include "tools/mta/queue/queue_record.h"

namespace mta {

enum class SubmissionForm {
  kStream,    ///< What postdrop reads.
  kMaildrop,  ///< What it writes: with the time in the envelope.
};

/// Which record may follow which. Not thread-safe.
class SubmissionRules {
 public:
  explicit SubmissionRules(SubmissionForm form) : form_(form) {}

  /// Moves on by a record. False: it may not stand here, and nothing has changed.
  bool take(RecordType type);

  /// Of the next record.
  RecordGroup group() const { return group_; }

  /// The end record has come.
  bool is_complete() const { return is_complete_; }
  bool has_sender() const { return has_sender_; }
  bool has_recipient() const { return has_recipient_; }

 private:
  bool is_allowed(RecordType type) const;

  SubmissionForm form_;
  RecordGroup group_ = RecordGroup::kEnvelope;
  bool is_complete_ = false;
  bool has_sender_ = false;
  bool has_recipient_ = false;
};

/// An attribute that a user may give his message.
enum class SubmissionAttribute {
  kCreateTime,      ///< create_time; nothing depends on it.
  kDsnRecipient,    ///< dsn_orig_rcpt: ORCPT of the next recipient.
  kEncoding,        ///< encoding: 7bit or 8bit.
  kEnvelopeId,      ///< envelope_id: ENVID.
  kNotify,          ///< notify_flags: NOTIFY of the next recipient.
  kReturn,          ///< ret_flags: RET.
  kRewriteContext,  ///< rewrite_context: local or remote.
  kTrace,           ///< trace_flags: a report is wanted (sendmail -v, -bv).
};

struct AttributeReading {
  std::optional<SubmissionAttribute> attribute;  ///< Nothing: it is to be ignored.
  std::string_view value;
  std::string_view fault;  ///< The reason why it is no attribute at all; empty for an unknown one.
};

/// Takes "NAME=VALUE" apart; blanks around the two do not count. Pure; thread-safe.
AttributeReading read_submission_attribute(std::string_view text);

/// The name of an attribute.
std::string_view submission_attribute_name(SubmissionAttribute attribute);

}  // namespace mta
