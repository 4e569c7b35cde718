// Certificates, keys and Diffie-Hellman parameters.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <functional>

#include "libconf/file.h"
#include "libconf/text.h"
#include "libmaps/base64.h"
#include "libmaps/open.h"
#include "libmaps/table_types.h"
#include "tools/postlint/pem_file.h"
#include "tools/postlint/rules/tls.h"
#include "tools/postlint/table_store.h"
#include "tools/postlint/tls_views.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;
using mta::ClientTlsLevel;
using mta::TlsLevel;

namespace {

/// A file that a setting names.
struct NamedFile {
  const Settings& settings;
  std::string parameter;
  std::string name;

  Place place(const SiteModel& site) const { return site.place_of(settings, parameter, name); }
};

/// A certificate, and the key that is used with it.
struct CertificatePair {
  NamedFile certificate;
  NamedFile key;
  bool is_server;
};

constexpr std::array<std::string_view, 3> kKinds = {"tls_", "tls_ec", "tls_d"};

void add_pairs(const Settings& settings, std::string_view prefix, std::vector<CertificatePair>& pairs) {
  const bool is_server = prefix == "smtpd_";
  const std::string chain_parameter = concat(prefix, "tls_chain_files");
  if (const std::vector<std::string> chains = words_of(settings, chain_parameter); !chains.empty()) {
    for (const std::string& file : chains) {
      const NamedFile named{settings, chain_parameter, file};
      pairs.push_back({named, named, is_server});
    }
    return;
  }
  for (const std::string_view kind : kKinds) {
    NamedFile certificate{settings, concat(prefix, kind, "cert_file"), {}};
    NamedFile key{settings, concat(prefix, kind, "key_file"), {}};
    certificate.name = value_of(settings, certificate.parameter);
    key.name = value_of(settings, key.parameter);
    if (!certificate.name.empty() && certificate.name != "none")
      pairs.push_back({std::move(certificate), std::move(key), is_server});
  }
}

/// Those of all services that use TLS.
std::vector<CertificatePair> certificate_pairs(const SiteModel& site) {
  std::vector<CertificatePair> pairs;
  for (const SmtpServer& server : site.smtp_servers())
    if (server_level(server.settings).value_or(TlsLevel::kNone) != TlsLevel::kNone)
      add_pairs(server.settings, "smtpd_", pairs);
  for (const SmtpClient& client : smtp_clients(site))
    if (client.level.value_or(ClientTlsLevel::kNone) != ClientTlsLevel::kNone)
      add_pairs(client.settings, "smtp_", pairs);
  return pairs;
}

/// A repository has no keys, and often no certificates: a file that is not beside main.cf may be on the host.
bool is_missing(const SiteModel& site, const std::string& name) {
  return site.files().is_whole_host() && site.files().state(name) == FileState::kMissing;
}

/// The file on this machine. Nothing: it is one of another host, or only another user may read it.
std::optional<PemFile> open_pem(const SiteModel& site, const std::string& name) {
  if (site.files().state(name) != FileState::kPresent) return std::nullopt;
  PemFile file = read_pem(*site.files().path(name));
  if (!file.is_readable) return std::nullopt;
  return file;
}

void for_each_certificate(const SiteModel& site,
                          const std::function<void(const CertificatePair&, const PemFile&)>& visit) {
  for (const CertificatePair& pair : certificate_pairs(site)) {
    const std::optional<PemFile> file = open_pem(site, pair.certificate.name);
    if (file && !file->certificates.empty()) visit(pair, *file);
  }
}

void check_authorities(const SiteModel& site, const Settings& settings, const std::string& parameter,
                       Findings& findings) {
  const NamedFile file{settings, parameter, value_of(settings, parameter)};
  if (file.name.empty()) return;
  if (is_missing(site, file.name))
    return findings.add(file.place(site), concat(file.name, " does not exist"));
  const std::optional<PemFile> pem = open_pem(site, file.name);
  if (pem && pem->certificates.empty() && parameter.ends_with("CAfile"))
    findings.add(file.place(site), concat(file.name, " has no certificate"));
}

void check_certificate(const SiteModel& site, const CertificatePair& pair, Findings& findings) {
  const NamedFile& named = pair.certificate;
  if (is_missing(site, named.name))
    return findings.add(named.place(site), concat(named.name, " does not exist"));
  const std::optional<PemFile> file = open_pem(site, named.name);
  if (!file) return;
  if (!file->problem.empty()) return findings.add(named.place(site), concat(named.name, ": ", file->problem));
  if (file->certificates.empty())
    return findings.add(named.place(site), concat(named.name, " has no certificate"));
  const X509* certificate = file->certificates.front().get();
  if (days_left(certificate) < 0)
    findings.add(named.place(site), concat("the certificate ended on ", end_date(certificate)));
  else if (is_not_yet_valid(certificate))
    findings.add(named.place(site), "the certificate is not valid yet");
}

void check_key(const SiteModel& site, const CertificatePair& pair, Findings& findings) {
  const NamedFile& named = pair.key;
  if (named.name.empty()) return;
  const bool is_same_file = named.name == pair.certificate.name;
  if (is_missing(site, named.name)) {
    if (!is_same_file) findings.add(named.place(site), concat(named.name, " does not exist"));
    return;
  }
  const std::optional<PemFile> file = open_pem(site, named.name);
  if (!file || (is_same_file && file->certificates.empty())) return;
  if (file->has_encrypted_key)
    findings.add(named.place(site), concat(named.name, ": a key with a passphrase cannot be used"));
  else if (file->key == nullptr)
    findings.add(named.place(site), concat(named.name, " has no private key"));
}

}  // namespace

