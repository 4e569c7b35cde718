#include "tools/mta/tls/server_context.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/tools/mta/tls_server_fixture.h"

namespace mta {
namespace {

using postkit_test::certificate_pem;
using postkit_test::chain_pem;
using postkit_test::Identities;
using postkit_test::key_pem;
using postkit_test::shake_hands;
using postkit_test::TlsClient;
using postkit_test::TlsOutcome;
using postkit_test::TlsServer;
using Texts = std::vector<std::string>;

// Messages are those of Postfix 3.7 with the same files; see tests/integration/tls_policy_test.py.

constexpr std::string_view kMismatch =
    "TLS library problem: error:0A000120:SSL routines::private key mismatch:../ssl/ssl_rsa.c:983:";

/// Without the place in OpenSSL's source, which changes with its versions.
Texts without_places(Texts messages) {
  for (std::string& message : messages) {
    if (message.starts_with("TLS library problem"))
      message.resize(std::min(message.find(":../"), message.size()));
  }
  return messages;
}

TEST(ServerCertificates, WhatIsLoadedAndWhatIsReported) {
  const Identities& made = Identities::get();
  TlsServer server;
  server.write("rsa.key", key_pem(made.rsa.key.get()));
  server.write("rsa.crt", certificate_pem(made.rsa.certificate.get()));
  server.write("other.key", key_pem(made.other_rsa.key.get()));
  server.write("ec.key", key_pem(made.ec.key.get()));
  server.write("ec.crt", certificate_pem(made.ec.certificate.get()));
  server.write("certificate-first", certificate_pem(made.rsa.certificate.get()) +
                                        key_pem(made.rsa.key.get()) +
                                        certificate_pem(made.authority.certificate.get()));
  server.write("two-keys", chain_pem(made.rsa) + chain_pem(made.ec));
  server.write("key-twice", key_pem(made.rsa.key.get()) + chain_pem(made.rsa));
  server.write("with-text", "Some text\n" + chain_pem(made.rsa) + "more text");
  server.write(
      "with-parameters",
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + chain_pem(made.ec));
  server.write("cut", chain_pem(made.rsa).substr(0, 1000));
  server.write("nothing", "1234\n");
  server.write("bad-key", "-----BEGIN PRIVATE KEY-----\nMAVoZWxsbw==\n-----END PRIVATE KEY-----\n");
  server.write(
      "bad-certificate",
      key_pem(made.rsa.key.get()) + "-----BEGIN CERTIFICATE-----\nMAVoZWxsbw==\n-----END CERTIFICATE-----\n");
  const std::string disabling = ": disabling TLS support";
  const std::string loading = "error: error loading private keys and certificates from: ";
  const std::string none = "smtpd_tls_chain_files =\n";
  struct Case {
    std::string main_cf;
    Texts reported;
  };
  const Case cases[] = {
      {"", {}},
      {"smtpd_tls_chain_files = @rsa.pem, @ec.pem\n", {}},
      {"smtpd_tls_chain_files = @rsa.key, @rsa.crt, @ec.pem\n", {}},
      {"smtpd_tls_chain_files = @two-keys\n", {}},
      {"smtpd_tls_chain_files = @with-text\n", {}},
      {"smtpd_tls_chain_files = @with-parameters\n",
       {"loading @with-parameters: ignoring PEM type: EC PARAMETERS"}},
      {none, {"error: No server certs available. TLS won't be enabled"}},
      {none + "smtpd_tls_key_file = @rsa.key\n", {"error: No server certs available. TLS won't be enabled"}},
      {none + "smtpd_tls_cert_file = none\n", {}},
      {none + "smtpd_tls_cert_file = none\nsmtpd_tls_ask_ccert = yes\n",
       {"Need a server cert to request client certs",
        "error: No server certs available. TLS won't be enabled"}},
      {"smtpd_tls_chain_files = @missing\n",
       {"error: error opening chain file: @missing: No such file or directory"}},
      {"smtpd_tls_chain_files = @rsa.crt\n",
       {"error loading chain from @rsa.crt: key not first", loading + "@rsa.crt" + disabling}},
      {"smtpd_tls_chain_files = @rsa.key\n",
       {"No certs for key at index 1 in @rsa.key", loading + "@rsa.key" + disabling}},
      {"smtpd_tls_chain_files = @rsa.pem,@ec.key\n",
       {"No certs for key at index 1 in @ec.key", loading + "@rsa.pem,@ec.key" + disabling}},
      {"smtpd_tls_chain_files = @other.key,@rsa.crt\n",
       {"key at index 1 in @other.key does not match next certificate", std::string(kMismatch),
        loading + "@other.key,@rsa.crt" + disabling}},
      {"smtpd_tls_chain_files = @rsa.pem,@other.pem\n",
       {"key at index 1 in @other.pem does not match next certificate",
        "TLS library problem: error:0A000121:SSL routines::not replacing certificate",
        loading + "@rsa.pem,@other.pem" + disabling}},
      {"smtpd_tls_chain_files = @key-twice\n",
       {"error loading certificate chain: key at index 1 in @key-twice not followed by a certificate",
        loading + "@key-twice" + disabling}},
      {"smtpd_tls_chain_files = @cut\n",
       {"TLS library problem: error:04800066:PEM routines::bad end line", loading + "@cut" + disabling}},
      {"smtpd_tls_chain_files = @nothing\n", {"No PEM data in @nothing", loading + "@nothing" + disabling}},
      {"smtpd_tls_cert_file = @rsa.pem\n",
       {"Both smtpd_tls_chain_files and one or more of the legacy  smtpd_tls_cert_file, "
        "smtpd_tls_eccert_file "
        "or smtpd_tls_dcert_file are non-empty; the legacy  parameters will be ignored"}},
      {none + "smtpd_tls_cert_file = @certificate-first\n", {}},
      {none + "smtpd_tls_eccert_file = @ec.pem\n", {}},
      {none + "smtpd_tls_cert_file = @rsa.crt\nsmtpd_tls_key_file = @rsa.key\n", {}},
      {none + "smtpd_tls_cert_file = @rsa.crt\n",
       {"No private key found in @rsa.crt", loading + "@rsa.crt" + disabling}},
      {none + "smtpd_tls_cert_file = @two-keys\n",
       {"ignoring 2nd key at index 3 in @two-keys after 1st at 1"}},
      {none + "smtpd_tls_cert_file = @missing\n",
       {"error: error opening chain file: @missing: No such file or directory"}},
      {none + "smtpd_tls_cert_file = @rsa.crt\nsmtpd_tls_key_file = @other.key\n",
       {"TLS library problem: error:05800074:x509 certificate routines::key values mismatch",
        "error: cannot get RSA private key from file \"@other.key\"" + disabling}},
      {none + "smtpd_tls_cert_file = @rsa.crt\nsmtpd_tls_key_file = @ec.key\n",
       {"error: RSA private key in @ec.key does not match public key in @rsa.crt" + disabling}},
  };
  for (const Case& c : cases) {
    server.set(c.main_cf);
    EXPECT_EQ(without_places(server.load_messages()), without_places(c.reported)) << c.main_cf;
  }
  for (const auto& [file, what] : {std::pair{"@bad-key", "private key (PEM object number 1)"},
                                   std::pair{"@bad-certificate", "certificate (PEM object number 2)"}}) {
    server.set(std::string("smtpd_tls_chain_files = ") + file + "\n");
    const Texts reported = server.load_messages();
    ASSERT_GE(reported.size(), 3U) << file;
    EXPECT_EQ(reported.front(), std::string("error loading ") + what + " from " + file);
    EXPECT_TRUE(reported[1].starts_with("TLS library problem: error:0680009B:asn1")) << reported[1];
    EXPECT_EQ(reported.back(), loading + file + disabling);
  }
}

TEST(ServerContext, OtherFiles) {
  TlsServer server;
  struct Case {
    std::string_view main_cf;
    Texts reported;
  };
  const Case cases[] = {
      {"smtpd_tls_dh1024_param_file = auto\n", {}},
      {"smtpd_tls_dh1024_param_file = @missing\n",
       {"error opening DH parameter file \"@missing\": No such file or directory -- using compiled-in "
        "defaults"}},
      {"smtpd_tls_dh1024_param_file = @ca.pem\n",
       {"error decoding DH parameters from file \"@ca.pem\" -- using compiled-in defaults",
        "TLS library problem: error:1E08010C:DECODER routines::unsupported"}},
      {"smtpd_tls_CAfile = @ca.pem\nsmtpd_tls_CApath = @missing\n", {}},
      {"smtpd_tls_CAfile = @missing\nsmtpd_tls_CApath = @none\n",
       {"TLS library problem: error:80000002:system library::No such file or directory",
        "TLS library problem: error:10000080:BIO routines::no such file",
        "TLS library problem: error:05880002:x509 certificate routines::system lib",
        "error: cannot load Certification Authority data, CAfile=\"@missing\", CApath=\"@none\": disabling "
        "TLS "
        "support"}},
      {"tls_eecdh_auto_curves = X25519 X25519\n", {"failed to configure ECDHE curves"}},
      {"tls_medium_cipherlist = bogus\n",
       {"TLS library problem: error:0A0000B9:SSL routines::no cipher match",
        "error: error setting cipher grade: \"medium\""}},
      {"smtpd_tls_protocols = >=TLSv1, <=0x0305\n",
       {"error setting maximum TLS version to: 0x0305, which OpenSSL does not know"}},
      {"smtpd_tls_loglevel = 2\n", {"initializing the server-side TLS engine"}},
  };
  for (const Case& c : cases) {
    server.set(c.main_cf);
    EXPECT_EQ(without_places(server.load_messages()), c.reported) << c.main_cf;
  }
}

TlsOutcome negotiate(TlsServer& server, std::string_view main_cf, const TlsClient& client = {}) {
  server.set(main_cf);
  const auto context = server.load();
  EXPECT_TRUE(context) << main_cf << (context ? "" : context.error().message);
  return context ? shake_hands(**context, client) : TlsOutcome{};
}

TEST(ServerContext, ProtocolsAndCiphersThatAreNegotiated) {
  TlsServer server;
  struct Case {
    std::string_view main_cf;
    TlsClient client;
    std::string_view protocol;  ///< Empty: none.
    std::string_view cipher;
  };
  const TlsClient old{.maximum = TLS1_VERSION};
  const TlsClient anonymous{.maximum = TLS1_2_VERSION, .ciphers = "ADH:@SECLEVEL=0"};
  const TlsClient choosy{.maximum = TLS1_2_VERSION, .ciphers = "AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384"};
  const Case cases[] = {
      {"", {}, "TLSv1.3", "TLS_AES_256_GCM_SHA384"},
      {"", old, "TLSv1", "ECDHE-RSA-AES256-SHA"},
      {"smtpd_tls_protocols = >=TLSv1.2\n", old, "", ""},
      {"smtpd_tls_protocols = <=TLSv1.2\n", {}, "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"},
      {"smtpd_tls_protocols = !TLSv1.3, !TLSv1.2\n", {}, "TLSv1.1", "ECDHE-RSA-AES256-SHA"},
      {"smtpd_tls_protocols = >=TLSv1.3, <=TLSv1.2\n", {}, "", ""},
      {"", anonymous, "TLSv1.2", "ADH-AES256-GCM-SHA384"},
      {"smtpd_tls_exclude_ciphers = aNULL\n", anonymous, "", ""},
      {"smtpd_tls_ask_ccert = yes\n", anonymous, "", ""},
      {"smtpd_tls_chain_files =\nsmtpd_tls_cert_file = none\n", anonymous, "TLSv1.2",
       "ADH-AES256-GCM-SHA384"},
      {"", choosy, "TLSv1.2", "AES128-SHA"},
      {"tls_preempt_cipherlist = yes\n", choosy, "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"},
      {"smtpd_tls_exclude_ciphers = ECDHE, AES128-SHA\n", choosy, "", ""},
      {"smtpd_tls_ciphers = null\n",
       {.maximum = TLS1_2_VERSION, .ciphers = "NULL:@SECLEVEL=0"},
       "TLSv1.2",
       "ECDHE-RSA-NULL-SHA"},
  };
  for (const Case& c : cases) {
    const TlsOutcome outcome = negotiate(server, c.main_cf, c.client);
    EXPECT_EQ(outcome.is_complete, !c.protocol.empty()) << c.main_cf;
    EXPECT_EQ(outcome.facts.protocol, c.protocol) << c.main_cf;
    EXPECT_EQ(outcome.facts.cipher, c.cipher) << c.main_cf;
  }
}

TEST(ServerContext, AFailureIsLoggedWithOpenSslsReason) {
  TlsServer server;
  const TlsOutcome outcome = negotiate(server, "smtpd_tls_exclude_ciphers = aNULL\n",
                                       {.maximum = TLS1_2_VERSION, .ciphers = "ADH:@SECLEVEL=0"});
  EXPECT_EQ(without_places(outcome.log), (Texts{"SSL_accept error from client.example.org[192.0.2.7]: -1",
                                                "TLS library problem: error:0A0000C1:SSL routines::no shared "
                                                "cipher"}));
}

TEST(ServerContext, GroupsAndParametersForDiffieHellman) {
  TlsServer server;
  EXPECT_EQ(negotiate(server, "", {.groups = "P-256"}).facts.key_exchange, "ECDHE (prime256v1)");
  EXPECT_EQ(negotiate(server, "", {.groups = "ffdhe2048"}).facts.key_exchange, "DHE (2048 bits)");
  EXPECT_FALSE(negotiate(server, "tls_ffdhe_auto_groups =\n", {.groups = "ffdhe2048"}).is_complete);
  EXPECT_FALSE(negotiate(server, "tls_eecdh_auto_curves = X25519\n", {.groups = "P-256"}).is_complete);
  EXPECT_EQ(negotiate(server, "", {.maximum = TLS1_2_VERSION, .ciphers = "DHE:@SECLEVEL=0"}).facts.cipher,
            "DHE-RSA-AES256-GCM-SHA384");
}

TEST(ServerContext, SessionsAreResumedByTicketAsLongAsKeysLive) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsServer server("smtpd_tls_session_cache_timeout = 1h\nsmtpd_tls_loglevel = 2\n");
    std::time_t now = 1'000'000'000;
    const auto context = server.load([&] { return now; });
    ASSERT_TRUE(context);
    const TlsClient plain{.minimum = version, .maximum = version};
    const TlsOutcome first = shake_hands(**context, plain);
    ASSERT_TRUE(first.session != nullptr) << version;
    EXPECT_NE(std::find(first.log.begin(), first.log.end(),
                        "client.example.org[192.0.2.7]: Issuing session ticket, key expiration: 1000003600"),
              first.log.end());
    TlsClient again = plain;
    again.session = first.session.get();
    const TlsOutcome second = shake_hands(**context, again);
    EXPECT_TRUE(second.facts.is_resumed) << version;
    EXPECT_NE(
        std::find(second.log.begin(), second.log.end(),
                  "client.example.org[192.0.2.7]: Decrypting session ticket, key expiration: 1000003600"),
        second.log.end());
    now += 7200;
    const TlsOutcome third = shake_hands(**context, again);
    EXPECT_TRUE(third.is_complete) << version;
    EXPECT_FALSE(third.facts.is_resumed) << version;
  }
}

