/// The small pieces of text handling that Postfix's configuration syntax is made of.
///
/// All functions are pure and thread-safe. A returned string_view points into the argument.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libconf {

/// White space as C's isspace() has it in the "C" locale. It decides whether a line continues the one before
/// it.
inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// What separates words inside values: blank, tab, carriage return, newline.
inline constexpr std::string_view kBlanks = " \t\r\n";

/// What separates the items of a list in a value: the same, and commas.
inline constexpr std::string_view kListSeparators = ", \t\r\n";

/// True when the texts are equal but for the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// Whether all bytes are ASCII.
bool is_ascii(std::string_view text);

/// A character of a parameter name in a `$name` reference: ASCII letter, digit or underscore.
inline bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// ASCII digits only, at least one.
bool is_all_digits(std::string_view text);

std::string_view trim_left(std::string_view text);
std::string_view trim(std::string_view text);

/// True when `text` has white space that would separate words.
bool has_blank(std::string_view text);

/// Joins the arguments; cheaper to read, and to run, than a chain of operator+.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string out;
  out.reserve((std::string_view(parts).size() + ... + 0));
  (out.append(std::string_view(parts)), ...);
  return out;
}

/// Takes the next word off the front of `rest`; words are separated by any of `separators`. Nothing left:
/// nullopt.
std::optional<std::string_view> next_word(std::string_view& rest, std::string_view separators);

/// Like next_word, but separators inside balanced braces do not separate: `a={b c} d` gives `a={b c}`, `d`.
/// An unbalanced brace takes everything to the end.
std::optional<std::string_view> next_braced_word(std::string_view& rest, std::string_view separators);

/// The length of the balanced `{...}` at the start of `text`, both braces included; npos when it does not
/// close. REQUIRES: text starts with '{'.
std::size_t balanced_length(std::string_view text);

/// Runs of blanks become one space; blanks at both ends vanish.
std::string collapse_blanks(std::string_view text);

/// `name = value`, split at the first '='. Blanks around both are dropped.
struct NameValue {
  std::string_view name;
  std::string_view value;
};

/// What is wrong with a text that should be `name = value`, in Postfix's words.
enum class NameValueFault { kNone, kMissingName, kMissingEquals };

/// Splits `text`; `out` is set only when the answer is kNone. A name ends at a blank or '='; a blank inside
/// the name is kMissingEquals.
NameValueFault split_name_value(std::string_view text, NameValue& out);

/// "missing attribute name" or "missing '=' after attribute name"; empty for kNone.
std::string_view describe(NameValueFault fault);

/// The length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629), two to four bytes; 0:
/// there is none, or ASCII.
std::size_t utf8_length(std::string_view text);

/// `text` as a JSON string with its quotes (RFC 8259). Bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

/// `text` as it may stand in a message: anything but printable ASCII becomes `replacement`.
std::string printable(std::string_view text, char replacement = '?');

/// The same, but well-formed UTF-8 (RFC 3629) stands as it is.
std::string printable_utf8(std::string_view text, char replacement = '?');

/// Lays words out in lines of at most `width` columns, where a single word allows it; further lines start
/// with `indent` spaces. `head` is printed first (an empty head: none). No newline at the end.
std::string fold(std::string_view head, std::string_view text, std::size_t width = 80,
                 std::size_t indent = 4);

}  // namespace libconf
