#include "tools/mta/smtp/proxy_header.h"

#include <gtest/gtest.h>

#include "libconf/text.h"

namespace mta {
namespace {

using namespace std::string_literals;
using libconf::concat;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

/// "client:port server:port", "local", "more" or the error; and what is left, after a bar.
std::string outcome(std::string_view input, std::size_t portion_size,
                    ProxyHeaderReader::Families families = {}) {
  ProxyHeaderReader reader(families);
  while (!input.empty()) {
    std::string_view portion = input.substr(0, portion_size);
    const std::size_t size = portion.size();
    const ProxyHeaderReader::State state = reader.read(portion);
    input.remove_prefix(size - portion.size());
    if (state == ProxyHeaderReader::State::kMalformed) return std::string(reader.error());
    if (state == ProxyHeaderReader::State::kIncomplete) continue;
    if (!reader.endpoints()) return concat("local|", input);
    const ProxyEndpoints& e = *reader.endpoints();
    return concat(libmaps::to_string(e.client), " ", std::to_string(e.client_port), " ",
                  libmaps::to_string(e.server), " ", std::to_string(e.server_port), "|", input);
  }
  return "more";
}

std::string version_2(char command, char family, const std::string& addresses, const std::string& more = "") {
  const std::size_t size = addresses.size() + more.size();
  return concat(kSignature,
                std::string{command, family, static_cast<char>(size >> 8), static_cast<char>(size)},
                addresses, more);
}

const std::string kIpv4Addresses("\1\2\3\4\5\6\7\10\0\1\0\2", 12);

// As Postfix 3.7 has it, but that UNKNOWN is no error, as HAProxy's specification demands.
TEST(ProxyHeader, IsReadAsItComes) {
  const std::string ipv6 = "\x20\x01"s + std::string(13, '\0') + "\1" + "\x20\x01"s + std::string(13, '\0') +
                           "\2" + std::string("\0\1\0\2", 4);
  const struct {
    std::string name;
    std::string input;
    std::string expected;
  } kCases[] = {
      {"v1", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nEHLO", "1.2.3.4 1 5.6.7.8 2|EHLO"},
      {"v1, bare newline", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\nEHLO", "1.2.3.4 1 5.6.7.8 2|EHLO"},
      {"v1, IPv6", "PROXY TCP6 ::1 ::2 1 65535\r\n", "::1 1 ::2 65535|"},
      {"v1, blanks and more", "PROXY  tcp4  1.2.3.4 5.6.7.8 0 2 x\r\n", "1.2.3.4 0 5.6.7.8 2|"},
      {"v1, unknown", "PROXY UNKNOWN a b\r\nx", "local|x"},
      {"v1, not yet", "PROXY TCP4 1.2.3.4", "more"},
      {"v1, no protocol", "PROXY\r\n", "bad or missing protocol type"},
      {"v1, protocol", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", "bad or missing protocol type"},
      {"v1, client", "PROXY TCP4 x 5.6.7.8 1 2\r\n", "bad or missing client address"},
      {"v1, family", "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", "bad or missing client address"},
      {"v1, server", "PROXY TCP4 1.2.3.4 ::1 1 2\r\n", "bad or missing server address"},
      {"v1, client port", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", "bad or missing client port"},
      {"v1, server port", "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", "bad or missing server port"},
      {"v1, no server port", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", "bad or missing server port"},
      {"v1, case", "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "unrecognized protocol header"},
      {"v1, tabs", "PROXY\tTCP4\t1.2.3.4\t5.6.7.8\t1\t2\r\n", "unrecognized protocol header"},
      {"no header", "EHLO x\r\n", "unrecognized protocol header"},
      {"endless", std::string(1000, 'x'), "unrecognized protocol header"},
      {"v1, endless", "PROXY TCP4 " + std::string(1000, 'x'), "missing protocol header terminator"},
      {"v2", version_2(0x21, 0x11, kIpv4Addresses) + "EHLO", "1.2.3.4 1 5.6.7.8 2|EHLO"},
      {"v2, IPv6", version_2(0x21, 0x21, ipv6), "2001::1 1 2001::2 2|"},
      {"v2, with more", version_2(0x21, 0x11, kIpv4Addresses, "\4\0\0"s) + "E", "1.2.3.4 1 5.6.7.8 2|E"},
      {"v2, all that is allowed", version_2(0x21, 0x11, kIpv4Addresses, std::string(508, 'x')),
       "1.2.3.4 1 5.6.7.8 2|"},
      {"v2, too long", version_2(0x21, 0x11, kIpv4Addresses, std::string(509, 'x')),
       "short version 2 protocol header"},
      {"v2, local", version_2(0x20, 0x00, "") + "E", "local|E"},
      {"v2, local with addresses", version_2(0x20, 0x11, kIpv4Addresses) + "E", "local|E"},
      {"v2, not yet", version_2(0x21, 0x11, kIpv4Addresses).substr(0, 27), "more"},
      {"v2, short addresses", version_2(0x21, 0x11, kIpv4Addresses.substr(1)), "short address field"},
      {"v2, UDP", version_2(0x21, 0x12, kIpv4Addresses), "unsupported network protocol"},
      {"v2, UNIX", version_2(0x21, 0x31, std::string(216, 'x')), "unsupported network protocol"},
      {"v2, unspecified", version_2(0x21, 0x00, ""), "unsupported network protocol"},
      {"v2, version", version_2(0x11, 0x11, kIpv4Addresses), "unrecognized protocol version"},
      {"v2, command", version_2(0x22, 0x11, kIpv4Addresses), "bad command in proxy header"},
      {"a damaged signature", "\r\n\r\n\0\r\nQUIX\n!"s, "unrecognized protocol header"},
      {"an empty line", "\r\nx\n", "unrecognized protocol header"},
  };
  for (const auto& test_case : kCases) {
    for (const std::size_t size : {1, 2, 5, 13, 2000}) {
      EXPECT_EQ(outcome(test_case.input, size), test_case.expected)
          << test_case.name << " in portions of " << size;
    }
  }
}

TEST(ProxyHeader, HasNoAddressOfAFamilyThatIsOff) {
  const ProxyHeaderReader::Families ipv4_only{.has_ipv4 = true, .has_ipv6 = false};
  EXPECT_EQ(outcome("PROXY TCP6 ::1 ::2 1 2\r\n", 100, ipv4_only), "bad or missing protocol type");
  EXPECT_EQ(outcome(version_2(0x21, 0x21, std::string(36, '\0')), 100, ipv4_only),
            "unsupported network protocol");
}

// The words are those of Postfix 3.7.
TEST(ProxyHeaderReader, TellsOfAnEarlyEnd) {
  const struct {
    std::string_view input;
    const char* error;
  } cases[] = {{"PROXY TCP4 ", "missing protocol header terminator"},
               {std::string_view("\r\n\r\n\0\r\nQUIT\n!\x11\0", 15), "short version 2 protocol header"},
               {"\r\n", "short protocol header"},
               {"PR", "short protocol header"}};
  for (const auto& [input, error] : cases) {
    ProxyHeaderReader reader({});
    std::string_view rest = input;
    EXPECT_EQ(reader.read(rest), ProxyHeaderReader::State::kIncomplete) << error;
    EXPECT_EQ(reader.header(), input);
    EXPECT_EQ(reader.end(), ProxyHeaderReader::State::kMalformed);
    EXPECT_EQ(reader.error(), error);
  }
}

}  // namespace
}  // namespace mta