TEST(ServerContext, NoTicketsWhereTheyAreOff) {
  TlsServer server;
  for (const std::string_view main_cf : {"tls_session_ticket_cipher =\n", "tls_ssl_options = no_ticket\n",
                                         "smtpd_tls_session_cache_timeout = 0\n"}) {
    server.set(main_cf);
    const auto context = server.load();
    ASSERT_TRUE(context);
    EXPECT_EQ(shake_hands(**context).session, nullptr) << main_cf;
    const TlsClient plain{.maximum = TLS1_2_VERSION};
    const TlsOutcome first = shake_hands(**context, plain);
    TlsClient again = plain;
    again.session = first.session.get();
    EXPECT_FALSE(shake_hands(**context, again).facts.is_resumed) << main_cf;
  }
}

TEST(ServerContext, SessionIdsAsTheParameterHasThem) {
  TlsServer server;
  const TlsClient client{.maximum = TLS1_2_VERSION};
  for (const bool is_on : {true, false}) {
    const TlsOutcome outcome =
        negotiate(server,
                  is_on ? "tls_ssl_options = no_ticket\n"
                        : "tls_ssl_options = no_ticket\nsmtpd_tls_always_issue_session_ids = no\n",
                  client);
    ASSERT_TRUE(outcome.is_complete);
    EXPECT_EQ(outcome.session != nullptr, is_on);
  }
}

