#include "tools/mta/tls/tls_library.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <array>
#include <limits>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;

struct LibraryError {
  unsigned long code = 0;
  const char* file = nullptr;
  const char* function = nullptr;
  int line = 0;
  std::string data;
};

std::vector<LibraryError> take_errors() {
  std::vector<LibraryError> errors;
  LibraryError error;
  const char* data = nullptr;
  int flags = 0;
  while ((error.code = ERR_get_error_all(&error.file, &error.line, &error.function, &data, &flags)) != 0) {
    error.data = (flags & ERR_TXT_STRING) != 0 && data != nullptr ? data : "";
    errors.push_back(error);
  }
  return errors;
}

std::vector<std::string> describe(const std::vector<LibraryError>& errors) {
  std::vector<std::string> texts;
  for (const LibraryError& error : errors) {
    std::array<char, 256> text{};
    ERR_error_string_n(error.code, text.data(), text.size());
    texts.push_back(concat("TLS library problem: ", text.data(), ":", error.file == nullptr ? "" : error.file,
                           ":", std::to_string(error.line), ":", error.data, error.data.empty() ? "" : ":"));
  }
  return texts;
}

using InitSettings = std::unique_ptr<OPENSSL_INIT_SETTINGS, OpenSslFree<OPENSSL_INIT_free>>;

}  // namespace

BioHandle memory_bio(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  return BioHandle(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::vector<std::string> take_library_problems() { return describe(take_errors()); }

std::vector<std::string> library_problems() {
  const std::vector<LibraryError> errors = take_errors();
  for (const LibraryError& error : errors) {
    ERR_new();
    ERR_set_debug(error.file, error.line, error.function);
    ERR_set_error(ERR_GET_LIB(error.code), ERR_GET_REASON(error.code), "%s", error.data.c_str());
  }
  return describe(errors);
}

void report_library_problems(DiagnosticSink& sink) {
  for (std::string& problem : take_library_problems()) sink.warn("tls-library", std::move(problem));
}

Result<void> start_tls_library(const libconf::Settings& settings, DiagnosticSink& sink) {
  Result<std::string> file = settings.get("tls_config_file");
  if (!file) return file.error();
  Result<std::string> name = settings.get("tls_config_name");
  if (!name) return name.error();
  if (*file == "none") {
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    return {};
  }
  const bool is_default = *file == "default";
  const InitSettings init(OPENSSL_INIT_new());
  if (!name->empty()) OPENSSL_INIT_set_config_appname(init.get(), name->c_str());
  if (!is_default) {
    OPENSSL_INIT_set_config_filename(init.get(), file->c_str());
    // A file that was asked for must be there, and have the section that was asked for.
    OPENSSL_INIT_set_config_file_flags(init.get(), 0);
  }
  if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, init.get()) == 1 || is_default) return {};
  report_library_problems(sink);
  return libconf::configuration_error(concat("error loading the '", name->empty() ? "global" : *name,
                                             "' settings from the ", *file,
                                             " OpenSSL configuration file, disabling TLS support"));
}

}  // namespace mta
