#include "tools/mta/delivery/dane_records.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

TEST(TlsaRecord, IsReadAndShown) {
  const auto record = parse_tlsa_record(std::string("\x03\x01\x02\x00\xAB", 5));
  ASSERT_TRUE(record);
  EXPECT_EQ(to_string(*record), "3 1 2 00AB");
  EXPECT_FALSE(parse_tlsa_record("\x03\x01"));
  EXPECT_EQ(parse_tlsa_record("\x03\x01\x01")->data, "");
}

TEST(ClientTlsPolicy, WhatIsRequiredHasOtherRules) {
  ClientTlsPolicy policy;
  policy.protocols = ">=TLSv1";
  policy.rules_if_required = {.protocols = ">=TLSv1.2", .cipher_grade = "high", .excluded_ciphers = "RC4"};
  policy.require(ClientTlsLevel::kEncrypt);
  EXPECT_EQ(policy.protocols, ">=TLSv1.2");
  EXPECT_EQ(policy.excluded_ciphers, "RC4");
  EXPECT_FALSE(policy.checks_server());
  policy.require(ClientTlsLevel::kDane);
  EXPECT_EQ(policy.excluded_ciphers, "RC4 aNULL");
  EXPECT_TRUE(policy.checks_server());
}

}  // namespace
}  // namespace mta
