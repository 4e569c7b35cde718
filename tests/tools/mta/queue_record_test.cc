#include "tools/mta/queue/queue_record.h"

#include <gtest/gtest.h>

#include <set>

namespace mta {
namespace {

using libconf::ErrorKind;
using namespace std::string_view_literals;

struct Encoded {
  const char* name;
  RecordType type;
  std::string payload;
  std::string header;  ///< Type and length, as Postfix writes them.
};

const Encoded kEncoded[] = {
    {"empty", RecordType::kSender, "", std::string("S\0", 2)},
    {"short", RecordType::kSender, "ann@example.org", "S\x0f"},
    {"longest in one byte", RecordType::kLine, std::string(127, 'x'), "N\x7f"},
    {"shortest in two", RecordType::kLine, std::string(128, 'x'), "N\x80\x01"},
    {"two bytes", RecordType::kLine, std::string(200, 'x'), "N\xc8\x01"},
    {"a full piece", RecordType::kPartialLine, std::string(2048, 'x'), "L\x80\x10"},
    {"three bytes", RecordType::kLine, std::string(16384, 'x'), "N\x80\x80\x01"},
    {"bytes of any kind", RecordType::kLine, std::string("\0\xff\n\r", 4), "N\x04"},
};

TEST(QueueRecord, IsEncoded) {
  for (const Encoded& c : kEncoded) {
    std::string bytes;
    append_record(bytes, c.type, c.payload);
    EXPECT_EQ(bytes, c.header + c.payload) << c.name;
  }
}

TEST(QueueRecord, IsDecodedHoweverItComes) {
  std::string bytes;
  for (const Encoded& c : kEncoded) append_record(bytes, c.type, c.payload);
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    RecordDecoder decoder;
    std::size_t seen = 0;
    std::uint64_t offset = 0;
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      decoder.feed(std::string_view(bytes).substr(at, chunk));
      for (;;) {
        const auto record = decoder.next();
        ASSERT_TRUE(record) << record.error().message;
        if (!*record) break;
        ASSERT_LT(seen, std::size(kEncoded));
        const Encoded& expected = kEncoded[seen++];
        EXPECT_EQ((*record)->type, expected.type) << expected.name;
        EXPECT_EQ((*record)->payload, expected.payload) << expected.name;
        EXPECT_EQ((*record)->offset, offset) << expected.name;
        offset = (*record)->end;
      }
    }
    EXPECT_EQ(seen, std::size(kEncoded)) << chunk;
    EXPECT_TRUE(decoder.finish()) << chunk;
  }
}

TEST(QueueRecord, IsRefusedWhenDamaged) {
  struct Case {
    const char* name;
    std::string_view bytes;
    const char* message;
  };
  const Case cases[] = {
      {"unknown type",
       "S\x01"
       "aZ"sv,
       "offset 3: unknown record type 90"},
      {"a byte of zero",
       "S\x01"
       "a\0"sv,
       "offset 3: unknown record type 0"},
      {"too long", "N\x80\x80\x80\x80\x01"sv, "offset 0: record is longer than 16777216 bytes"},
      {"zeros for ever", "N\x80\x80\x80\x80\x80\x80"sv, "offset 0: malformed record length"},
      {"no length",
       "S\x01"
       "aN"sv,
       "offset 3: unexpected end of file within a record"},
      {"half a length", "N\x80"sv, "offset 0: unexpected end of file within a record"},
      {"half a payload",
       "N\x05"
       "abc"sv,
       "offset 0: unexpected end of file within a record"},
  };
  for (const Case& c : cases) {
    RecordDecoder decoder;
    decoder.feed(c.bytes);
    auto record = decoder.next();
    while (record && *record) record = decoder.next();
    const libconf::Result<void> end = decoder.finish();
    const libconf::Error* error = !record ? &record.error() : !end ? &end.error() : nullptr;
    ASSERT_NE(error, nullptr) << c.name;
    EXPECT_EQ(error->message, c.message) << c.name;
    EXPECT_EQ(error->kind, ErrorKind::kDataCorrupt) << c.name;
    EXPECT_EQ(decoder.next().has_value(), record.has_value()) << c.name;
  }
}

TEST(QueueRecord, ObeysALimit) {
  std::string bytes;
  append_record(bytes, RecordType::kLine, std::string(300, 'x'));
  for (const auto& [limit, is_accepted] : {std::pair(std::size_t{300}, true), {std::size_t{299}, false}})
    EXPECT_EQ(decode_record(bytes, 0, limit).has_value(), is_accepted) << limit;
}

TEST(QueueRecord, NumbersOfFixedWidth) {
  EXPECT_EQ(fixed_width_number(0), "              0");
  EXPECT_EQ(fixed_width_number(1795918774), "     1795918774");
  EXPECT_EQ(fixed_width_number(999'999'999'999'999), "999999999999999");
}

TEST(QueueRecord, NumbersAreRead) {
  for (const auto& [text, value] : {std::pair("              0"sv, std::int64_t{0}),
                                    {"     1795918774"sv, 1795918774},
                                    {"12"sv, 12},
                                    {"-1"sv, -1},
                                    {"9223372036854775807"sv, 9223372036854775807}})
    EXPECT_EQ(parse_record_number(text), value) << text;
  for (const std::string_view text :
       {""sv, "   "sv, "1 "sv, "1x"sv, "0x1"sv, "9223372036854775808"sv, "\t1"sv})
    EXPECT_FALSE(parse_record_number(text)) << text;
}

TEST(QueueRecord, TypesHaveNames) {
  std::set<std::string_view> names;
  int known = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const RecordTypeInfo* info = find_record_type(static_cast<char>(byte));
    if (info == nullptr) continue;
    ++known;
    EXPECT_EQ(static_cast<char>(info->type), static_cast<char>(byte));
    names.insert(info->name);
  }
  EXPECT_EQ(known, 31);
  EXPECT_EQ(names.size(), 31U);
}

}  // namespace
}  // namespace mta
