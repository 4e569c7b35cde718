#include "tools/mta/tls/tls_facts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/tools/mta/tls_server_fixture.h"

namespace mta {
namespace {

using postkit_test::certificate_pem;
using postkit_test::chain_pem;
using postkit_test::Identities;
using postkit_test::Identity;
using postkit_test::make_ed25519_key;
using postkit_test::make_identity;
using postkit_test::make_rsa_key;
using postkit_test::shake_hands;
using postkit_test::TlsClient;
using postkit_test::TlsOutcome;
using postkit_test::TlsServer;
using Texts = std::vector<std::string>;

// Texts are those of Postfix 3.7; see tests/integration/tls_policy_test.py.

TlsOutcome negotiate(TlsServer& server, std::string_view main_cf, const TlsClient& client = {}) {
  server.set(main_cf);
  const auto context = server.load();
  EXPECT_TRUE(context) << main_cf << (context ? "" : context.error().message);
  return context ? shake_hands(**context, client) : TlsOutcome{};
}

TEST(TlsFacts, TheCommentsOfReceivedHeaders) {
  TlsServer server;
  server.write("ed.pem", chain_pem(make_identity(make_ed25519_key(), {.common_name = "ed"})));
  const Identities& made = Identities::get();
  const std::string asks = "smtpd_tls_ask_ccert = yes\nsmtpd_tls_CAfile = @ca.pem\n";
  struct Case {
    std::string main_cf;
    TlsClient client;
    std::string_view expected;
  };
  const Case cases[] = {
      {"",
       {},
       "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
       "\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)\n"
       "\t(No client certificate requested)"},
      {"",
       {.maximum = TLS1_2_VERSION},
       "(using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits))\n"
       "\t(No client certificate requested)"},
      {"",
       {.maximum = TLS1_2_VERSION, .ciphers = "AES128-SHA"},
       "(using TLSv1.2 with cipher AES128-SHA (128/128 bits))\n\t(No client certificate requested)"},
      {"smtpd_tls_chain_files = @ec.pem\n",
       {.groups = "P-521"},
       "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
       "\t key-exchange ECDHE (secp521r1) server-signature ECDSA (prime256v1) server-digest SHA256)\n"
       "\t(No client certificate requested)"},
      {"smtpd_tls_chain_files = @ed.pem\n",
       {.groups = "X448"},
       "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
       "\t key-exchange X448 server-signature ED25519)\n"
       "\t(No client certificate requested)"},
      {asks,
       {},
       "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
       "\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)\n"
       "\t(Client did not present a certificate)"},
      {asks,
       {.identity = &made.client},
       "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
       "\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256\n"
       "\t client-signature RSA-PSS (2048 bits) client-digest SHA256)\n"
       "\t(Client CN \"client.example.org\", Issuer \"Test CA\" (verified OK))"},
      {asks,
       {.maximum = TLS1_2_VERSION, .identity = &made.self_signed},
       "(using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits))\n"
       "\t(Client CN \"self signed\", Issuer \"self signed\" (not verified))"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(received_tls_comment(negotiate(server, c.main_cf, c.client).facts), c.expected) << c.main_cf;
}

TEST(TlsFacts, AResumedSessionHasNoDigest) {
  TlsServer server;
  const auto context = server.load();
  ASSERT_TRUE(context);
  const TlsOutcome first = shake_hands(**context);
  const TlsOutcome second = shake_hands(**context, {.session = first.session.get()});
  EXPECT_EQ(tls_summary(second.facts),
            "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature "
            "RSA-PSS (2048 bits)");
}

TEST(TlsFacts, NamesOfCertificates) {
  const Identities& made = Identities::get();
  const Identity by_organization =
      make_identity(make_rsa_key(), {.organization = "Only Org", .is_authority = true});
  struct Case {
    std::string_view description;
    Identity identity;
    std::string_view subject_cn;
    std::string_view issuer_cn;
    std::string_view comment;
    Texts warned = {};
  };
  const auto issued = [&](std::string name, const Identity& issuer) {
    return make_identity(postkit_test::make_ec_key(), {.common_name = std::move(name), .organization = "O"},
                         &issuer);
  };
  const Case cases[] = {
      {"plain", issued("client", made.authority), "client", "Test CA",
       "(Client CN \"client\", Issuer \"Test CA\""},
      {"no CN", issued("", made.authority), "", "Test CA", "(Client CN \"\", Issuer \"Test CA\""},
      {"UTF-8", issued("\xc3\x9cn", made.authority), "\xc3\x9cn", "Test CA",
       "(Client CN \"??n\", Issuer \"Test CA\""},
      {"punctuation", issued(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", made.authority),
       " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "Test CA",
       "(Client CN \" !\"#$%&'()*+,-./:;<=>?@[?]^_`{|}~\", Issuer \"Test CA\""},
      {"issuer without CN", issued("client", by_organization), "client", "Only Org",
       "(Client CN \"client\", Issuer \"Only Org\""},
      {"control character",
       issued("a\tb", made.authority),
       "",
       "Test CA",
       "(Client CN \"\", Issuer \"Test CA\"",
       {"tls_text_name: client.example.org[192.0.2.7]: non-printable content in peer subject CN"}},
  };
  TlsServer server;
  for (const Case& c : cases) {
    const TlsOutcome outcome = negotiate(server, "smtpd_tls_ask_ccert = yes\n", {.identity = &c.identity});
    ASSERT_TRUE(outcome.is_complete) << c.description;
    EXPECT_EQ(outcome.facts.subject_cn, c.subject_cn) << c.description;
    EXPECT_EQ(outcome.facts.issuer_cn, c.issuer_cn) << c.description;
    EXPECT_NE(received_tls_comment(outcome.facts).find(c.comment), std::string::npos)
        << c.description << received_tls_comment(outcome.facts);
    EXPECT_EQ(outcome.log, c.warned) << c.description;
  }
}

TEST(TlsFacts, Fingerprints) {
  TlsServer server;
  const Identities& made = Identities::get();
  const TlsOutcome outcome = negotiate(
      server, "smtpd_tls_ask_ccert = yes\nsmtpd_tls_fingerprint_digest = sha1\n", {.identity = &made.client});
  server.write("client.pem", certificate_pem(made.client.certificate.get()));
  const auto output_of = [](const std::string& command) {
    std::string text;
    std::array<char, 256> buffer{};
    FILE* pipe = ::popen(command.c_str(), "r");
    while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) text += buffer.data();
    ::pclose(pipe);
    text = text.substr(text.find('=') + 1);
    return text.substr(text[0] == ' ' ? 1 : 0, text.find('\n') - (text[0] == ' ' ? 1 : 0));
  };
  // The commands are those of postconf(5), smtpd_tls_fingerprint_digest.
  const std::string file = server.path("client.pem");
  EXPECT_EQ(outcome.facts.certificate_fingerprint,
            output_of("openssl x509 -noout -fingerprint -sha1 -in " + file));
  std::string key = output_of("openssl x509 -in " + file +
                              " -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha1 -c");
  std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::toupper(c); });
  EXPECT_EQ(outcome.facts.public_key_fingerprint, key);
}

TEST(TlsLog, OneLineAtLevelOneAndNoneAtLevelZero) {
  TlsServer server;
  EXPECT_EQ(negotiate(server, "").log, Texts());
  EXPECT_EQ(
      negotiate(server, "smtpd_tls_loglevel = 1\n").log,
      (Texts{"Anonymous TLS connection established from client.example.org[192.0.2.7]: TLSv1.3 with cipher "
             "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 "
             "bits) server-digest SHA256"}));
  EXPECT_EQ(
      negotiate(server, "smtpd_tls_loglevel = 1\ntls_server_sni_maps = inline:{a.example=@rsa.pem}\n",
                {.maximum = TLS1_2_VERSION, .server_name = "a.example"})
          .log,
      (Texts{"Anonymous TLS connection established from client.example.org[192.0.2.7] to a.example: TLSv1.2 "
             "with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)"}));
}

TEST(TlsLog, WhyACertificateThatIsRequiredIsNotTrusted) {
  const Identities& made = Identities::get();
  const Identity unknown = make_identity(make_rsa_key(), {.organization = "Only Org", .is_authority = true});
  const Identity stranger = make_identity(make_rsa_key(), {.common_name = "by org"}, &unknown);
  const Identity expired = make_identity(
      make_rsa_key(), {.common_name = "old", .valid_from = -7200, .valid_until = -3600}, &made.authority);
  const Identity early =
      make_identity(make_rsa_key(), {.common_name = "early", .valid_from = 3600}, &made.authority);
  const Identity server_only = make_identity(
      make_rsa_key(), {.common_name = "server", .extended_key_usage = "serverAuth"}, &made.authority);
  const Identity middle =
      make_identity(make_rsa_key(), {.common_name = "Middle", .is_authority = true}, &made.authority);
  const Identity deep = make_identity(make_rsa_key(), {.common_name = "deep"}, &middle);
  const std::string from = "client.example.org[192.0.2.7]: ";
  struct Case {
    std::string_view main_cf;
    const Identity* identity;
    const Identity* issuer;
    std::string problem;  ///< Empty: trusted.
  };
  const Case cases[] = {
      {"", &made.client, nullptr, ""},
      {"", &made.self_signed, nullptr,
       "certificate verification failed for " + from + "self-signed certificate"},
      {"", &stranger, nullptr,
       "certificate verification failed for " + from + "untrusted issuer /O=Only Org"},
      {"", &stranger, &unknown,
       "certificate verification failed for " + from + "untrusted issuer /O=Only Org"},
      {"", &expired, nullptr,
       "client certificate verification failed for " + from + "certificate has expired"},
      {"", &early, nullptr,
       "client certificate verification failed for " + from + "certificate not yet valid"},
      {"", &server_only, nullptr,
       "certificate verification failed for " + from + "not designated for use as a client certificate"},
      {"smtpd_tls_ccert_verifydepth = 0\n", &deep, &middle, ""},
  };
  TlsServer server;
  for (const Case& c : cases) {
    TlsOutcome outcome = negotiate(server,
                                   "smtpd_tls_security_level = encrypt\nsmtpd_tls_req_ccert = yes\n"
                                   "smtpd_tls_CAfile = @ca.pem\nsmtpd_tls_loglevel = 1\n" +
                                       std::string(c.main_cf),
                                   {.identity = c.identity, .issuer = c.issuer});
    ASSERT_TRUE(outcome.is_complete) << c.problem;
    EXPECT_EQ(outcome.facts.is_trusted, c.problem.empty()) << c.problem;
    ASSERT_FALSE(outcome.log.empty());
    EXPECT_TRUE(outcome.log.back().starts_with(c.problem.empty() ? "Trusted TLS" : "Untrusted TLS"))
        << outcome.log.back();
    outcome.log.pop_back();
    EXPECT_EQ(outcome.log, c.problem.empty() ? Texts() : Texts{c.problem});
  }
}

TEST(TlsLog, LevelTwoTellsOfTheHandshake) {
  TlsServer server;
  const TlsOutcome outcome = negotiate(server,
                                       "smtpd_tls_loglevel = 2\nsmtpd_tls_ask_ccert = yes\nsmtpd_tls_CAfile "
                                       "= @ca.pem\ntls_medium_cipherlist = HIGH\n",
                                       {.minimum = TLS1_3_VERSION, .identity = &Identities::get().client});
  Texts log = outcome.log;
  ASSERT_FALSE(log.empty());
  log.pop_back();
  const std::string from = "client.example.org[192.0.2.7]: ";
  EXPECT_EQ(log, (Texts{"setting up TLS connection from client.example.org[192.0.2.7]",
                        from + "TLS cipher list \"HIGH:!aNULL\"",
                        "SSL_accept:before SSL initialization",
                        "SSL_accept:before SSL initialization",
                        "SSL_accept:SSLv3/TLS read client hello",
                        "SSL_accept:SSLv3/TLS write server hello",
                        "SSL_accept:SSLv3/TLS write change cipher spec",
                        "SSL_accept:TLSv1.3 write encrypted extensions",
                        "SSL_accept:SSLv3/TLS write certificate request",
                        "SSL_accept:SSLv3/TLS write certificate",
                        "SSL_accept:TLSv1.3 write server certificate verify",
                        "SSL_accept:SSLv3/TLS write finished",
                        "SSL_accept:TLSv1.3 early data",
                        "SSL_accept:TLSv1.3 early data",
                        from + "depth=1 verify=1 subject=/O=Example/CN=Test CA",
                        from + "depth=0 verify=1 subject=/CN=client.example.org",
                        "SSL_accept:SSLv3/TLS read client certificate",
                        "SSL_accept:SSLv3/TLS read certificate verify",
                        "SSL_accept:SSLv3/TLS read finished",
                        from + "Issuing session ticket, key expiration: 1000003600",
                        "SSL_accept:SSLv3/TLS write session ticket",
                        "subject=/CN=client.example.org",
                        "issuer=/O=Example/CN=Test CA",
                        from + "subject_CN=client.example.org, issuer=Test CA, fingerprint=" +
                            outcome.facts.certificate_fingerprint +
                            ", pkey_fingerprint=" + outcome.facts.public_key_fingerprint}));
}

}  // namespace
}  // namespace mta
