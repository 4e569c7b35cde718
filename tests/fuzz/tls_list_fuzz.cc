// Lists of protocols, ciphers, options and groups: commas are as good as blanks, and nothing but the words of
// a list comes out.
#include <algorithm>
#include <string>

#include "tests/fuzz/property.h"
#include "tools/mta/tls/tls_policy.h"

namespace {

void check_protocols(std::string_view list, std::string_view with_blanks) {
  const auto protocols = mta::parse_tls_protocols(list);
  const auto same = mta::parse_tls_protocols(with_blanks);
  require(protocols.has_value() == same.has_value(), "separators do not matter for validity");
  if (protocols) require(*protocols == *same, "separators do not matter for meaning");
}

void check_exclusions(std::string_view list) {
  const auto exclusions = mta::parse_cipher_exclusions(list);
  if (!exclusions) return;
  require(exclusions->empty() || exclusions->starts_with(":!"), "an exclusion has its sign");
  require(exclusions->find_first_of(" \t\r\n,") == std::string::npos, "words only");
  require(exclusions->find("::") == std::string::npos, "no word is empty");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view list = as_text(data, size);
  std::string with_blanks(list);
  std::replace_if(
      with_blanks.begin(), with_blanks.end(), [](char c) { return c == ',' || c == ':'; }, ' ');
  check_protocols(list, with_blanks);
  check_exclusions(list);
  libconf::DiagnosticDiscard discard;
  mta::parse_ssl_options(list, discard);
  mta::parse_disabled_workarounds(list, discard);
  const int level = mta::parse_tls_log_level(list, discard);
  require(level >= 0 && level <= 4, "a level that exists");
  mta::usable_groups(list, list, discard);
  return 0;
}
