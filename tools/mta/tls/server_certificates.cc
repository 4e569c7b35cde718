#include "tools/mta/tls/server_certificates.h"

#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "libconf/text.h"
#include "tools/mta/tls/certificate_chain.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Settings;

constexpr std::string_view kDisabling = ": disabling TLS support";

/// One pair of the parameters that are older than smtpd_tls_chain_files, without their prefix.
struct LegacyParameters {
  std::string_view algorithm;
  std::string_view certificate;
  std::string_view key;
};

constexpr std::array kLegacy = {
    LegacyParameters{"RSA", "cert_file", "key_file"},
    LegacyParameters{"ECDSA", "eccert_file", "eckey_file"},
    LegacyParameters{"DSA", "dcert_file", "dkey_file"},
};

/// Certificate and key of one algorithm.
struct KeyPairFiles {
  std::string_view algorithm;
  std::string certificate;
  std::string key;
};

Error open_error(const std::string& file) {
  return libconf::configuration_error(concat("error opening chain file: ", file, ": ", std::strerror(errno)));
}

Error load_error(std::string_view files) {
  return libconf::configuration_error(
      concat("error loading private keys and certificates from: ", files, kDisabling));
}

Result<void> load_chain_files(SSL_CTX* context, const std::string& files, DiagnosticSink& sink) {
  ChainReader chains(ChainOrder::kKeyFirst, install_in(context), sink);
  std::string_view rest = files;
  while (const std::optional<std::string_view> word = libconf::next_word(rest, libconf::kListSeparators)) {
    const std::string file(*word);
    const BioHandle bio(BIO_new_file(file.c_str(), "r"));
    if (bio == nullptr) {
      const Error error = open_error(file);
      take_library_problems();
      return error;
    }
    if (!chains.read(file, bio.get())) return load_error(files);
  }
  if (!chains.finish()) return load_error(files);
  return {};
}

Result<void> load_combined_file(SSL_CTX* context, const std::string& file, DiagnosticSink& sink) {
  const BioHandle bio(BIO_new_file(file.c_str(), "r"));
  if (bio == nullptr) {
    const Error error = open_error(file);
    take_library_problems();
    return error;
  }
  ChainReader chains(ChainOrder::kAny, install_in(context), sink);
  if (!chains.read(file, bio.get()) || !chains.finish()) return load_error(file);
  return {};
}

Result<void> load_separate_files(SSL_CTX* context, const KeyPairFiles& files, DiagnosticSink& sink) {
  const auto refused = [&](std::string_view what, const std::string& file) {
    report_library_problems(sink);
    return libconf::configuration_error(
        concat("cannot get ", files.algorithm, " ", what, " from file \"", file, "\"", kDisabling));
  };
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return refused("certificate", files.certificate);
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return refused("private key", files.key);
  if (SSL_CTX_check_private_key(context) == 1) return {};
  take_library_problems();
  return libconf::configuration_error(concat(files.algorithm, " private key in ", files.key,
                                             " does not match public key in ", files.certificate,
                                             kDisabling));
}

using LegacyFiles = std::array<KeyPairFiles, kLegacy.size()>;

Result<LegacyFiles> read_legacy(std::string_view prefix, const Settings& settings) {
  LegacyFiles all;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Result<std::string> certificate = settings.get(concat(prefix, kLegacy[i].certificate));
    if (!certificate) return certificate.error();
    Result<std::string> key = settings.get(concat(prefix, kLegacy[i].key));
    if (!key) return key.error();
    all[i] = {kLegacy[i].algorithm, std::move(*certificate), std::move(*key)};
  }
  return all;
}

bool has_any(const LegacyFiles& legacy) {
  return std::any_of(legacy.begin(), legacy.end(),
                     [](const KeyPairFiles& files) { return !files.certificate.empty(); });
}

}  // namespace

