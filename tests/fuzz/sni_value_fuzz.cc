// Keys and certificates in a value of tls_server_sni_maps: whatever it holds, what is installed fits
// together, and a refusal has a reason. The first line is the name that a client asked for.
#include <openssl/ssl.h>

#include "tests/fuzz/property.h"
#include "tools/mta/tls/certificate_chain.h"
#include "tools/mta/tls/sni_maps.h"

namespace {

void check_name(std::string_view name) {
  if (!mta::is_server_name(name)) return;
  const std::vector<std::string> keys = mta::sni_lookup_keys(name);
  require(keys.front() == name, "the name itself comes first");
  for (const std::string& key : keys) require(name.ends_with(key), "keys are the ends of the name");
}

void check_chain(mta::ChainOrder order, std::string_view pem) {
  int installed = 0;
  libconf::DiagnosticList problems;
  const auto install = [&](X509* certificate, EVP_PKEY* key, STACK_OF(X509)*) {
    if (X509_check_private_key(certificate, key) != 1) return false;
    ++installed;
    return true;
  };
  mta::ChainReader chains(order, install, problems);
  const mta::BioHandle bio = mta::memory_bio(pem);
  if (bio != nullptr && chains.read("SNI data", bio.get()) && chains.finish()) {
    require(installed > 0, "success is a chain that is installed");
  } else {
    require(!problems.items().empty(), "a refusal has a reason");
  }
  require(mta::take_library_problems().empty(), "no error is left behind");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view pem = as_text(data, size);
  check_name(take_first_line(pem));
  check_chain(mta::ChainOrder::kKeyFirst, pem);
  check_chain(mta::ChainOrder::kAny, pem);
  return 0;
}
