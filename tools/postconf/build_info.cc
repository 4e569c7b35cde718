#include "tools/postconf/build_info.h"

#include <dlfcn.h>

#include <memory>
#include <span>

#include "libconf/text.h"
#include "libmaps/open.h"

#if __has_include(<openssl/opensslv.h>)
#include <openssl/opensslv.h>
#endif

namespace postconf {
namespace {

using libconf::concat;
using libconf::Result;

#ifdef OPENSSL_VERSION_TEXT
constexpr std::string_view kOpensslCompileVersion = OPENSSL_VERSION_TEXT;
#else
constexpr std::string_view kOpensslCompileVersion = "built without OpenSSL";
#endif

constexpr std::string_view kSaslServerTypes[] = {"cyrus", "dovecot"};
constexpr std::string_view kSaslClientTypes[] = {"cyrus"};
constexpr std::string_view kLockTypes[] = {"flock", "fcntl", "dotlock"};
constexpr std::string_view kPublicKeyAlgorithms[] = {"dsa", "ecdsa", "rsa"};

int list(std::span<const std::string_view> words, Console& console) {
  for (std::string_view word : words) console.out += concat(word, "\n");
  return 0;
}

/// Asks the OpenSSL library of this host, which need not be the one of the build host, and may be absent.
Result<std::string> openssl_run_version() {
  const auto error = [](std::string_view what) {
    return libconf::Error{.kind = libconf::ErrorKind::kUnsupported,
                          .message = concat("-T run-version: ", what)};
  };
  const std::unique_ptr<void, int (*)(void*)> library(::dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL),
                                                      ::dlclose);
  if (!library) return error("no OpenSSL 3 library on this host");
  using VersionFunction = const char* (*)(int);
  const auto version = reinterpret_cast<VersionFunction>(::dlsym(library.get(), "OpenSSL_version"));
  if (version == nullptr) return error("the OpenSSL library does not tell its version");
  return std::string(version(0));
}

Result<int> show_tls(const Options& options, Console& console) {
  if (options.tls_mode == "compile-version") {
    console.out += concat(kOpensslCompileVersion, "\n");
    return 0;
  }
  if (options.tls_mode == "run-version") {
    const Result<std::string> version = openssl_run_version();
    if (!version) return version.error();
    console.out += *version + "\n";
    return 0;
  }
  if (options.tls_mode == "public-key-algorithms") return list(kPublicKeyAlgorithms, console);
  console.warnings.warn("unknown-tls-mode", concat("unknown 'postconf -T' mode: ", options.tls_mode));
  return 1;
}

}  // namespace

Result<int> show_build_info(const Options& options, Console& console) {
  if (options.has('a')) return list(kSaslServerTypes, console);
  if (options.has('A')) return list(kSaslClientTypes, console);
  if (options.has('l')) return list(kLockTypes, console);
  if (options.has('m')) {
    for (const libmaps::TableType& type : libmaps::table_types())
      if (libmaps::is_installed(type)) console.out += concat(type.name, "\n");
    return 0;
  }
  return show_tls(options, console);
}

}  // namespace postconf
