#include "tools/postcat/printer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <iomanip>
#include <ostream>
#include <tuple>
#include <utility>

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

/// The two numbers at the start of a payload, as far as they are there; -1 in place of others.
std::pair<std::int64_t, std::int64_t> two_numbers(std::string_view payload) {
  std::array<std::int64_t, 2> numbers = {-1, -1};
  for (std::int64_t& number : numbers) {
    payload.remove_prefix(std::min(payload.find_first_not_of(" \t"), payload.size()));
    const auto [end, failure] = std::from_chars(payload.data(), payload.data() + payload.size(), number);
    if (failure != std::errc()) break;
    payload.remove_prefix(static_cast<std::size_t>(end - payload.data()));
  }
  return {numbers[0], numbers[1]};
}

/// Passes over the first bytes of a pipe.
void pass(int fd, std::uint64_t count) {
  std::array<char, 4096> buffer{};
  while (count > 0) {
    const ssize_t size = ::read(fd, buffer.data(), std::min<std::uint64_t>(count, buffer.size()));
    if (size == 0 || (size < 0 && errno != EINTR)) return;
    if (size > 0) count -= static_cast<std::uint64_t>(size);
  }
}

bool is_pipe(int fd) { return ::lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE; }

}  // namespace

struct Printer::File {
  std::string name;
  int fd;
  mta::RawRecords records;
  mta::RawRecord record = {};
  std::uint64_t place = 0;
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
  if (view_.offsets) out_ << std::setw(9) << file.place << ' ';
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
  std::string_view text = as_text(file.record.payload);
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::optional<std::int64_t> target = text.empty() ? 0 : mta::parse_record_number(text);
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
  // A record that is reached by pointers is shown with the place of the first of them.
  file.place = file.records.position();
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
    return true;
  }
  std::tie(file.content_size, file.content_offset) = two_numbers(text);
  if (file.content_size <= 0 || file.content_offset <= 0) warn(concat("invalid size record: ", text));
  if (view_.envelope) return true;
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
  if (view_.header || view_.body) return true;
  return pass_content(file);
}

/// To what stands behind the content, where that is known. False: it is of no interest.
Result<bool> Printer::pass_content(File& file) {
  if (!view_.envelope) return false;
  if (file.content_offset >= 0 && file.content_size > 0 &&
      !file.records.seek(static_cast<std::uint64_t>(file.content_offset) +
                         static_cast<std::uint64_t>(file.content_size)))
    return Error{.kind = ErrorKind::kDataCorrupt, .message = "seek error: Illegal seek"};
  return true;
}

/// False: what comes now is not wanted.
bool Printer::end_content(File& file) {
  if (file.part != Part::kHeader && file.part != Part::kBody)
    warn_of(file, "out-of-order extracted segment marker");
  if (file.is_within_line && view_.envelope && !view_.offsets) out_ << '\n';
  show_title(file, "HEADER EXTRACTED");
  file.part = Part::kExtracted;
  return view_.envelope;
}

/// The reader of Postfix goes to the end of the file, which a pipe does not allow.
Result<bool> Printer::end(File& file) {
  if (is_pipe(file.fd)) {
    warn_of(file, concat("seek error after reading END record: ", std::strerror(ESPIPE)));
    return no_way_on();
  }
  if (file.part == Part::kHeader || file.part == Part::kBody)
    warn_of(file, "out-of-order message end marker");
  show_title(file, "MESSAGE FILE END");
  return false;
}

/// False: what follows is not wanted.
Result<bool> Printer::take_line(File& file) {
  const std::string_view text = file.record.payload;
  const bool is_continuation = !text.empty() && (text.front() == ' ' || text.front() == '\t');
  if (file.part == Part::kHeader && !file.is_within_line && !is_continuation &&
      mta::header_start(text).name == 0) {
    file.part = Part::kBody;
    if (!view_.body) return pass_content(file);
  }
  if (!shows(file.part)) return true;
  file.is_within_line = file.type() == RecordType::kPartialLine;
  prefix(file);
  out_ << text;
  // What has its place in front starts a line.
  if (!file.is_within_line || view_.offsets) out_ << '\n';
  return true;
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
      return take_line(file);
    case RecordType::kPartialLine:
      if (!is_content) break;
      return take_line(file);
    default:
      break;
  }
  if (!shows(file.part)) return true;
  file.is_within_line = false;
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
    if (is_pipe(fd)) pass(fd, view_.start);
    if (const Result<void> there = file.records.seek(view_.start); !there) return there;
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
