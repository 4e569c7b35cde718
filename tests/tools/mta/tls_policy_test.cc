#include "tools/mta/tls/tls_policy.h"

#include <gtest/gtest.h>

#include "tests/libmaps/table_fixture.h"

namespace mta {
namespace {

using postkit_test::TableFixture;
using Texts = std::vector<std::string>;

constexpr std::uint64_t kNoSsl3 = SSL_OP_NO_SSLv3;
constexpr std::uint64_t kNo10 = SSL_OP_NO_TLSv1;
constexpr std::uint64_t kNo11 = SSL_OP_NO_TLSv1_1;
constexpr std::uint64_t kNo12 = SSL_OP_NO_TLSv1_2;
constexpr std::uint64_t kNo13 = SSL_OP_NO_TLSv1_3;

// What Postfix 3.7 negotiates with these lists is in tests/integration/tls_policy_test.py.
TEST(TlsProtocols, Lists) {
  struct Case {
    std::string_view list;
    TlsProtocols expected;
  };
  const Case cases[] = {
      {"", {}},
      {">=TLSv1", {TLS1_VERSION, 0, 0}},
      {">=TLSv1.2, <=TLSv1.3", {TLS1_2_VERSION, TLS1_3_VERSION, 0}},
      {">=tlsv1.2", {TLS1_2_VERSION, 0, 0}},
      {"!SSLv2, !SSLv3", {0, 0, kNoSsl3}},
      {"!SSLv2:!SSLv3\t!TLSv1", {0, 0, kNoSsl3 | kNo10}},
      {"TLSv1.2", {0, 0, kNoSsl3 | kNo10 | kNo11 | kNo13}},
      {"TLSv1:TLSv1.2", {0, 0, kNoSsl3 | kNo11 | kNo13}},
      {"TLSv1.2 !TLSv1.2", {0, 0, kNoSsl3 | kNo10 | kNo11 | kNo12 | kNo13}},
      {">=TLSv1.2 !TLSv1.3", {TLS1_2_VERSION, 0, kNo13}},
      {">=301", {TLS1_VERSION, 0, 0}},
      {">=0301", {TLS1_VERSION, 0, 0}},
      {">=0x301", {TLS1_VERSION, 0, 0}},
      {">=0X0301", {TLS1_VERSION, 0, 0}},
      {">=TLSv1, <=0305", {TLS1_VERSION, 0x0305, 0}},
      {">=10303", {0x10303, 0, 0}},
      {">=TLSv1.2 >=TLSv1", {TLS1_VERSION, 0, 0}},
      {">=", {}},
      {">= TLSv1", {0, 0, kNoSsl3 | kNo11 | kNo12 | kNo13}},
      {"SSLv2", {}},
      {">=0 <=303", {0, TLS1_2_VERSION, 0}},
  };
  for (const Case& c : cases) {
    const Result<TlsProtocols> protocols = parse_tls_protocols(c.list);
    ASSERT_TRUE(protocols) << c.list;
    EXPECT_EQ(*protocols, c.expected) << c.list;
  }
}

TEST(TlsProtocols, InvalidLists) {
  for (const std::string list : {"bogus", "!SSLv2, !bogus", ">=TLSv1.4", ">=0x", ">=0303x", "!0303",
                                 ">=SSLv2", "! TLSv1.2", ">=-1", ">=ffffffffff"}) {
    const Result<TlsProtocols> protocols = parse_tls_protocols(list);
    ASSERT_FALSE(protocols) << list;
    EXPECT_EQ(protocols.error().message, "Invalid TLS protocol list \"" + list + "\": disabling TLS support");
    EXPECT_EQ(protocols.error().kind, ErrorKind::kConfiguration);
  }
}

TEST(CipherExclusions, ListsAndFaults) {
  struct Case {
    std::string_view list;
    std::string_view expected;
  };
  for (const Case& c : {Case{"", ""}, Case{"aNULL", ":!aNULL"}, Case{"MD5, DES", ":!MD5:!DES"},
                        Case{"kEDH+aRSA AES256-SHA", ":!kEDH+aRSA:!AES256-SHA"}, Case{"a:b", ":!a:!b"}}) {
    const Result<std::string> exclusions = parse_cipher_exclusions(c.list);
    ASSERT_TRUE(exclusions) << c.list;
    EXPECT_EQ(*exclusions, c.expected) << c.list;
  }
  for (const std::string word : {"!c", "+c", "-c", "@c"}) {
    const Result<std::string> exclusions = parse_cipher_exclusions("a " + word);
    ASSERT_FALSE(exclusions) << word;
    EXPECT_EQ(exclusions.error().message, "invalid unary '!+-@' in cipher exclusion: " + word);
  }
}

TEST(CipherGrades, TheListOfEach) {
  TableFixture fixture(
      "tls_high_cipherlist = H\ntls_medium_cipherlist = M\ntls_low_cipherlist = L\ntls_null_cipherlist = "
      "N\n");
  struct Case {
    std::string_view grade;
    std::string_view expected;
  };
  for (const Case& c : {Case{"high", "H"}, Case{"HIGH", "H"}, Case{"medium", "M"}, Case{"low", "L"},
                        Case{"null", "N"}, Case{"export", "M"}}) {
    const Result<std::string> list = cipher_list_of_grade(c.grade, fixture.settings);
    ASSERT_TRUE(list) << c.grade;
    EXPECT_EQ(*list, c.expected) << c.grade;
  }
  const Result<std::string> unknown = cipher_list_of_grade("bogus", fixture.settings);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "invalid cipher grade: \"bogus\"");
}

TEST(TlsLevels, NewAndObsoleteParameters) {
  struct Case {
    std::string main_cf;
    TlsLevel level;
    Texts warned = {};
  };
  const Case cases[] = {
      {"", TlsLevel::kNone},
      {"smtpd_tls_security_level = none\nsmtpd_use_tls = yes\n", TlsLevel::kNone},
      {"smtpd_tls_security_level = may\n", TlsLevel::kMay},
      {"smtpd_tls_security_level = May\n", TlsLevel::kMay},
      {"smtpd_tls_security_level = encrypt\n", TlsLevel::kEncrypt},
      {"smtpd_use_tls = yes\n", TlsLevel::kMay},
      {"smtpd_enforce_tls = yes\n", TlsLevel::kEncrypt},
      {"smtpd_tls_wrappermode = yes\nsmtpd_tls_security_level = none\n", TlsLevel::kEncrypt},
      {"smtpd_tls_security_level = verify\n",
       TlsLevel::kEncrypt,
       {"smtpd_tls_security_level: unsupported TLS level \"verify\", using \"encrypt\""}},
      {"smtpd_tls_security_level = fingerprint\n",
       TlsLevel::kEncrypt,
       {"smtpd_tls_security_level: unsupported TLS level \"fingerprint\", using \"encrypt\""}},
  };
  for (const Case& c : cases) {
    TableFixture fixture(c.main_cf);
    const Result<TlsLevel> level = tls_level(fixture.settings, fixture.warnings);
    ASSERT_TRUE(level) << c.main_cf;
    EXPECT_EQ(*level, c.level) << c.main_cf;
    EXPECT_EQ(fixture.warned(), c.warned) << c.main_cf;
  }
  for (const std::string name : {"bogus", "dane", "dane-only"}) {
    TableFixture fixture("smtpd_tls_security_level = " + name + "\n");
    const Result<TlsLevel> level = tls_level(fixture.settings, fixture.warnings);
    ASSERT_FALSE(level) << name;
    EXPECT_EQ(level.error().message, "Invalid TLS level \"" + name + "\"");
  }
}

TEST(TlsOptions, NamesAndMasks) {
  struct Case {
    std::uint64_t (*parse)(std::string_view, DiagnosticSink&);
    std::string_view list;
    std::uint64_t bits;
    Texts warned = {};
  };
  const Case cases[] = {
      {parse_ssl_options, "", 0},
      {parse_ssl_options, "no_ticket, PRIORITIZE_CHACHA", SSL_OP_NO_TICKET | SSL_OP_PRIORITIZE_CHACHA},
      {parse_ssl_options, "0x4000", SSL_OP_NO_TICKET},
      {parse_ssl_options, "0xffffffff",
       0xffffffff & ~(kNoSsl3 | kNo10 | kNo11 | kNo12 | kNo13 | SSL_OP_CIPHER_SERVER_PREFERENCE)},
      {parse_ssl_options,
       "bogus no_ticket",
       SSL_OP_NO_TICKET,
       {"unknown tls_ssl_options value \"bogus\" in \"bogus no_ticket\""}},
      {parse_ssl_options, "0x1z", 0, {"unknown tls_ssl_options value \"0x1z\" in \"0x1z\""}},
      {parse_ssl_options,
       "0xFFFFFFFFFFFFFFFFFF",
       0,
       {"unknown tls_ssl_options value \"0xFFFFFFFFFFFFFFFFFF\" in \"0xFFFFFFFFFFFFFFFFFF\""}},
      {parse_disabled_workarounds, "cve-2010-4180, TLSEXT_PADDING", SSL_OP_TLSEXT_PADDING},
      {parse_disabled_workarounds, "0xFFFFFFFF", 0xffffffff},
      {parse_disabled_workarounds,
       "bogus",
       0,
       {"unknown tls_disable_workarounds value \"bogus\" in \"bogus\""}},
  };
  for (const Case& c : cases) {
    libconf::DiagnosticList sink;
    EXPECT_EQ(c.parse(c.list, sink), c.bits) << c.list;
    EXPECT_EQ(libconf::messages(sink), c.warned) << c.list;
  }
}

TEST(TlsLogLevel, DigitsAndFaults) {
  struct Case {
    std::string_view text;
    int level;
    Texts warned = {};
  };
  const Case cases[] = {
      {"", 0},
      {"0", 0},
      {"1", 1},
      {"4", 4},
      {"6", 4},
      {"1,2", 2},
      {"10", 0, {"unknown smtpd_tls_loglevel value \"10\" in \"10\""}},
      {"-1", 0, {"unknown smtpd_tls_loglevel value \"-1\" in \"-1\""}},
      {"bogus, 1", 1, {"unknown smtpd_tls_loglevel value \"bogus\" in \"bogus, 1\""}},
  };
  for (const Case& c : cases) {
    libconf::DiagnosticList sink;
    EXPECT_EQ(parse_tls_log_level(c.text, sink), c.level) << c.text;
    EXPECT_EQ(libconf::messages(sink), c.warned) << c.text;
  }
}

TEST(TlsGroups, UnknownOnesAreLeftOut) {
  struct Case {
    std::string_view curves;
    std::string_view ffdhe;
    std::string_view expected;
    Texts warned = {};
  };
  const Case cases[] = {
      {"X25519 prime256v1", "ffdhe2048", "X25519:prime256v1:ffdhe2048"},
      {"P-256, X448", "", "P-256:X448"},
      {"", "", ""},
      {"bogus P-256", "", "P-256", {"ignoring unknown ECDHE curve \"bogus\""}},
      {"secp256r1", "", "", {"ignoring unknown ECDHE curve \"secp256r1\""}},
      {"X25519:P-256", "", "", {"ignoring unknown ECDHE curve \"X25519:P-256\""}},
      {"aes-128-cbc", "", "", {"none of the configured ECDHE curves are supported"}},
  };
  for (const Case& c : cases) {
    libconf::DiagnosticList sink;
    EXPECT_EQ(usable_groups(c.curves, c.ffdhe, sink), c.expected) << c.curves;
    EXPECT_EQ(libconf::messages(sink), c.warned) << c.curves;
  }
}

TEST(TlsPolicy, DefaultsComeFromTheParameterTable) {
  TableFixture fixture("compatibility_level = 3.6\nsmtpd_tls_security_level = may\n");
  const Result<TlsPolicy> policy = TlsPolicy::read(fixture.settings, fixture.warnings);
  ASSERT_TRUE(policy);
  EXPECT_EQ(fixture.warned(), Texts());
  EXPECT_EQ(policy->protocols, (TlsProtocols{TLS1_VERSION, 0, 0}));
  EXPECT_EQ(policy->cipher_grade, "medium");
  EXPECT_EQ(policy->cipher_list, fixture.settings.get("tls_medium_cipherlist").value());
  EXPECT_EQ(policy->verify_depth, 9);
  EXPECT_FALSE(policy->asks_certificate);
  EXPECT_EQ(policy->fingerprint_digest, EVP_sha256());
  EXPECT_EQ(policy->session_lifetime, std::chrono::hours(1));
  ASSERT_NE(policy->ticket_cipher, nullptr);
  EXPECT_STREQ(EVP_CIPHER_get0_name(policy->ticket_cipher), "AES-256-CBC");
}

TEST(TlsPolicy, TheLevelChoosesProtocolsAndCiphers) {
  const std::string parameters =
      "tls_high_cipherlist = H\ntls_medium_cipherlist = M\nsmtpd_tls_ciphers = medium\n"
      "smtpd_tls_mandatory_ciphers = high\nsmtpd_tls_exclude_ciphers = MD5\n"
      "smtpd_tls_mandatory_exclude_ciphers = RC4\nsmtpd_tls_mandatory_protocols = >=TLSv1.2\n";
  TableFixture may("smtpd_tls_security_level = may\n" + parameters);
  TableFixture encrypt("smtpd_tls_security_level = encrypt\nsmtpd_tls_req_ccert = yes\n" + parameters);
  const Result<TlsPolicy> at_may = TlsPolicy::read(may.settings, may.warnings);
  const Result<TlsPolicy> at_encrypt = TlsPolicy::read(encrypt.settings, encrypt.warnings);
  ASSERT_TRUE(at_may);
  ASSERT_TRUE(at_encrypt);
  EXPECT_EQ(at_may->cipher_list, "M:!MD5");
  EXPECT_EQ(at_may->protocols.minimum, TLS1_VERSION);
  EXPECT_EQ(at_encrypt->cipher_list, "H:!MD5:!RC4:!aNULL");
  EXPECT_EQ(at_encrypt->protocols.minimum, TLS1_2_VERSION);
  EXPECT_TRUE(at_encrypt->asks_certificate);
  EXPECT_TRUE(at_encrypt->requires_certificate);
}

TEST(TlsPolicy, WhatIsReported) {
  struct Case {
    std::string_view main_cf;
    Texts warned;
  };
  const Case cases[] = {
      {"smtpd_tls_req_ccert = yes\n", {"Can't require client certs unless TLS is required"}},
      {"tls_session_ticket_cipher = bogus\n",
       {"tls_session_ticket_cipher: invalid value: bogus; session tickets disabled"}},
      {"tls_session_ticket_cipher = aes-128-gcm\n",
       {"tls_session_ticket_cipher: invalid value: aes-128-gcm; session tickets disabled"}},
      {"tls_session_ticket_cipher = aes-128-cbc\n", {}},
      {"tls_session_ticket_cipher =\n", {}},
      {"smtpd_tls_protocols = bogus\n",
       {"error: Invalid TLS protocol list \"bogus\": disabling TLS support"}},
      {"smtpd_tls_mandatory_protocols = bogus\n", {}},
      {"smtpd_tls_ciphers = bogus\n", {"error: invalid cipher grade: \"bogus\""}},
      {"smtpd_tls_fingerprint_digest = bogus\n",
       {"Digest algorithm \"bogus\" not found", "error: disabling TLS support"}},
  };
  for (const Case& c : cases) {
    TableFixture fixture("smtpd_tls_security_level = may\n" + std::string(c.main_cf));
    const Result<TlsPolicy> policy = TlsPolicy::read(fixture.settings, fixture.warnings);
    Texts warned = fixture.warned();
    if (!policy) warned.push_back("error: " + policy.error().message);
    EXPECT_EQ(warned, c.warned) << c.main_cf;
  }
}

TEST(TlsPolicy, LifetimesOfSessions) {
  struct Case {
    std::string_view timeout;
    long expected;
  };
  for (const Case& c : {Case{"30s", 120}, Case{"1h", 3600}, Case{"0", 0}, Case{"100d", 8640000}}) {
    TableFixture fixture(
        "smtpd_tls_security_level = may\nsmtpd_tls_session_cache_timeout = " + std::string(c.timeout) + "\n");
    const Result<TlsPolicy> policy = TlsPolicy::read(fixture.settings, fixture.warnings);
    ASSERT_TRUE(policy) << c.timeout;
    EXPECT_EQ(policy->session_lifetime.count(), c.expected) << c.timeout;
    EXPECT_EQ(policy->ticket_cipher == nullptr, c.expected == 0) << c.timeout;
  }
}

}  // namespace
}  // namespace mta
