#include "tools/postmap/table_cases.h"

#include <algorithm>
#include <utility>

#include "libconf/text.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;
using libmaps::LookupKind;
using Subject = CaseKeys::Subject;

constexpr CaseKeys kKeys[] = {
    {"exact", Subject::kKey, LookupKind::kAccess},
    {"access", Subject::kAddress, LookupKind::kAccess},
    {"aliases", Subject::kAddress, LookupKind::kAliases},
    {"canonical", Subject::kAddress, LookupKind::kCanonical},
    {"client", Subject::kClient, LookupKind::kAccess},
    {"generic", Subject::kAddress, LookupKind::kGeneric},
    {"host", Subject::kHost, LookupKind::kAccess},
    {"mailbox", Subject::kAddress, LookupKind::kMailbox},
    {"relocated", Subject::kAddress, LookupKind::kRelocated},
    {"transport", Subject::kAddress, LookupKind::kTransport},
    {"virtual", Subject::kAddress, LookupKind::kVirtual},
};
constexpr const CaseKeys& kExactKey = kKeys[0];

std::string names_of_keys() {
  std::string names;
  for (const CaseKeys& keys : kKeys) names += concat(names.empty() ? "" : ", ", keys.name);
  return names;
}

/// What a backslash and a letter stand for in a quoted key, as in C.
constexpr std::pair<char, char> kEscapes[] = {
    {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'"', '"'}, {'\\', '\\'}};

/// The length of the word at the start of `text`: up to white space that no double quotes enclose.
std::size_t word_length(std::string_view text) {
  bool is_quoted = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (!is_quoted && libconf::is_space(text[i])) break;
    if (text[i] == '\\' && is_quoted && i + 1 < text.size()) {
      ++i;
    } else if (text[i] == '"') {
      is_quoted = !is_quoted;
    }
  }
  return i;
}

/// Reads one line.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(libconf::trim(text)) {}

  /// What is not read yet, without white space ahead of it.
  std::string_view rest() const { return rest_; }

  std::string_view take_word() {
    const std::string_view word = rest_.substr(0, word_length(rest_));
    rest_ = libconf::trim_left(rest_.substr(word.size()));
    return word;
  }

  /// Takes the next word if it is `word`.
  bool accept(std::string_view word) {
    if (rest_.substr(0, word_length(rest_)) != word) return false;
    take_word();
    return true;
  }

  /// A key: a word, or anything in double quotes. Those of an address, "a b"@example.com, are part of it.
  Result<std::string> take_key() {
    const std::string_view word = take_word();
    if (word.empty()) return syntax_error("a key is missing");
    if (!word.starts_with('"')) return std::string(word);
    std::string key;
    std::size_t i = 1;
    for (; i < word.size() && word[i] != '"'; ++i) {
      if (word[i] != '\\') {
        key += word[i];
        continue;
      }
      ++i;
      const auto* const escape =
          std::find_if(std::begin(kEscapes), std::end(kEscapes),
                       [&](const auto& each) { return i < word.size() && each.first == word[i]; });
      // Of what goes on behind its quotes the backslash is part.
      if (escape == std::end(kEscapes)) break;
      key += escape->second;
    }
    if (i + 1 == word.size() && word[i] == '"') return key;
    const std::size_t close = word.rfind('"');
    if (close == 0 || close + 1 == word.size()) return syntax_error("bad double quotes around the key");
    return std::string(word);
  }

  static Error syntax_error(std::string message) {
    return {.kind = libconf::ErrorKind::kSyntax, .message = std::move(message)};
  }

 private:
  std::string_view rest_;
};

Result<const CaseKeys*> read_keys(std::string_view name) {
  const CaseKeys* const keys = find_case_keys(name);
  if (keys == nullptr)
    return LineReader::syntax_error(concat("unknown lookup \"", name, "\"; there are: ", names_of_keys()));
  return keys;
}

Result<CaseResult> read_result(LineReader& line) {
  using Kind = CaseResult::Kind;
  if (line.accept("=")) return CaseResult{Kind::kValue, std::string(line.rest())};
  if (line.rest() == "not found") return CaseResult{Kind::kNotFound};
  if (line.accept("error")) return CaseResult{Kind::kError, std::string(line.rest())};
  return LineReader::syntax_error(concat("need \"= VALUE\", \"not found\" or \"error\" behind the key",
                                         line.rest().empty() ? "" : concat(", not \"", line.rest(), "\"")));
}