Result<bool> names_certificate(std::string_view prefix, const Settings& settings) {
  const Result<std::string> chain_files = settings.get(concat(prefix, "chain_files"));
  if (!chain_files) return chain_files.error();
  const Result<LegacyFiles> legacy = read_legacy(prefix, settings);
  if (!legacy) return legacy.error();
  return !chain_files->empty() || has_any(*legacy);
}

Result<bool> load_certificates(SSL_CTX* context, std::string_view prefix, const Settings& settings,
                               DiagnosticSink& sink) {
  const Result<std::string> chain_files = settings.get(concat(prefix, "chain_files"));
  if (!chain_files) return chain_files.error();
  Result<LegacyFiles> legacy = read_legacy(prefix, settings);
  if (!legacy) return legacy.error();
  const bool has_legacy = has_any(*legacy);

  if (!chain_files->empty()) {
    if (has_legacy)
      sink.warn("tls-legacy-files",
                concat("Both ", prefix, "chain_files and one or more of the legacy  ", prefix, "cert_file, ",
                       prefix, "eccert_file or ", prefix,
                       "dcert_file are non-empty; the legacy  parameters will be ignored"));
    Result<void> loaded = load_chain_files(context, *chain_files, sink);
    if (!loaded) return loaded.error();
    return true;
  }
  if (legacy->front().certificate == "none") legacy->front().certificate.clear();
  bool is_any_loaded = false;
  for (const KeyPairFiles& files : *legacy) {
    if (files.certificate.empty()) continue;
    Result<void> loaded = files.certificate == files.key
                              ? load_combined_file(context, files.certificate, sink)
                              : load_separate_files(context, files, sink);
    if (!loaded) return loaded.error();
    is_any_loaded = true;
  }
  return is_any_loaded;
}

Result<void> load_authorities(SSL_CTX* context, std::string_view prefix, const Settings& settings,
                              bool asks_certificate, DiagnosticSink& sink) {
  const Result<std::string> file = settings.get(concat(prefix, "CAfile"));
  if (!file) return file.error();
  const Result<std::string> path = settings.get(concat(prefix, "CApath"));
  if (!path) return path.error();
  const Result<bool> appends_default = settings.get_bool("tls_append_default_CA");
  if (!appends_default) return appends_default.error();

  const char* file_name = file->empty() ? nullptr : file->c_str();
  const char* path_name = path->empty() ? nullptr : path->c_str();
  if ((file_name != nullptr || path_name != nullptr) &&
      SSL_CTX_load_verify_locations(context, file_name, path_name) != 1) {
    report_library_problems(sink);
    return libconf::configuration_error(concat(
        "cannot load Certification Authority data, ", file->empty() ? "" : concat("CAfile=\"", *file, "\""),
        file->empty() || path->empty() ? "" : ", ", path->empty() ? "" : concat("CApath=\"", *path, "\""),
        kDisabling));
  }
  if (*appends_default) SSL_CTX_set_default_verify_paths(context);
  if (asks_certificate && file_name != nullptr)
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(file_name));
  take_library_problems();
  return {};
}

void load_dh_parameters(SSL_CTX* context, const std::string& file, DiagnosticSink& sink) {
  SSL_CTX_set_dh_auto(context, 1);
  if (file.empty()) return;
  const BioHandle bio(BIO_new_file(file.c_str(), "r"));
  if (bio == nullptr) {
    sink.warn("dh-parameters", concat("error opening DH parameter file \"", file,
                                      "\": ", std::strerror(errno), " -- using compiled-in defaults"));
    take_library_problems();
    return;
  }
  KeyHandle parameters(PEM_read_bio_Parameters(bio.get(), nullptr));
  if (parameters == nullptr || SSL_CTX_set0_tmp_dh_pkey(context, parameters.get()) != 1) {
    sink.warn("dh-parameters",
              concat("error decoding DH parameters from file \"", file, "\" -- using compiled-in defaults"));
    report_library_problems(sink);
    return;
  }
  parameters.release();
}

}  // namespace mta
