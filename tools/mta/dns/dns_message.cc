#include "tools/mta/dns/dns_message.h"

#include <ares.h>

#include <map>
#include <memory>
#include <string_view>

#include "libconf/text.h"

namespace mta {
namespace {

constexpr std::size_t kHeaderSize = 12;
constexpr int kAlias = 5;
/// As many as resolvers follow; more are a loop.
constexpr int kMostAliases = 10;

struct Record {
  std::string owner;
  int type = 0;
  std::uint32_t ttl = 0;
  std::size_t start = 0;  ///< Of the data.
  std::size_t size = 0;
};

/// Goes through a message. After the first thing that cannot be there are no more.
class Walker {
 public:
  explicit Walker(std::span<const std::uint8_t> bytes) : bytes_(bytes), at_(kHeaderSize) {}

  bool is_valid() const { return is_valid_; }

  std::string name_at(std::size_t place, std::size_t* end = nullptr) {
    char* text = nullptr;
    long length = 0;
    if (place >= bytes_.size() ||
        ares_expand_name(bytes_.data() + place, bytes_.data(), static_cast<int>(bytes_.size()), &text,
                         &length) != ARES_SUCCESS) {
      is_valid_ = false;
      return {};
    }
    const std::unique_ptr<char, decltype(&ares_free_string)> owned(
        text, [](void* string) { ares_free_string(string); });
    if (end != nullptr) *end = place + static_cast<std::size_t>(length);
    return text;
  }

  std::string question() {
    std::string name = name_at(at_, &at_);
    skip(4);
    return name;
  }

  Record record() {
    Record record{.owner = name_at(at_, &at_)};
    record.type = number(at_);
    skip(4);
    record.ttl = static_cast<std::uint32_t>(number(at_)) << 16;
    skip(2);
    record.ttl |= static_cast<std::uint32_t>(number(at_));
    skip(2);
    record.size = static_cast<std::size_t>(number(at_));
    skip(2);
    record.start = at_;
    skip(record.size);
    return record;
  }

  int number(std::size_t place) {
    if (place + 2 > bytes_.size()) {
      is_valid_ = false;
      return 0;
    }
    return bytes_[place] << 8 | bytes_[place + 1];
  }

  std::string data(const Record& record) const {
    const auto part = bytes_.subspan(record.start, record.size);
    return {part.begin(), part.end()};
  }

 private:
  void skip(std::size_t count) {
    is_valid_ = is_valid_ && count <= bytes_.size() - at_;
    if (is_valid_) at_ += count;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_;
  bool is_valid_ = true;
};

}  // namespace

std::optional<DnsMessage> read_dns_message(std::span<const std::uint8_t> bytes, int type) {
  if (bytes.size() < kHeaderSize) return std::nullopt;
  Walker walker(bytes);
  DnsMessage message{.response_code = bytes[3] & 0x0F, .is_authentic = (bytes[3] & 0x20) != 0};
  const int questions = walker.number(4);
  for (int i = 0; i < questions && walker.is_valid(); ++i) message.name = walker.question();
  std::vector<Record> records;
  const int answers = walker.number(6);
  for (int i = 0; i < answers && walker.is_valid(); ++i) records.push_back(walker.record());
  if (!walker.is_valid()) return std::nullopt;
  for (int i = 0; i < kMostAliases; ++i) {
    bool is_alias = false;
    for (const Record& record : records) {
      if (record.type != kAlias || !libconf::equals_ignoring_case(record.owner, message.name)) continue;
      message.name = walker.name_at(record.start);
      is_alias = true;
      break;
    }
    if (!is_alias) break;
  }
  if (!walker.is_valid()) return std::nullopt;
  for (const Record& record : records) {
    if (record.type != type || !libconf::equals_ignoring_case(record.owner, message.name)) continue;
    if (message.data.empty()) {
      message.name = record.owner;  // In its own capitals.
      message.ttl = record.ttl;
    }
    message.data.push_back(walker.data(record));
  }
  return message;
}

}  // namespace mta
