#include "libconf/braces.h"

#include "libconf/text.h"

namespace libconf {

std::string_view strip_braces(std::string_view word, std::string_view label, DiagnosticSink& sink) {
  const std::size_t length = balanced_length(word);
  if (length == std::string_view::npos) {
    sink.warn("brace-syntax", concat(label, ": missing '}' in \"", word, "\""));
    return trim(word.substr(1));
  }
  if (length != word.size())
    sink.warn("brace-syntax", concat(label, ": syntax error after '}' in \"", word, "\""));
  return trim(word.substr(1, length - 2));
}

}  // namespace libconf
