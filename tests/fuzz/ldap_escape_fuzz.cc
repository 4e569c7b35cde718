// A key on its way into a search filter and into a name of the directory.
#include "libmaps/ldap_escape.h"
#include "tests/fuzz/property.h"
#include "tests/libmaps/ldap_unescape.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  std::string filter;
  libmaps::escape_ldap_filter(text, filter);
  require(postkit_test::unescape_ldap_filter(filter) == text, "a key stands for itself in a filter");
  std::string name;
  libmaps::escape_ldap_dn(text, name);
  require(postkit_test::unescape_ldap_dn(name) == text, "a key stands for itself in a name");
  for (const libmaps::LdapServerUri& server : libmaps::ldap_server_uris(text, "389"))
    require(server.uri.find_first_of(", \t\r\n") == std::string::npos, "a list of servers comes apart");
  return 0;
}
