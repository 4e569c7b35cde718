#include "tools/postcat/printer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iomanip>
#include <ostream>

#include "libconf/text.h"
#include "tools/mta/content/header_line.h"
#include "tools/mta/queue/queue_record.h"

namespace postcat {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using mta::RecordType;

/// How the text of a record is shown.
enum class Form { kText, kTime };

struct Label {
  RecordType type;
  std::string_view text;
  bool may_be_first = false;  ///< What a queue file starts with.
  Form form = Form::kText;
};

/// As postcat of Postfix 3.7 has them.
constexpr std::array kLabels = {
    Label{RecordType::kCancelled, "canceled_recipient", true},
    Label{RecordType::kReturn, "dsn_return_flags", true},
    Label{RecordType::kRedirect, "redirect_to", true},
    Label{RecordType::kDone, "done_recipient", true},
    Label{RecordType::kFullName, "sender_fullname", true},
    Label{RecordType::kInspector, "content_inspector", true},
    Label{RecordType::kKilled, "killed_record", true},
    Label{RecordType::kFilter, "content_filter", true},
    Label{RecordType::kOriginalRecipient, "original_recipient", true},
    Label{RecordType::kPrecedence, "priority"},
    Label{RecordType::kRecipient, "recipient", true},
    Label{RecordType::kSender, "sender", true},
    Label{RecordType::kTime, "message_arrival_time", true, Form::kTime},
    Label{RecordType::kVerp, "verp_delimiters", true},
    Label{RecordType::kWarning, "warning_message_time", true, Form::kTime},
    Label{RecordType::kCreateTime, "queue_file_create_time", true},
    Label{RecordType::kErrorsTo, "errors_to"},
    Label{RecordType::kFlags, "flags"},
    Label{RecordType::kEnvelopeId, "dsn_envelope_id", true},
    Label{RecordType::kNotify, "dsn_notify_flags", true},
    Label{RecordType::kDsnRecipient, "dsn_original_recipient", true},
    Label{RecordType::kReturnReceipt, "return_receipt"},
};

const Label* find_label(RecordType type) {
  const auto* const found =
      std::find_if(kLabels.begin(), kLabels.end(), [&](const Label& each) { return each.type == type; });
  return found == kLabels.end() ? nullptr : &*found;
}

bool may_be_first(RecordType type) {
  const Label* const label = find_label(type);
  return label != nullptr
             ? label->may_be_first
             : type == RecordType::kSize || type == RecordType::kAttribute || type == RecordType::kContent;
}

/// So many pointers that lead back are believed: a message that a milter has changed has few.
constexpr int kMostBackwardPointers = 10'000;

/// An attribute with this name is a time.
constexpr std::string_view kCreateTime = "create_time";

Error no_way_on() { return {.kind = ErrorKind::kDataCorrupt, .message = "record read error"}; }

/// Postfix's records are text up to a null byte, but for those of the content.
std::string_view as_text(std::string_view payload) { return payload.substr(0, payload.find('\0')); }

std::string show_time(std::string_view payload) {
  const std::time_t seconds = mta::leading_number(payload).value_or(0);
  std::tm parts{};
  if (::localtime_r(&seconds, &parts) == nullptr) return std::to_string(seconds);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S %Y", &parts);
  return {text.data(), size};
}

/// The second of the numbers at the start of a payload.
std::optional<std::int64_t> second_number(std::string_view payload) {
  payload.remove_prefix(std::min(payload.find_first_not_of(" \t"), payload.size()));
  payload.remove_prefix(std::min(payload.find_first_of(" \t"), payload.size()));
  return mta::leading_number(payload);
}

}  // namespace

struct Printer::File {
  std::string name;
  int fd;
  mta::RawRecords records;
  mta::RawRecord record = {};
  Part part = Part::kEnvelope;
  bool is_within_line = false;  ///< A piece of a line of content has come.
  int backward_pointers = 0;
  std::int64_t content_size = -1;    ///< -1: not known.
  std::int64_t content_offset = -1;  ///< The same.

  RecordType type() const { return static_cast<RecordType>(record.type); }
};

