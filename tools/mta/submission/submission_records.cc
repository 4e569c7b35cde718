#include "tools/mta/submission/submission_records.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace mta {
namespace {

/// The types of a group, as postdrop(1) of Postfix takes them; those that end a group are not among them.
struct GroupTypes {
  std::string_view types;
  RecordType end;
};

GroupTypes types_of(RecordGroup group) {
  switch (group) {
    case RecordGroup::kEnvelope:
      return {"AFRSVin", RecordType::kContent};
    case RecordGroup::kContent:
      return {"NL", RecordType::kExtracted};
    case RecordGroup::kExtracted:
      break;
  }
  return {"AR", RecordType::kEnd};
}

struct KnownAttribute {
  std::string_view name;
  SubmissionAttribute attribute;
  std::array<std::string_view, 2> values = {};  ///< Empty: any.
};

constexpr std::array kAttributes = {
    KnownAttribute{"create_time", SubmissionAttribute::kCreateTime},
    KnownAttribute{"dsn_orig_rcpt", SubmissionAttribute::kDsnRecipient},
    KnownAttribute{"encoding", SubmissionAttribute::kEncoding, {"7bit", "8bit"}},
    KnownAttribute{"envelope_id", SubmissionAttribute::kEnvelopeId},
    KnownAttribute{"notify_flags", SubmissionAttribute::kNotify},
    KnownAttribute{"ret_flags", SubmissionAttribute::kReturn},
    KnownAttribute{"rewrite_context", SubmissionAttribute::kRewriteContext, {"local", "remote"}},
    KnownAttribute{"trace_flags", SubmissionAttribute::kTrace},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kAttributes.size(); ++i)
    if (static_cast<std::size_t>(kAttributes[i].attribute) != i) return false;
  return true;
}
static_assert(is_in_order());

bool takes(const KnownAttribute& known, std::string_view value) {
  return known.values[0].empty() ||
         std::find(known.values.begin(), known.values.end(), value) != known.values.end();
}

}  // namespace

bool SubmissionRules::is_allowed(RecordType type) const {
  if (is_complete_) return false;
  const GroupTypes allowed = types_of(group_);
  if (type == RecordType::kTime)
    return form_ == SubmissionForm::kMaildrop && group_ == RecordGroup::kEnvelope;
  return type == allowed.end || allowed.types.find(static_cast<char>(type)) != std::string_view::npos;
}

bool SubmissionRules::take(RecordType type) {
  if (!is_allowed(type)) return false;
  has_sender_ |= type == RecordType::kSender;
  has_recipient_ |= type == RecordType::kRecipient;
  if (type == RecordType::kContent) group_ = RecordGroup::kContent;
  if (type == RecordType::kExtracted) group_ = RecordGroup::kExtracted;
  is_complete_ = type == RecordType::kEnd;
  return true;
}

AttributeReading read_submission_attribute(std::string_view text) {
  AttributeReading reading;
  const std::size_t equals = text.find('=');
  const std::string_view name = libconf::trim(text.substr(0, equals));
  if (equals == std::string_view::npos) {
    reading.fault = "missing '=' after attribute name";
  } else if (name.empty()) {
    reading.fault = "missing attribute name";
  } else {
    reading.value = libconf::trim(text.substr(equals + 1));
    const auto* const known = std::find_if(kAttributes.begin(), kAttributes.end(),
                                           [&](const KnownAttribute& each) { return each.name == name; });
    if (known != kAttributes.end() && takes(*known, reading.value)) reading.attribute = known->attribute;
  }
  return reading;
}

std::string_view submission_attribute_name(SubmissionAttribute attribute) {
  return kAttributes[static_cast<std::size_t>(attribute)].name;
}

}  // namespace mta
