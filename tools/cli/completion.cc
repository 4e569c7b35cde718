#include "tools/cli/completion.h"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "libconf/text.h"

namespace cli {
namespace {

using libconf::concat;

/// Placeholders that mean the same everywhere.
constexpr Values kCommonValues[] = {
    {"DIR", ValueKind::kDirectory},
    {"FILE", ValueKind::kFile},
    {"SHELL", ValueKind::kWord,
     [] { return std::vector<std::string>(completion_shells().begin(), completion_shells().end()); }},
};

/// What is known of the values with that placeholder, or null.
const Values* find_values(const Syntax& syntax, std::string_view placeholder) {
  for (const std::span<const Values> rows : {syntax.values, std::span<const Values>(kCommonValues)})
    for (const Values& values : rows)
      if (values.placeholder == placeholder) return &values;
  return nullptr;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator = " ") {
  std::string out;
  for (const std::string& word : words) out += concat(out.empty() ? "" : separator, word);
  return out;
}

std::string words_of(const Values& values) { return values.words == nullptr ? "" : joined(values.words()); }

std::string replaced(std::string_view text, std::string_view characters,
                     const std::function<std::string(char)>& replacement) {
  std::string out;
  for (const char c : text) {
    if (characters.find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += replacement(c);
    }
  }
  return out;
}

/// Between single quotes, for a POSIX shell.
std::string shell_quoted(std::string_view text) {
  return concat("'", replaced(text, "'", [](char) { return "'\\''"; }), "'");
}

/// Whether an option has a letter: '#' is one that a shell would take for a comment.
bool has_letter(const Option& option) { return option.letter != '\0' && option.letter != '#'; }

/// "-c", "--config-directory"; the first is left out where there is none, and the second, too.
std::vector<std::string> spellings(const Option& option) {
  std::vector<std::string> out;
  if (has_letter(option)) out.push_back(concat("-", std::string(1, option.letter)));
  if (!option.name.empty()) out.push_back(concat("--", option.name));
  return out;
}

std::string heading(const Syntax& syntax, std::string_view shell) {
  return concat("# ", shell, " completion for ", syntax.program, ", made from its table of options.\n");
}

// bash.

/// Fills COMPREPLY with what `commands` print.
std::string bash_fill(std::string_view commands) {
  return concat("mapfile -t COMPREPLY < <(", commands, ")\n");
}

std::string bash_words(std::string_view words) {
  return concat("compgen -W ", shell_quoted(words), " -- \"$word\"");
}

std::string indented(std::string_view lines, std::size_t width) {
  std::string out;
  while (!lines.empty()) {
    const std::size_t length = lines.find('\n') + 1;
    out.append(width, ' ').append(lines.substr(0, length));
    lines.remove_prefix(length);
  }
  return out;
}

/// The lines that fill COMPREPLY with values that begin with $word. Where nothing is known of them, nothing
/// is better than something else.
std::string bash_values(const Values* values) {
  constexpr std::string_view kFilenames = "compopt -o filenames 2>/dev/null\n";
  if (values == nullptr) return ":\n";
  switch (values->kind) {
    case ValueKind::kDirectory:
      return concat(kFilenames, bash_fill("compgen -d -- \"$word\""));
    case ValueKind::kFile:
      return concat(kFilenames, bash_fill("compgen -f -- \"$word\""));
    case ValueKind::kWord:
      return bash_fill(bash_words(words_of(*values)));
    case ValueKind::kTable:
      return concat(
          "compopt -o filenames -o nospace 2>/dev/null\n"
          "if [[ $word == *:* ]]; then\n  ",
          bash_fill("compgen -f -P \"${word%:*}:\" -- \"${word##*:}\""), "else\n  ",
          bash_fill(concat(bash_words(words_of(*values)), "; compgen -f -- \"$word\"")), "fi\n");
  }
  return "";
}

// The words are taken from the line itself: bash has split it at colons and equals signs, too. What stands
// ahead of the last of these in the present word is not to be in the answer.
constexpr std::string_view kBashHead = R"(() {
  local line=${COMP_LINE:0:COMP_POINT} word previous
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word=${words[-1]} previous=${words[-2]}
  COMPREPLY=()
  case $word in
    --*=*) previous=${word%%=*} word=${word#*=} ;;
  esac
  case $previous in
)";
constexpr std::string_view kBashTail = R"(  esac
  local cut=${word%"${word##*[:=]}"}
  [[ $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("${COMPREPLY[@]#"$cut"}")
}
)";

std::string bash_text(const Syntax& syntax) {
  constexpr std::size_t kInCase = 6;
  const std::string function = concat("_postkit_", syntax.program);
  std::string out = concat(heading(syntax, "bash"), function, kBashHead);
  std::vector<std::string> all;
  for (const Option& option : all_options(syntax)) {
    const std::vector<std::string> names = spellings(option);
    all.insert(all.end(), names.begin(), names.end());
    if (option.argument.empty()) continue;
    const std::string values = bash_values(find_values(syntax, option.argument));
    out += concat("    ", joined(names, " | "), ")\n", indented(concat(values, ";;\n"), kInCase));
  }
  const std::string operands = bash_values(find_values(syntax, syntax.operand));
  out += concat("    *)\n", indented("if [[ $word == -* ]]; then\n", kInCase),
                indented(bash_fill(bash_words(joined(all))), kInCase + 2), indented("else\n", kInCase),
                indented(operands, kInCase + 2), indented("fi\n;;\n", kInCase), kBashTail);
  return out + concat("complete -F ", function, " ", syntax.program, "\n");
}

// zsh.

std::string zsh_table_function(const Syntax& syntax) { return concat("_postkit_", syntax.program, "_table"); }

std::string zsh_action(const Syntax& syntax, const Values* values) {
  if (values == nullptr) return " ";
  switch (values->kind) {
    case ValueKind::kDirectory:
      return "_files -/";
    case ValueKind::kFile:
      return "_files";
    case ValueKind::kWord:
      return concat("(", replaced(words_of(*values), ":", [](char) { return "\\:"; }), ")");
    case ValueKind::kTable:
      return zsh_table_function(syntax);
  }
  return "";
}

std::string backslashed(std::string_view text, std::string_view characters) {
  return replaced(text, characters, [](char c) { return std::string("\\") + c; });
}

std::string zsh_text(const Syntax& syntax) {
  std::string out = concat("#compdef ", syntax.program, "\n", heading(syntax, "zsh"));
  for (const Values& values : syntax.values)
    if (values.kind == ValueKind::kTable)
      out += concat(zsh_table_function(syntax),
                    "() {\n  if compset -P '*:'; then\n    _files\n  else\n    compadd -S '' -- ",
                    words_of(values), "\n    _files\n  fi\n}\n");
  out += "_arguments -s -S";
  for (const Option& option : all_options(syntax)) {
    const std::vector<std::string> names = spellings(option);
    std::string value;
    if (!option.argument.empty())
      value = concat(":", backslashed(option.argument, ":"), ":",
                     zsh_action(syntax, find_values(syntax, option.argument)));
    for (const std::string& name : names) {
      const bool is_long = name.starts_with("--");
      const std::string_view takes = value.empty() ? "" : is_long ? "=" : "+";
      out += concat(" \\\n  ", shell_quoted(concat("(", joined(names), ")", name, takes, "[",
                                                   backslashed(option.help, "[]:\\"), "]", value)));
    }
  }
  if (!syntax.operand.empty())
    out += concat(" \\\n  ", shell_quoted(concat("*:", syntax.operand, ":",
                                                 zsh_action(syntax, find_values(syntax, syntax.operand)))));
  return out + "\n";
}

// fish.

/// Between single quotes, for fish.
std::string fish_quoted(std::string_view text) { return concat("'", backslashed(text, "'\\"), "'"); }

std::string fish_values(const Values* values) {
  if (values == nullptr) return " -x";
  switch (values->kind) {
    case ValueKind::kDirectory:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::kFile:
      return " -r -F";
    case ValueKind::kWord:
      return concat(" -x -a ", fish_quoted(words_of(*values)));
    case ValueKind::kTable:
      return concat(" -r -F -a ", fish_quoted(words_of(*values)));
  }
  return "";
}

std::string fish_text(const Syntax& syntax) {
  std::string out = heading(syntax, "fish");
  const std::string command = concat("complete -c ", syntax.program);
  const Values* const operand = find_values(syntax, syntax.operand);
  const bool takes_files =
      operand != nullptr && (operand->kind == ValueKind::kFile || operand->kind == ValueKind::kTable);
  if (!takes_files) out += concat(command, " -f\n");
  if (operand != nullptr && operand->words != nullptr)
    out += concat(command, " -a ", fish_quoted(words_of(*operand)), "\n");
  for (const Option& option : all_options(syntax)) {
    const std::string letter = has_letter(option) ? concat(" -s ", std::string(1, option.letter)) : "";
    const std::string name = option.name.empty() ? "" : concat(" -l ", option.name);
    const std::string values =
        option.argument.empty() ? "" : fish_values(find_values(syntax, option.argument));
    out += concat(command, letter, name, values, " -d ", fish_quoted(option.help), "\n");
  }
  return out;
}

struct Shell {
  std::string_view name;
  std::string (*text)(const Syntax& syntax);
};
constexpr std::array kShells = {Shell{"bash", bash_text}, Shell{"fish", fish_text}, Shell{"zsh", zsh_text}};

constexpr auto names_of_shells() {
  std::array<std::string_view, kShells.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kShells[i].name;
  return names;
}
constexpr auto kShellNames = names_of_shells();

}  // namespace

std::span<const std::string_view> completion_shells() { return kShellNames; }

std::string completion_text(const Syntax& syntax, std::string_view shell) {
  return std::find_if(kShells.begin(), kShells.end(),
                      [shell](const Shell& each) { return each.name == shell; })
      ->text(syntax);
}

}  // namespace cli