void cert_file(const SiteModel& site, Findings& findings) {
  for (const CertificatePair& pair : certificate_pairs(site)) {
    check_certificate(site, pair, findings);
    check_key(site, pair, findings);
  }
  for (const SmtpServer& server : site.smtp_servers())
    if (server_level(server.settings).value_or(TlsLevel::kNone) != TlsLevel::kNone)
      check_authorities(site, server.settings, "smtpd_tls_CAfile", findings);
  for (const SmtpClient& client : smtp_clients(site))
    if (client.level.value_or(ClientTlsLevel::kNone) != ClientTlsLevel::kNone)
      for (const std::string_view name : {"smtp_tls_CAfile", "smtp_tls_CApath"})
        check_authorities(site, client.settings, std::string(name), findings);
}

void cert_expires_soon(const SiteModel& site, Findings& findings) {
  constexpr int kSoon = 21;  // Those who renew by program do so 30 days ahead.
  for_each_certificate(site, [&](const CertificatePair& pair, const PemFile& file) {
    const X509* certificate = file.certificates.front().get();
    const int days = days_left(certificate);
    if (days >= 0 && days < kSoon)
      findings.add(pair.certificate.place(site), concat("the certificate ends on ", end_date(certificate),
                                                        ", in ", std::to_string(days), " days"));
  });
}

void cert_key_mismatch(const SiteModel& site, Findings& findings) {
  for_each_certificate(site, [&](const CertificatePair& pair, const PemFile& file) {
    const std::optional<PemFile> key = open_pem(site, pair.key.name);
    if (!key || key->key == nullptr) return;
    const EVP_PKEY* public_key = X509_get0_pubkey(file.certificates.front().get());
    if (public_key != nullptr && EVP_PKEY_eq(public_key, key->key.get()) != 1)
      findings.add(pair.key.place(site),
                   concat("the key of ", pair.key.name, " is not that of the first certificate in ",
                          pair.certificate.name));
    ERR_clear_error();
  });
}

void cert_weak(const SiteModel& site, Findings& findings) {
  constexpr int kLeastRsaBits = 2048;
  for_each_certificate(site, [&](const CertificatePair& pair, const PemFile& file) {
    const X509* certificate = file.certificates.front().get();
    const EVP_PKEY* key = X509_get0_pubkey(certificate);
    if (key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < kLeastRsaBits)
      return findings.add(pair.certificate.place(site),
                          concat("the key has ", std::to_string(EVP_PKEY_get_bits(key)), " bits"));
    int digest = NID_undef;
    if (X509_get_signature_info(const_cast<X509*>(certificate), &digest, nullptr, nullptr, nullptr) == 1 &&
        (digest == NID_md5 || digest == NID_sha1))
      findings.add(pair.certificate.place(site), concat("the certificate is signed by ", OBJ_nid2sn(digest)));
  });
}