void Printer::warn(std::string text) {
  warnings_.report({.severity = libconf::Severity::kWarning, .message = std::move(text)});
}

void Printer::warn_of(const File& file, std::string_view text) { warn(concat(file.name, ": ", text)); }

bool Printer::shows(Part part) const {
  switch (part) {
    case Part::kHeader:
      return view_.header;
    case Part::kBody:
      return view_.body;
    case Part::kEnvelope:
    case Part::kExtracted:
      break;
  }
  return view_.envelope;
}

void Printer::prefix(const File& file) {
  if (view_.offsets) out_ << std::setw(9) << file.record.offset << ' ';
  if (view_.types) out_ << std::setw(3) << static_cast<unsigned>(file.record.type) << ' ';
}

void Printer::show(const File& file, std::string_view label, std::string_view text) {
  prefix(file);
  out_ << label << ": " << text << '\n';
}

void Printer::show_title(const File& file, std::string_view title) {
  if (!view_.envelope) return;
  prefix(file);
  out_ << "*** " << title << ' ' << file.name << " ***\n";
}

void Printer::show_attribute(const File& file) {
  const std::string_view text = as_text(file.record.payload);
  libconf::NameValue attribute;
  if (const auto fault = libconf::split_name_value(text, attribute);
      fault != libconf::NameValueFault::kNone) {
    prefix(file);
    warn_of(file, concat("malformed attribute: ", libconf::describe(fault), ": ", text));
  } else if (attribute.name == kCreateTime) {
    show(file, kCreateTime, show_time(attribute.value));
  } else {
    show(file, "named_attribute", concat(attribute.name, "=", attribute.value));
  }
}

/// Goes where a pointer leads; false: nowhere.
Result<bool> Printer::follow(File& file) {
  const std::string_view text = as_text(file.record.payload);
  const std::optional<std::int64_t> target =
      text.find_first_not_of(' ') == std::string_view::npos ? 0 : mta::parse_record_number(text);
  if (!target || *target < 0) {
    warn_of(file, concat("malformed pointer record value: ", text));
    return no_way_on();
  }
  if (*target == 0) return true;
  const auto offset = static_cast<std::uint64_t>(*target);
  if (offset < file.records.position() && ++file.backward_pointers > kMostBackwardPointers) {
    warn_of(file, "too many reverse jump records");
    return no_way_on();
  }
  if (const Result<void> moved = file.records.seek(offset); !moved) {
    warn_of(file, concat("seek error after reading ", std::to_string(offset), " record: Illegal seek"));
    return no_way_on();
  }
  return true;
}

/// The next record that says something; false at the end.
Result<bool> Printer::next(File& file) {
  for (;;) {
    const auto record = file.records.next();
    if (!record) {
      warn_of(file, record.error().message);
      return no_way_on();
    }
    if (!*record) return false;
    file.record = **record;
    if (file.type() == RecordType::kPointer) {
      if (const Result<bool> followed = follow(file); !followed) return followed;
    } else if (file.type() != RecordType::kPadding) {
      return true;
    }
  }
}

/// Who wants the content only need not see the envelope.
Result<bool> Printer::take_sizes(File& file) {
  const std::string_view text = as_text(file.record.payload);
  if (shows(file.part)) show(file, "message_size", text);
  if (file.content_offset >= 0) {
    warn("file contains multiple size records");
  } else {
    file.content_size = mta::leading_number(text).value_or(-1);
    file.content_offset = second_number(text).value_or(-1);
    if (file.content_size <= 0 || file.content_offset <= 0) warn(concat("invalid size record: ", text));
  }
  if (view_.envelope || file.part != Part::kEnvelope) return true;
  const bool is_place = file.content_offset >= 0;
  if (!is_place || !file.records.seek(static_cast<std::uint64_t>(file.content_offset)))
    return Error{.kind = ErrorKind::kDataCorrupt,
                 .message = concat("seek error: ", std::strerror(is_place ? ESPIPE : EINVAL))};
  file.part = Part::kHeader;
  return true;
}

