#include "libconf/master_service.h"

#include <algorithm>

#include "libconf/braces.h"

namespace libconf {
namespace {

/// What messages about arguments call the file, whatever its path.
constexpr std::string_view kLabel = "master.cf";

bool is_flag(std::string_view value) { return value == "y" || value == "n" || value == "-"; }

bool is_type(std::string_view value) {
  constexpr std::array<std::string_view, 5> kTypes = {"inet", "unix", "fifo", "pass", "unix-dgram"};
  return std::find(kTypes.begin(), kTypes.end(), value) != kTypes.end();
}

/// A number of seconds, then perhaps a '?'. Postfix takes a lone '?', and nothing at all, too.
bool is_wakeup(std::string_view value) {
  if (value == "-") return true;
  if (!value.empty() && value.back() == '?') value.remove_suffix(1);
  return value.empty() || is_all_digits(value);
}

bool is_process_limit(std::string_view value) { return value == "-" || is_all_digits(value); }

bool is_not_empty(std::string_view value) { return !value.empty(); }

struct FieldRule {
  std::string_view name;
  bool (*is_valid)(std::string_view value);
  std::size_t column;  ///< Where `postconf -M` puts the field, from 0.
};

constexpr std::array<FieldRule, kMasterFieldCount> kFields = {{
    {"service", is_not_empty, 0},
    {"type", is_type, 11},
    {"private", is_flag, 17},
    {"unprivileged", is_flag, 25},
    {"chroot", is_flag, 33},
    {"wakeup", is_wakeup, 41},
    {"process_limit", is_process_limit, 49},
    {"command", is_not_empty, 57},
}};

Error invalid_field(std::size_t field, std::string_view value, std::string_view where) {
  return {.kind = ErrorKind::kSyntax,
          .message = concat("invalid ", kFields[field].name, " field \"", value, "\" in \"", where, "\"")};
}

/// `name = value` as `name=value`; anything else is reported, and stays.
std::string normalise_option(std::string_view text, DiagnosticSink& sink) {
  NameValue parts;
  const NameValueFault fault = split_name_value(text, parts);
  if (fault == NameValueFault::kNone) return concat(parts.name, "=", parts.value);
  sink.warn("option-syntax", concat(kLabel, ": ", describe(fault), ": \"", text, "\""));
  return std::string(text);
}

/// Splits command arguments into words, and brings options into the form `-o`, `name=value`. Postfix cuts a
/// word that starts with '-' at its first 'o': `-vo` is `-v -o`; it also cuts the first value that is glued
/// on behind at its own first 'o' (`-orelayhost=x` is `-o relayh -o st=x`), which is odd, but what its tools
/// do.
class ArgumentReader {
 public:
  explicit ArgumentReader(DiagnosticSink& sink) : sink_(sink) {}

  /// Reads `text`, which stands at `offset` of the entry.
  void read(std::string_view text, std::size_t offset, std::vector<std::string>& arguments,
            std::vector<std::size_t>& offsets) {
    split(text, offset);
    normalise();
    arguments.clear();
    offsets.clear();
    for (Word& word : words_) {
      arguments.push_back(std::move(word.text));
      offsets.push_back(word.offset);
    }
  }

 private:
  struct Word {
    std::string text;
    std::size_t offset = 0;
    bool was_braced = false;
  };

  void split(std::string_view text, std::size_t offset) {
    const char* const begin = text.data();
    while (const auto word = next_braced_word(text, kBlanks)) {
      const bool is_braced = word->front() == '{';
      const std::size_t place = offset + static_cast<std::size_t>(word->data() - begin);
      words_.push_back(
          {std::string(is_braced ? strip_braces(*word, kLabel, sink_) : *word), place, is_braced});
    }
  }

  void normalise() {
    std::size_t i = 0;
    while (i < words_.size()) {
      const std::string& word = words_[i].text;
      if (word.size() < 2 || word[0] != '-' || word == "--") return;
      if (word == "-o") {
        if (i + 1 < words_.size()) normalise_value(words_[i + 1]);
        i += 2;
        continue;
      }
      const std::size_t cut = word.find('o', 1);
      if (cut == std::string::npos) {
        ++i;
      } else if (cut > 1) {
        cut_word(i, cut);
        ++i;
      } else {
        i = cut_glued_value(i);
      }
    }
  }

  void normalise_value(Word& value) {
    if (!value.was_braced) {
      if (value.text.empty() || value.text.front() != '{') return;
      value.text = std::string(strip_braces(value.text, kLabel, sink_));
    }
    value.text = normalise_option(value.text, sink_);
  }