void cert_name(const SiteModel& site, Findings& findings) {
  for_each_certificate(site, [&](const CertificatePair& pair, const PemFile& file) {
    const std::string name = value_of(pair.certificate.settings, "myhostname");
    if (!pair.is_server || !is_set(pair.certificate.settings, "myhostname")) return;
    if (X509_check_host(file.certificates.front().get(), name.data(), name.size(), 0, nullptr) != 1)
      findings.add(pair.certificate.place(site), concat("the certificate is not for ", name));
  });
}

void tls_no_cert(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    const auto level = server_level(server.settings);
    if (!level || *level == TlsLevel::kNone) continue;
    std::vector<CertificatePair> pairs;
    add_pairs(server.settings, "smtpd_", pairs);
    const bool is_on_purpose = value_of(server.settings, "smtpd_tls_cert_file") == "none";
    if (!pairs.empty() || is_on_purpose || !words_of(server.settings, "tls_server_sni_maps").empty())
      continue;
    const std::string_view parameter =
        is_wrapper(server.settings) ? "smtpd_tls_wrappermode" : server_level_parameter(server.settings);
    findings.add(site.place_of(server.settings, parameter),
                 "TLS is on, and there is no certificate: clients get no session");
  }
}

void dh_params(const SiteModel& site, Findings& findings) {
  constexpr int kLeastBits = 2048;
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server_level(server.settings).value_or(TlsLevel::kNone) == TlsLevel::kNone) continue;
    const NamedFile file{server.settings, "smtpd_tls_dh1024_param_file",
                         value_of(server.settings, "smtpd_tls_dh1024_param_file")};
    if (file.name.empty() || file.name == "auto") continue;
    const FileState state = site.files().state(file.name);
    if (is_missing(site, file.name)) findings.add(file.place(site), concat(file.name, " does not exist"));
    if (state != FileState::kPresent) continue;
    const auto text = libconf::read_file(*site.files().path(file.name));
    if (!text) continue;
    const mta::BioHandle bio = mta::memory_bio(*text);
    const mta::KeyHandle parameters(PEM_read_bio_Parameters(bio.get(), nullptr));
    ERR_clear_error();
    if (parameters == nullptr)
      findings.add(file.place(site), concat(file.name, " has no parameters"));
    else if (EVP_PKEY_get_bits(parameters.get()) < kLeastBits)
      findings.add(file.place(site),
                   concat("the group has ", std::to_string(EVP_PKEY_get_bits(parameters.get())), " bits"));
  }
}

namespace {

/// Whether a value is what `postmap -F` stores: files with a key and its certificates, in base64.
bool is_stored_chain(std::string_view value) {
  const std::optional<std::string> text = libmaps::decode_base64(value);
  return text && text->find("-----BEGIN") != std::string::npos;
}

}  // namespace

void sni_build(const SiteModel& site, Findings& findings) {
  for (const TableUse& use : site.table_uses()) {
    if (use.parameter != "tls_server_sni_maps") continue;
    const libmaps::TableType* type = libmaps::find_table_type(use.type);
    if (type == nullptr || !type->has_index()) continue;
    if (site.files().state(concat(use.name, type->suffix)) != FileState::kPresent) continue;
    const std::span<const TableEntry> entries = site.tables().entries(use.type, use.name);
    if (entries.empty()) continue;
    libconf::DiagnosticDiscard discard;
    auto index = libmaps::open(concat(use.type, ":", *site.files().path(use.name)),
                               {.settings = site.settings(), .warnings = discard});
    if (!index) continue;
    const auto value = (*index)->lookup(entries.front().key);
    if (value && *value && !is_stored_chain(**value))
      findings.add(use.place, concat(use.name, type->suffix, " has the names of files for \"",
                                     entries.front().key, "\", not what is in them"));
  }
}

}  // namespace postlint::rules
