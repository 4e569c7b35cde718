#include "libconf/idna.h"

#include <idn2.h>

#include <memory>

#include "libconf/text.h"

namespace libconf {

std::string domain_to_ascii(std::string_view domain) {
  std::string text(domain);
  if (is_ascii(text)) return text;
  if (text.find('\0') != std::string::npos) return text;
  char* ascii = nullptr;
  if (idn2_to_ascii_8z(text.c_str(), &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK) return text;
  const std::unique_ptr<char, void (*)(void*)> owner(ascii, idn2_free);
  return ascii;
}

std::optional<std::string> domain_to_unicode(std::string_view domain) {
  const std::string text(domain);
  if (text.find('\0') != std::string::npos) return std::nullopt;
  char* unicode = nullptr;
  if (idn2_to_unicode_8z8z(text.c_str(), &unicode, 0) != IDN2_OK) return std::nullopt;
  const std::unique_ptr<char, void (*)(void*)> owner(unicode, idn2_free);
  return unicode;
}

}  // namespace libconf
