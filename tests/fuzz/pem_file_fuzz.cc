// Files of certificates and keys.
#include "tests/fuzz/property.h"
#include "tools/postlint/pem_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const postlint::PemFile file = postlint::parse_pem(as_text(data, size));
  require(file.is_readable, "a text can be read");
  for (const auto& certificate : file.certificates) {
    static_cast<void>(postlint::days_left(certificate.get()));
    require(!postlint::end_date(certificate.get()).empty(), "a certificate has an end");
  }
  return 0;
}
