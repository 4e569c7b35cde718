#include "tools/mta/delivery/outgoing_content.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "libconf/host.h"
#include "tools/mta/delivery/generic_addresses.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {
namespace {

/// A queue file with these records of content.
std::string queue_file(std::initializer_list<std::pair<RecordType, std::string_view>> content) {
  MessageSizes sizes;
  std::string head;
  append_record(head, RecordType::kSize, sizes.to_payload());
  std::string envelope;
  append_record(envelope, RecordType::kSender, "ann@example.org");
  append_record(envelope, RecordType::kRecipient, "bob@example.org");
  append_record(envelope, RecordType::kContent, "");
  sizes.content_offset = static_cast<std::int64_t>(head.size() + envelope.size());
  head.clear();
  append_record(head, RecordType::kSize, sizes.to_payload());
  std::string file = head + envelope;
  for (const auto& [type, payload] : content) append_record(file, type, payload);
  return file;
}

class OutgoingContentTest : public testing::Test {
 protected:
  ~OutgoingContentTest() override { std::fclose(file_); }

  libconf::Result<OutgoingContent> open(const std::string& bytes) {
    EXPECT_EQ(::pwrite(::fileno(file_), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return OutgoingContent::open(::fileno(file_), "4A1B2C3D4E", 998);
  }

  /// All of it, or what was read until an error.
  static std::string read(OutgoingContent& content, std::size_t enough) {
    std::string all;
    for (;;) {
      std::string piece;
      const libconf::Result<bool> more = content.read(piece, enough);
      all += piece;
      if (!more) return all + "(" + more.error().message + ")";
      if (!*more) return all;
      EXPECT_GE(piece.size(), enough);
    }
  }

  std::FILE* file_ = std::tmpfile();
};

TEST_F(OutgoingContentTest, LinesInAnyPieces) {
  const std::string bytes = queue_file({{RecordType::kLine, "To: x"},
                                        {RecordType::kLine, ""},
                                        {RecordType::kPartialLine, ".a"},
                                        {RecordType::kLine, "b"},
                                        {RecordType::kExtracted, ""},
                                        {RecordType::kEnd, ""}});
  for (const std::size_t enough : {1, 10, 65536}) {
    auto content = open(bytes);
    ASSERT_TRUE(content) << content.error().message;
    EXPECT_EQ(read(*content, enough), "To: x\r\n\r\n..ab\r\n");
  }
}

TEST_F(OutgoingContentTest, ALineWithoutEndGetsOne) {
  const std::string bytes = queue_file({{RecordType::kLine, ""},
                                        {RecordType::kPartialLine, "a"},
                                        {RecordType::kExtracted, ""},
                                        {RecordType::kEnd, ""}});
  for (const bool is_converted : {false, true}) {
    auto content = open(bytes);
    ASSERT_TRUE(content) << content.error().message;
    if (is_converted) content->edit({.mime = {.converts_8bit = true}});
    EXPECT_EQ(read(*content, 65536), "\r\na\r\n");
  }
}

TEST_F(OutgoingContentTest, Text8BitIsConverted) {
  const std::string bytes = queue_file({{RecordType::kLine, "Content-Transfer-Encoding: 8bit"},
                                        {RecordType::kLine, ""},
                                        {RecordType::kPartialLine, ".\xC3 "},
                                        {RecordType::kLine, ""},
                                        {RecordType::kExtracted, ""},
                                        {RecordType::kEnd, ""}});
  auto content = open(bytes);
  ASSERT_TRUE(content) << content.error().message;
  content->edit({.mime = {.converts_8bit = true}});
  EXPECT_EQ(read(*content, 65536), "Content-Transfer-Encoding: quoted-printable\r\n\r\n..=C3=20\r\n");
}

TEST_F(OutgoingContentTest, MultipartsThatAreTooDeepAreNotConverted) {
  std::vector<std::string> lines;
  for (int i = 0; i < 4; ++i)
    for (const std::string& line : {"Content-Type: multipart/mixed; boundary=b" + std::to_string(i),
                                    std::string(), "--b" + std::to_string(i)})
      lines.push_back(line);
  std::string bytes = queue_file({});
  for (const std::string& line : lines) append_record(bytes, RecordType::kLine, line);
  append_record(bytes, RecordType::kExtracted, "");
  append_record(bytes, RecordType::kEnd, "");
  for (const bool is_converted : {false, true}) {
    auto content = open(bytes);
    ASSERT_TRUE(content) << content.error().message;
    content->edit({.mime = {.nesting_limit = 1, .converts_8bit = is_converted}});
    std::string text;
    const auto more = content->read(text, 65536);
    EXPECT_EQ(more.has_value(), !is_converted);
    EXPECT_EQ(more ? "" : more.error().message, is_converted ? "MIME nesting exceeds safety limit" : "");
  }
}

TEST_F(OutgoingContentTest, AFileThatEndsTooSoonIsAnError) {
  auto content = open(queue_file({{RecordType::kLine, "To: x"}}));
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_TRUE(read(*content, 65536).ends_with("unexpected end of file)"));
}

TEST_F(OutgoingContentTest, WhatIsNoQueueFileIsAnError) {
  EXPECT_FALSE(open("hello"));
  std::string file;
  append_record(file, RecordType::kSender, "ann@example.org");
  EXPECT_FALSE(open(file));
}

TEST_F(OutgoingContentTest, AddressesInHeadersAreRewritten) {
  libconf::DiagnosticList warnings;
  const libconf::Host host = libconf::system_host();
  libconf::Settings settings(nullptr, host);
  settings.override_value("inet_interfaces", "127.0.0.1");
  settings.override_value("mydestination", "");
  const AddressContext context{.tables = {.settings = settings, .warnings = warnings}, .host = host};
  auto domains = LocalDomains::from(context);
  ASSERT_TRUE(domains) << domains.error().message;
  for (const std::string_view maps : {"inline:{@example.org=@example.com}", "fail:x"}) {
    settings.override_value("smtp_generic_maps", maps);
    auto generic = GenericAddresses::open("smtp_", context, *domains);
    ASSERT_TRUE(generic) << generic.error().message;
    auto content = open(queue_file({{RecordType::kLine, "From: ann@example.org"},
                                    {RecordType::kLine, "X-To: b@example.org"},
                                    {RecordType::kLine, ""},
                                    {RecordType::kLine, "To: c@example.org"},
                                    {RecordType::kExtracted, ""},
                                    {RecordType::kEnd, ""}}));
    ASSERT_TRUE(content) << content.error().message;
    content->edit({.generic = generic->get()});
    const std::string text = read(*content, 65536);
    if (maps == "fail:x") {
      EXPECT_TRUE(text.ends_with(')')) << "no error: " << text;
    } else {
      EXPECT_EQ(text, "From: ann@example.com\r\nX-To: b@example.org\r\n\r\nTo: c@example.org\r\n");
    }
  }
}

TEST(GenericAddresses, WithoutTablesThereAreNone) {
  libconf::DiagnosticList warnings;
  const libconf::Host host = libconf::system_host();
  libconf::Settings settings(nullptr, host);
  const AddressContext context{.tables = {.settings = settings, .warnings = warnings}, .host = host};
  const auto generic = GenericAddresses::open("smtp_", context, nullptr);
  ASSERT_TRUE(generic);
  EXPECT_EQ(*generic, nullptr);
}

}  // namespace
}  // namespace mta