  /// Cuts word i before position `at`; the rest becomes an option word of its own.
  void cut_word(std::size_t i, std::size_t at) {
    std::string rest = concat("-", std::string_view(words_[i].text).substr(at));
    words_[i].text.resize(at);
    words_.insert(words_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                  {std::move(rest), words_[i].offset + at, false});
  }

  /// Word i is "-oTEXT". Returns the index of the next word to look at.
  std::size_t cut_glued_value(std::size_t i) {
    std::string value = words_[i].text.substr(2);
    words_[i].text = "-o";
    words_.insert(words_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                  {std::move(value), words_[i].offset + 2, false});
    const std::size_t cut = words_[i + 1].text.find('o');
    if (cut == 0) {
      words_[i + 1].text.insert(0, 1, '-');
    } else if (cut != std::string::npos) {
      cut_word(i + 1, cut);
    }
    normalise_value(words_[i + 1]);
    return i + 2;
  }

  DiagnosticSink& sink_;
  std::vector<Word> words_;
};

std::string quoted(std::string_view argument) {
  return has_blank(argument) ? concat("{", argument, "}") : std::string(argument);
}

/// Lays out words on lines of 79 columns: one less than a folded value has, as in Postfix.
class LineFolder {
 public:
  LineFolder(std::string& out, bool folded) : out_(out), folded_(folded) {
    const std::size_t newline = out.rfind('\n');
    column_ = newline == std::string::npos ? out.size() : out.size() - newline - 1;
  }

  /// The word goes on a new line when `width` columns do not fit. Postfix does not count the braces that it
  /// puts around an argument there.
  void add(std::string_view word, std::size_t width, bool on_new_line = false) {
    constexpr std::size_t kWidth = 79;
    if (folded_ && (on_new_line || column_ + 1 + width > kWidth)) {
      out_ += "\n    ";
      column_ = 4;
    } else if (column_ > 0) {
      out_ += ' ';
      ++column_;
    }
    out_ += word;
    column_ += word.size();
  }

 private:
  std::string& out_;
  bool folded_;
  std::size_t column_;
};

}  // namespace

std::string_view master_field_name(MasterField field) {
  return kFields[static_cast<std::size_t>(field)].name;
}

std::optional<MasterField> find_master_field(std::string_view name) {
  for (std::size_t i = 0; i < kFields.size(); ++i)
    if (kFields[i].name == name) return static_cast<MasterField>(i);
  return std::nullopt;
}

Result<MasterService> MasterService::parse(std::string_view text, DiagnosticSink& sink) {
  MasterService service;
  std::string_view rest = text;
  for (std::size_t i = 0; i < kMasterFieldCount; ++i) {
    const auto word = next_braced_word(rest, kBlanks);
    if (!word) return Error{.kind = ErrorKind::kSyntax, .message = "bad field count"};
    service.fields_[i] = *word;
    service.field_offsets_[i] = static_cast<std::size_t>(word->data() - text.data());
  }
  for (std::size_t i = 0; i < kMasterFieldCount; ++i)
    if (!kFields[i].is_valid(service.fields_[i])) return invalid_field(i, service.fields_[i], text);
  ArgumentReader(sink).read(rest, text.size() - rest.size(), service.arguments_, service.argument_offsets_);
  return service;
}

bool MasterService::matches(std::string_view service, std::string_view type) const {
  const auto is_match = [](std::string_view pattern, std::string_view text) {
    return pattern == "*" || pattern == text;
  };
  return is_match(service, this->service()) && is_match(type, this->type());
}

std::size_t MasterService::for_each_option(const std::function<void(const OptionPlace&)>& visit) const {
  std::size_t i = 0;
  for (; i < arguments_.size(); ++i) {
    const std::string& argument = arguments_[i];
    if (argument.size() < 2 || argument[0] != '-' || argument == "--") break;
    if (argument != "-o" || i + 1 == arguments_.size()) continue;
    ++i;
    NameValue parts;
    if (split_name_value(arguments_[i], parts) == NameValueFault::kNone) visit({i, parts});
  }
  return i;
}

std::vector<MasterOption> MasterService::options() const {
  std::vector<MasterOption> out;
  for_each_option([&](const OptionPlace& option) {
    out.push_back({option.parts.name, option.parts.value, argument_offsets_[option.value_index]});
  });
  return out;
}

std::string MasterService::other_arguments() const {
  std::string out;
  const std::size_t end = for_each_option([](const OptionPlace&) {});
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    if (i < end && arguments_[i] == "-o") {
      ++i;
      continue;
    }
    out += concat(out.empty() ? "" : " ", quoted(arguments_[i]));
  }
  return out;
}