TEST(ServerContext, AClientIsShownTheCertificateOfTheNameThatItAsksFor) {
  TlsServer server;
  server.write("nothing", "1234\n");
  const std::string main_cf =
      "smtpd_tls_loglevel = 1\ntls_server_sni_maps = inline:{ {a.example = @other.pem}, {.b.example = "
      "@ec.pem}, "
      "{bad.example = @nothing} }\n";
  struct Case {
    std::string_view name;
    std::string_view certificate;
    std::string_view server_name;
    Texts log;  ///< Without the last line, which tells the outcome.
  };
  const Case cases[] = {
      {"a.example", "other.example.org", "a.example", {}},
      {"", "mail.example.org", "", {}},
      {"c.example",
       "mail.example.org",
       "",
       {"TLS SNI c.example from client.example.org[192.0.2.7] not matched, using default chain"}},
      {"c..example",
       "mail.example.org",
       "",
       {"TLS SNI from client.example.org[192.0.2.7] is invalid: c..example"}},
  };
  for (const Case& c : cases) {
    TlsOutcome outcome = negotiate(server, main_cf, {.server_name = std::string(c.name)});
    ASSERT_TRUE(outcome.is_complete) << c.name;
    EXPECT_EQ(outcome.server_certificate_cn, c.certificate) << c.name;
    EXPECT_EQ(outcome.facts.server_name, c.server_name) << c.name;
    outcome.log.pop_back();
    EXPECT_EQ(outcome.log, c.log) << c.name;
  }
  const TlsOutcome ec = negotiate(server, main_cf, {.server_name = "x.y.b.example"});
  EXPECT_EQ(ec.facts.server_signature.algorithm, "ECDSA (prime256v1)");
  const TlsOutcome bad = negotiate(server, main_cf, {.server_name = "bad.example"});
  EXPECT_FALSE(bad.is_complete);
  EXPECT_EQ(without_places(bad.log),
            (Texts{"No PEM data in SNI data for bad.example",
                   "error loading private keys and certificates from: SNI data for bad.example: aborting TLS "
                   "handshake",
                   "SSL_accept error from client.example.org[192.0.2.7]: -1",
                   "TLS library problem: error:0A0000EA:SSL routines::callback failed"}));
}

TEST(ServerContext, ATableThatCannotTellEndsTheHandshake) {
  TlsServer server;
  const TlsOutcome outcome =
      negotiate(server, "tls_server_sni_maps = fail:x\n", {.server_name = "a.example"});
  EXPECT_FALSE(outcome.is_complete);
  EXPECT_EQ(without_places(outcome.log), (Texts{"fail:x lookup error for \"a.example\"",
                                                "tls_server_sni_maps: a.example map lookup problem",
                                                "SSL_accept error from client.example.org[192.0.2.7]: -1",
                                                "TLS library problem: error:0A0000EA:SSL routines::callback "
                                                "failed"}));
}

}  // namespace
}  // namespace mta