Result<void> read_case(LineReader& line, TableCase& each) {
  Result<std::string> key = line.take_key();
  if (!key) return key.error();
  each.key = std::move(*key);
  if (line.accept("as")) {
    const Result<const CaseKeys*> keys = read_keys(line.take_word());
    if (!keys) return keys.error();
    each.keys = *keys;
  }
  if (line.accept("via")) {
    Result<std::string> via = line.take_key();
    if (!via) return via.error();
    each.via = std::move(*via);
  }
  Result<CaseResult> expected = read_result(line);
  if (!expected) return expected.error();
  if (each.via && expected->kind != CaseResult::Kind::kValue)
    return LineReader::syntax_error("\"via\" goes with \"= VALUE\"");
  each.expected = std::move(*expected);
  return {};
}

/// Reads what the cases below have in common, or a case.
Result<void> read_line(std::string_view text, TableCase& common, std::vector<TableCase>& cases) {
  LineReader line(text);
  if (line.accept("table:")) {
    if (line.rest().empty()) return LineReader::syntax_error("a table is missing");
    common.tables = line.rest();
    return {};
  }
  if (line.accept("lookup:")) {
    const Result<const CaseKeys*> keys = read_keys(line.rest());
    if (!keys) return keys.error();
    common.keys = *keys;
    return {};
  }
  TableCase each = common;
  if (Result<void> read = read_case(line, each); !read) return read;
  cases.push_back(std::move(each));
  return {};
}

/// Whether a key without quotes would be read as another key, or as something else.
bool needs_quotes(std::string_view key) {
  if (key.starts_with('#') || key == "table:" || key == "lookup:") return true;
  if (key.find('\n') != std::string_view::npos) return true;
  const Result<std::string> read = LineReader(concat(key, " =")).take_key();
  return !read || *read != key;
}

std::string quoted(std::string_view key) {
  if (!needs_quotes(key)) return std::string(key);
  std::string out = "\"";
  for (const char c : key) {
    const auto* const escape = std::find_if(std::begin(kEscapes), std::end(kEscapes),
                                            [c](const auto& each) { return each.second == c; });
    if (escape == std::end(kEscapes)) {
      out += c;
    } else {
      out.append("\\").push_back(escape->first);
    }
  }
  return out + '"';
}

}  // namespace

const CaseKeys* find_case_keys(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kKeys), std::end(kKeys),
                                         [name](const CaseKeys& keys) { return keys.name == name; });
  return found == std::end(kKeys) ? nullptr : found;
}

Result<std::vector<TableCase>> parse_cases(std::string_view text, std::string_view file) {
  std::vector<TableCase> cases;
  TableCase common{.file = std::string(file), .keys = &kExactKey};
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = libconf::trim(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
    ++common.line;
    if (line.empty() || line.starts_with('#')) continue;
    if (const Result<void> read = read_line(line, common, cases); !read) {
      Error error = read.error();
      error.message = concat(file, ":", std::to_string(common.line), ": ", error.message);
      error.file = file;
      error.line = common.line;
      return error;
    }
  }
  return cases;
}

bool is_as_expected(const CaseResult& expected, const CaseResult& actual) {
  if (expected.kind != actual.kind) return false;
  return expected.kind == CaseResult::Kind::kError ? actual.text.find(expected.text) != std::string::npos
                                                   : actual.text == expected.text;
}

std::string to_string(const CaseResult& result) {
  constexpr std::string_view kWords[] = {"=", "not found", "error"};
  return concat(kWords[static_cast<std::size_t>(result.kind)], result.text.empty() ? "" : " ", result.text);
}

std::string to_string(const TableCase& each) {
  const std::string as = each.keys == &kExactKey ? "" : concat(" as ", each.keys->name);
  const std::string via = each.via ? concat(" via ", quoted(*each.via)) : "";
  return concat(quoted(each.key), as, via, " ", to_string(each.expected));
}

}  // namespace postmap