std::string MasterService::command_text() const {
  std::string out;
  append_command(out, false);
  return out;
}

void MasterService::append_command(std::string& out, bool folded) const {
  LineFolder line(out, folded);
  line.add(field(MasterField::kCommand), field(MasterField::kCommand).size());
  // Options, and the first word behind them, are printed as they are; later words are quoted where they need
  // it.
  const std::size_t end = for_each_option([](const OptionPlace&) {});
  bool after_option_value = false;
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    if (i < end && arguments_[i] == "-o" && i + 1 < arguments_.size()) {
      const std::string option = concat("-o ", quoted(arguments_[i + 1]));
      line.add(option, option.size(), true);
      ++i;
      after_option_value = true;
      continue;
    }
    line.add(i <= end ? arguments_[i] : quoted(arguments_[i]), arguments_[i].size(), after_option_value);
    after_option_value = false;
  }
}

Result<void> MasterService::set_field(MasterField field, std::string_view value, DiagnosticSink& sink) {
  const auto index = static_cast<std::size_t>(field);
  if (field == MasterField::kCommand) {
    std::string_view rest = value;
    const auto command = next_braced_word(rest, kBlanks);
    if (!command)
      return Error{.kind = ErrorKind::kSyntax, .message = "-Fe requires a command name in the command field"};
    fields_[index] = *command;
    ArgumentReader(sink).read(rest, 0, arguments_, argument_offsets_);
    return {};
  }
  if (!kFields[index].is_valid(value)) return invalid_field(index, value, value);
  fields_[index] = value;
  return {};
}

void MasterService::set_option(std::string_view name, std::string_view value) {
  std::vector<std::size_t> places;
  const std::size_t end = for_each_option([&](const OptionPlace& option) {
    if (option.parts.name == name) places.push_back(option.value_index);
  });
  const std::string argument = concat(name, "=", value);
  for (std::size_t place : places) arguments_[place] = argument;
  if (places.empty()) {
    const auto at = arguments_.begin() + static_cast<std::ptrdiff_t>(std::min(end, arguments_.size()));
    argument_offsets_.insert(argument_offsets_.begin() + (at - arguments_.begin()), 2, 0);
    arguments_.insert(at, {"-o", argument});
  }
}

void MasterService::remove_option(std::string_view name) {
  std::vector<std::size_t> places;
  for_each_option([&](const OptionPlace& option) {
    if (option.parts.name == name) places.push_back(option.value_index);
  });
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    const auto value = static_cast<std::ptrdiff_t>(*place);
    arguments_.erase(arguments_.begin() + value - 1, arguments_.begin() + value + 1);
    argument_offsets_.erase(argument_offsets_.begin() + value - 1, argument_offsets_.begin() + value + 1);
  }
}

std::string MasterService::text() const {
  std::string out;
  for (std::size_t i = 0; i + 1 < kMasterFieldCount; ++i) out += fields_[i] + " ";
  return out + command_text();
}

std::string MasterService::columns(bool folded) const {
  std::string out;
  for (std::size_t i = 0; i + 1 < kMasterFieldCount; ++i) {
    if (i > 0) out.append(std::max<std::size_t>(kFields[i].column, out.size() + 1) - out.size(), ' ');
    out += fields_[i];
  }
  constexpr std::size_t kBeforeCommand = kFields[kMasterFieldCount - 1].column - 1;
  if (out.size() < kBeforeCommand) out.append(kBeforeCommand - out.size(), ' ');
  append_command(out, folded);
  return out;
}

std::string MasterService::folded_command(std::string_view head) const {
  std::string out(head);
  append_command(out, true);
  return out;
}

Result<MasterService> MasterService::with_options(
    const std::function<Result<std::string>(std::string_view, std::string_view)>& change) const {
  MasterService out = *this;
  std::optional<Error> error;
  for_each_option([&](const OptionPlace& option) {
    if (error) return;
    Result<std::string> value = change(option.parts.name, option.parts.value);
    if (value)
      out.arguments_[option.value_index] = concat(option.parts.name, "=", *value);
    else
      error = value.error();
  });
  if (error) return *error;
  return out;
}

}  // namespace libconf
