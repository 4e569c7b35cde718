#include "libmaps/ldap_escape.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/libconf/random_bytes.h"
#include "tests/libmaps/ldap_unescape.h"

namespace libmaps {
namespace {

using postkit_test::unescape_ldap_dn;
using postkit_test::unescape_ldap_filter;

std::string filter(std::string_view text) {
  std::string out = "=";
  escape_ldap_filter(text, out);
  return out;
}

std::string dn(std::string_view text) {
  std::string out = "=";
  escape_ldap_dn(text, out);
  return out;
}

TEST(LdapFilter, EscapesWhatHasAMeaning) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "="},
      {"joe@example.com", "=joe@example.com"},
      {"*", "=\\2a"},
      {"joe)(cn=*", "=joe\\29\\28cn=\\2a"},
      {"a\\b", "=a\\5cb"},
      {"\\2a", "=\\5c2a"},
      {std::string_view("a\0b", 3), "=a\\00b"},
      {"j\xc3\xb6rg", "=j\xc3\xb6rg"},
      {"\xff", "=\xff"},
      {"a&b|c!d", "=a&b|c!d"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(filter(text), expected) << text;
}

// The examples of RFC 4514, section 4, among them.
TEST(LdapDn, EscapesWhatHasAMeaning) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "="},
      {"James \"Jim\" Smith, III", "=James \\\"Jim\\\" Smith\\, III"},
      {"Before\rAfter", "=Before\rAfter"},
      {"a+b;c<d>e\\f", "=a\\+b\\;c\\<d\\>e\\\\f"},
      {"ou=x", "=ou\\=x"},
      {"#1 #", "=\\#1 #"},
      {" a b ", "=\\ a b\\ "},
      {" ", "=\\ "},
      {std::string_view("\0", 1), "=\\00"},
      {"j\xc3\xb6rg", "=j\xc3\xb6rg"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(dn(text), expected) << text;
}

TEST(LdapEscape, IsReadBackAsTheSameBytes) {
  std::mt19937 random(4515);
  for (int i = 0; i < 5000; ++i) {
    std::string text = libconf::random_bytes(random, 12);
    if (i % 2 == 0)
      for (char& c : text)
        c = std::string_view("a *()\\#,+=\"\0;<>2", 16)[static_cast<unsigned char>(c) % 16];
    EXPECT_EQ(unescape_ldap_filter(filter(text).substr(1)), text);
    EXPECT_EQ(unescape_ldap_dn(dn(text).substr(1)), text);
  }
}

TEST(LdapServerUris, AreMadeOfHostsAndPorts) {
  static constexpr struct {
    std::string_view hosts;
    std::string_view expected;  ///< A '=' marks those that were written.
  } kCases[] = {
      {"localhost", "ldap://localhost:389"},
      {"db1 db2:1389,db3", "ldap://db1:389 ldap://db2:1389 ldap://db3:389"},
      {"ldaps://db1 , ldapi://%2Frun%2Fldapi\tLDAP://db2:1/",
       "=ldaps://db1 =ldapi://%2Frun%2Fldapi =LDAP://db2:1/"},
      {"[::1] [::1]:636", "ldap://[::1] ldap://[::1]:636"},
      {"http://x", "ldap://http://x"},
      {"ldap:/x ldap", "ldap://ldap:/x ldap://ldap:389"},
      {" , ", ""},
  };
  for (const auto& [hosts, expected] : kCases) {
    std::string text;
    for (const LdapServerUri& uri : ldap_server_uris(hosts, "389"))
      text += (text.empty() ? "" : " ") + std::string(uri.is_written ? "=" : "") + uri.uri;
    EXPECT_EQ(text, expected) << hosts;
  }
}

}  // namespace
}  // namespace libmaps