Result<bool> Printer::begin_content(File& file) {
  if (file.part == Part::kHeader || file.part == Part::kBody)
    warn_of(file, "out-of-order message content marker");
  show_title(file, "MESSAGE CONTENTS");
  file.part = Part::kHeader;
  // Nobody wants to see it.
  if (!view_.header && !view_.body && file.content_offset >= 0 && file.content_size > 0 &&
      !file.records.seek(static_cast<std::uint64_t>(file.content_offset + file.content_size)))
    return Error{.kind = ErrorKind::kDataCorrupt, .message = "seek error: Illegal seek"};
  return true;
}

/// False: what comes now is not wanted.
bool Printer::end_content(File& file) {
  if (file.part != Part::kHeader && file.part != Part::kBody)
    warn_of(file, "out-of-order extracted segment marker");
  show_title(file, "HEADER EXTRACTED");
  file.part = Part::kExtracted;
  return view_.envelope;
}

/// The reader of Postfix goes to the end of the file, which a pipe does not allow.
Result<bool> Printer::end(File& file) {
  if (::lseek(file.fd, 0, SEEK_CUR) < 0 && errno == ESPIPE) {
    warn_of(file, concat("seek error after reading END record: ", std::strerror(ESPIPE)));
    return no_way_on();
  }
  if (file.part == Part::kHeader || file.part == Part::kBody)
    warn_of(file, "out-of-order message end marker");
  show_title(file, "MESSAGE FILE END");
  return false;
}

void Printer::take_line(File& file) {
  const std::string_view text = file.record.payload;
  const bool is_start = !file.is_within_line;
  file.is_within_line = file.type() == RecordType::kPartialLine;
  const bool is_continuation = !text.empty() && (text.front() == ' ' || text.front() == '\t');
  if (file.part == Part::kHeader && is_start && !is_continuation && mta::header_start(text).name == 0)
    file.part = Part::kBody;
  if (!shows(file.part)) return;
  prefix(file);
  out_ << text;
  // What has its place in front starts a line.
  if (!file.is_within_line || view_.offsets) out_ << '\n';
}

/// False: the file has ended.
Result<bool> Printer::take(File& file) {
  const bool is_content = file.part == Part::kHeader || file.part == Part::kBody;
  switch (file.type()) {
    case RecordType::kSize:
      return take_sizes(file);
    case RecordType::kContent:
      return begin_content(file);
    case RecordType::kExtracted:
      return end_content(file);
    case RecordType::kEnd:
      return end(file);
    case RecordType::kLine:
      take_line(file);
      return true;
    case RecordType::kPartialLine:
      if (!is_content) break;
      take_line(file);
      return true;
    default:
      break;
  }
  if (!shows(file.part)) return true;
  if (file.type() == RecordType::kAttribute) {
    show_attribute(file);
    return true;
  }
  const Label* const label = find_label(file.type());
  const std::string_view text = as_text(file.record.payload);
  if (label == nullptr) {
    show(file, "unknown_record_type", text);
  } else if (label->form == Form::kTime) {
    show(file, label->text, show_time(text));
  } else {
    show(file, label->text, text);
  }
  return true;
}

Result<void> Printer::print(int fd, const std::string& name) {
  File file{.name = name, .fd = fd, .records = mta::RawRecords(fd, name)};
  if (view_.start > 0) {
    if (!file.records.seek(view_.start))
      return Error{.kind = ErrorKind::kDataCorrupt, .message = "seek error: Illegal seek"};
  } else {
    const auto type = file.records.peek();
    if (!type) {
      warn(concat("close ", name, ": ", type.error().message));
      return {};
    }
    if (*type && !may_be_first(static_cast<RecordType>(**type))) {
      warn_of(file, "input is not a valid queue file");
      return {};
    }
  }
  bool is_first = view_.start == 0;
  for (;;) {
    Result<bool> goes_on = next(file);
    if (goes_on && *goes_on) {
      if (std::exchange(is_first, false) && view_.envelope)
        out_ << "*** ENVELOPE RECORDS " << name << " ***\n";
      goes_on = take(file);
    }
    if (!goes_on) return goes_on.error();
    if (!*goes_on) return {};
  }
}

}  // namespace postcat
