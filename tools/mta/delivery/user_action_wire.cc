#include "tools/mta/delivery/user_action_wire.h"

#include <concepts>
#include <type_traits>

namespace mta {
namespace {

/// Appends values to a packet.
class Writer {
 public:
  static constexpr bool kReads = false;

  template <std::unsigned_integral Number>
  void value(Number& number) {
    for (std::size_t i = 0; i < sizeof number; ++i)
      bytes_ += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
  }
  void value(bool& flag) { bytes_ += flag ? '\1' : '\0'; }
  void value(std::string& text) {
    auto size = static_cast<std::uint32_t>(text.size());
    value(size);
    bytes_ += text;
  }
  void value(std::vector<std::string>& list) {
    auto size = static_cast<std::uint32_t>(list.size());
    value(size);
    for (std::string& each : list) value(each);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Takes values off a packet, with every length checked.
class Reader {
 public:
  static constexpr bool kReads = true;

  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <std::unsigned_integral Number>
  void value(Number& number) {
    number = 0;
    const std::string_view raw = take(sizeof number);
    for (std::size_t i = 0; i < raw.size(); ++i)
      number = static_cast<Number>(number | static_cast<std::uint64_t>(static_cast<unsigned char>(raw[i]))
                                                << (8 * i));
  }
  void value(bool& flag) {
    std::uint8_t byte = 0;
    value(byte);
    is_good_ = is_good_ && byte <= 1;
    flag = byte == 1;
  }
  void value(std::string& text) {
    std::uint32_t size = 0;
    value(size);
    text = take(size);
  }
  void value(std::vector<std::string>& list) {
    std::uint32_t size = 0;
    value(size);
    // Each takes four bytes at least, so that memory is bounded by the packet.
    for (std::uint32_t i = 0; i < size && is_good_; ++i) value(list.emplace_back());
  }

  void refuse() { is_good_ = false; }
  bool is_good() const { return is_good_; }
  bool is_finished() const { return is_good_ && rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      is_good_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool is_good_ = true;
};

/// Enumerations go as their numbers; `last` is the greatest that counts.
template <class Stream, class Enumeration>
void enumeration(Stream& stream, Enumeration& value, Enumeration last) {
  auto number = static_cast<std::underlying_type_t<Enumeration>>(value);
  stream.value(number);
  if constexpr (Stream::kReads) {
    if (number > static_cast<std::underlying_type_t<Enumeration>>(last)) stream.refuse();
  }
  value = static_cast<Enumeration>(number);
}

// Each function names the fields of a type in their order, for both directions.

template <class Stream>
void fields(Stream& stream, MessageCopy& copy) {
  stream.value(copy.content_offset);
  stream.value(copy.head);
  stream.value(copy.end_of_line);
  stream.value(copy.tail);
  stream.value(copy.quotes_from);
  stream.value(copy.stuffs_dots);
}

template <class Stream>
void fields(Stream& stream, MailboxDelivery& delivery) {
  stream.value(delivery.path);
  fields(stream, delivery.copy);
  stream.value(delivery.locks.methods);
  stream.value(delivery.locks.attempts);
  stream.value(delivery.locks.delay);
  stream.value(delivery.locks.stale_time);
  stream.value(delivery.size_limit);
  stream.value(delivery.must_be_owned);
  stream.value(delivery.needs_dot_lock);
  stream.value(delivery.may_be_special);
}

template <class Stream>
void fields(Stream& stream, CommandRun& command) {
  stream.value(command.program);
  stream.value(command.failure);
  stream.value(command.arguments);
  stream.value(command.environment);
  stream.value(command.directory);
  fields(stream, command.copy);
  stream.value(command.time_limit);
  stream.value(command.file_limit);
}

template <class Stream>
void fields(Stream& stream, ActionResult& result) {
  stream.value(result.warning);
  stream.value(result.offset);
  bool has_fault = result.fault.has_value();
  stream.value(has_fault);
  if (!has_fault) return;
  if constexpr (Stream::kReads) result.fault.emplace();
  stream.value(result.fault->code);
  stream.value(result.fault->reason);
}

template <class Stream>
void fields(Stream& stream, CommandResult& result) {
  enumeration(stream, result.end, CommandResult::End::kNotRun);
  auto number = static_cast<std::uint8_t>(result.number);
  stream.value(number);
  result.number = number;
  stream.value(result.output);
  stream.value(result.reason);
}

template <class Stream>
void fields(Stream& stream, FileText& text) {
  enumeration(stream, text.state, FileText::State::kUnavailable);
  stream.value(text.owner.user);
  stream.value(text.owner.group);
  stream.value(text.text);
  stream.value(text.reason);
}

template <class Stream>
void fields(Stream& stream, std::string& text) {
  stream.value(text);
}

template <class Stream>
void fields(Stream& stream, ActionHeader& header) {
  auto kind = static_cast<std::uint32_t>(header.kind);
  stream.value(kind);
  header.kind = static_cast<ActionKind>(kind);
  stream.value(header.user);
  stream.value(header.group);
  stream.value(header.root);
}

template <class Value>
std::string encoded(Value value) {
  Writer writer;
  fields(writer, value);
  return writer.take();
}

template <class Value>
std::optional<Value> decoded(std::string_view bytes) {
  Reader reader(bytes);
  Value value{};
  fields(reader, value);
  if (!reader.is_finished()) return std::nullopt;
  return value;
}

}  // namespace

std::string encode(const ActionHeader& header) { return encoded(header); }

std::optional<ActionHeader> decode_header(std::string_view& packet) {
  if (packet.size() < kActionHeaderSize) return std::nullopt;
  std::optional<ActionHeader> header = decoded<ActionHeader>(packet.substr(0, kActionHeaderSize));
  packet.remove_prefix(kActionHeaderSize);
  return header;
}

std::string encode(const MailboxDelivery& delivery) { return encoded(delivery); }
std::string encode(const CommandRun& command) { return encoded(command); }
std::string encode(const ActionResult& result) { return encoded(result); }
std::string encode(const CommandResult& result) { return encoded(result); }
std::string encode(const FileText& text) { return encoded(text); }
std::string encode_path(std::string_view path) { return encoded(std::string(path)); }

std::optional<MailboxDelivery> decode_delivery(std::string_view bytes) {
  return decoded<MailboxDelivery>(bytes);
}
std::optional<CommandRun> decode_command(std::string_view bytes) { return decoded<CommandRun>(bytes); }
std::optional<ActionResult> decode_result(std::string_view bytes) { return decoded<ActionResult>(bytes); }
std::optional<CommandResult> decode_command_result(std::string_view bytes) {
  return decoded<CommandResult>(bytes);
}
std::optional<FileText> decode_text(std::string_view bytes) { return decoded<FileText>(bytes); }
std::optional<std::string> decode_path(std::string_view bytes) { return decoded<std::string>(bytes); }

}  // namespace mta
