#include "libmaps/sql_statement.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace libmaps {
namespace {

constexpr std::array<std::string_view, 3> kReadingStatements = {"select", "values", "with"};

bool begins_reading(std::string_view query) {
  query = libconf::trim_left(query);
  const auto* end = std::find_if_not(query.begin(), query.end(), libconf::is_name_char);
  const std::string_view word = query.substr(0, static_cast<std::size_t>(end - query.begin()));
  return std::any_of(
      kReadingStatements.begin(), kReadingStatements.end(),
      [word](std::string_view statement) { return libconf::equals_ignoring_case(word, statement); });
}

class Scanner {
 public:
  explicit Scanner(std::string_view query) : query_(query) {}

  SqlTraits scan() {
    is_certain_ = begins_reading(query_);
    while (at_ < query_.size()) {
      if (query_[at_] == '\'')
        scan_string();
      else
        scan_outside();
    }
    if (is_certain_) traits_.statement = std::move(statement_);
    return std::move(traits_);
  }

 private:
  bool next_is(char c) const { return at_ + 1 < query_.size() && query_[at_ + 1] == c; }

  /// A character that is not inside '' quotes.
  void scan_outside() {
    const char c = query_[at_];
    const bool is_comment = (c == '-' && next_is('-')) || (c == '/' && next_is('*'));
    const bool is_separator = c == ';' && !libconf::trim_left(query_.substr(at_ + 1)).empty();
    const bool is_conversion = c == '%' && !next_is('%');
    // Names in "" and texts in $$ may hide what looks like the end of something.
    if (is_comment || is_separator || is_conversion || c == '"' || c == '$') is_certain_ = false;
    statement_.text += c;
    at_ += c == '%' ? 2 : 1;
  }

  /// From the opening quote to behind the closing one.
  void scan_string() {
    const char prefix = at_ == 0 ? ' ' : query_[at_ - 1];
    const bool is_escape = prefix == 'E' || prefix == 'e';
    if (libconf::is_name_char(prefix) || prefix == '&') is_certain_ = false;
    std::string content;  // A template.
    bool has_conversion = false;
    const std::size_t start = at_++;
    bool is_closed = false;
    while (at_ < query_.size() && !is_closed) {
      const char c = query_[at_];
      // Whether a backslash escapes outside E'' is a setting of the server, standard_conforming_strings.
      if (c == '\\') is_certain_ = false;
      const bool is_pair = c == '%' || (c == '\'' && next_is('\'')) || (c == '\\' && is_escape);
      if (c == '%' && !next_is('%')) has_conversion = true;
      is_closed = c == '\'' && !is_pair;
      if (!is_closed) content += c;
      if (c == '%' && at_ + 1 < query_.size()) content += query_[at_ + 1];
      at_ += is_pair ? 2 : 1;
    }
    at_ = std::min(at_, query_.size());
    if (!is_closed) is_certain_ = false;
    if (has_conversion && is_escape) traits_.has_key_in_escape_string = true;
    if (has_conversion) {
      statement_.parameters.push_back(std::move(content));
      // Blanks, as a word may follow the quote at once.
      statement_.text.append(" $").append(std::to_string(statement_.parameters.size())).append(" ");
      return;
    }
    for (std::size_t i = start; i < at_; ++i) {
      statement_.text += query_[i];
      if (query_[i] == '%') ++i;
    }
  }

  std::string_view query_;
  std::size_t at_ = 0;
  bool is_certain_ = true;
  SqlStatement statement_;
  SqlTraits traits_;
};

}  // namespace

SqlTraits sql_traits(std::string_view query) { return Scanner(query).scan(); }

}  // namespace libmaps
