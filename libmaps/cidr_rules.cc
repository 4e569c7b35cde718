#include "libmaps/cidr_rules.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <type_traits>

#include "libconf/text.h"
#include "libmaps/file_value.h"
#include "libmaps/network_pattern.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::DiagnosticSink;
using libconf::Error;
using libconf::ErrorKind;
using libconf::is_space;
using libconf::Result;

bool is_letter_or_digit(char c) { return libconf::is_name_char(c) && c != '_'; }

/// Takes `keyword` off the front of `text`, in any case of letters; no letter or digit may follow it.
bool take_keyword(std::string_view& text, std::string_view keyword) {
  const std::size_t size = keyword.size();
  if (text.size() < size || !libconf::equals_ignoring_case(text.substr(0, size), keyword)) return false;
  if (text.size() > size && is_letter_or_digit(text[size])) return false;
  text = libconf::trim_left(text.substr(size));
  return true;
}

/// Takes any number of '!' and blanks off the front.
bool take_negation(std::string_view& text) {
  bool is_negated = false;
  while (text.starts_with('!')) {
    is_negated = !is_negated;
    text = libconf::trim_left(text.substr(1));
  }
  return is_negated;
}

std::string_view take_until_blank(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && !is_space(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text = libconf::trim_left(text.substr(end));
  return word;
}

class Parser {
 public:
  Parser(SourceReader& source, DiagnosticSink& warnings, bool load_files)
      : source_(source), warnings_(warnings), load_files_(load_files) {}

  Result<CidrRules> run() {
    while (const auto line = source_.next()) {
      line_ = *line;
      if (line->is_orphan())
        warnings_.warn("orphan-line", source_.orphan_message(*line));
      else
        parse_line(libconf::trim(line->text));
      if (std::max({rules_.texts.size(), rules_.ipv4.size(), rules_.ipv6.size()}) > kMost)
        return Error{.kind = ErrorKind::kUnsupported,
                     .message = concat("cidr map ", source_.name(), ": table is too large")};
    }
    while (!open_.empty()) {
      line_ = {.text = {}, .first = open_.back().line, .last = open_.back().line};
      warn("IF has no matching ENDIF");
      close_block();
    }
    return std::move(rules_);
  }

 private:
  struct Block {
    int line;
    bool is_ipv6;
    bool is_dead;  ///< Nothing can match here, as an outer block is of the other family.
    std::uint32_t rule;
  };
  /// Values and the numbers of rules are 32 bits wide, and an index has a few times as many entries as rules.
  static constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max() / 8;

  void warn(std::string_view what) {
    warnings_.warn("cidr-rule", concat("cidr map ", source_.place(line_), ": ", what));
  }
  void skip(std::string_view why) { warn(concat(why, ": skipping this rule")); }

  void parse_line(std::string_view text) {
    // Few networks start with these letters: most lines need no further look.
    const char first = text.empty() ? '\0' : text[0];
    if ((first == 'e' || first == 'E') && take_keyword(text, "endif")) return parse_endif(text);
    const bool is_if = (first == 'i' || first == 'I') && take_keyword(text, "if");
    const bool is_negated = take_negation(text);
    if (text.empty()) return skip("no address pattern");
    const std::string_view word = is_if ? text : take_until_blank(text);
    const Result<NetworkPattern> pattern = parse_network_pattern(word);
    if (!pattern) return skip(pattern.error().message);
    if (!is_if && text.empty()) return skip("no lookup result");
    Result<std::string> loaded;
    if (!is_if && load_files_) {
      loaded = encode_files(text);
      if (!loaded) return skip(loaded.error().message);
      text = *loaded;
    }
    if (const auto* ipv4 = std::get_if<IpNetwork<Ipv4Address>>(&*pattern))
      add(rules_.ipv4, CidrRule<Ipv4Address>{.network = *ipv4, .is_negated = is_negated, .is_if = is_if},
          text);
    else
      add(rules_.ipv6,
          CidrRule<Ipv6Address>{.network = std::get<IpNetwork<Ipv6Address>>(*pattern),
                                .is_negated = is_negated,
                                .is_if = is_if},
          text);
  }

  void parse_endif(std::string_view rest) {
    if (!rest.empty()) return skip("garbage after ENDIF");
    if (open_.empty()) return skip("ENDIF without IF");
    close_block();
  }

  template <class Address>
  void add(std::vector<CidrRule<Address>>& list, CidrRule<Address> rule, std::string_view value) {
    constexpr bool kIsIpv6 = std::is_same_v<Address, Ipv6Address>;
    const bool is_dead = !open_.empty() && (open_.back().is_dead || open_.back().is_ipv6 != kIsIpv6);
    if (rule.is_if) open_.push_back({line_.first, kIsIpv6, is_dead, static_cast<std::uint32_t>(list.size())});
    if (is_dead) return;
    if (!rule.is_if) rule.value = keep(value);
    list.push_back(rule);
  }

  void close_block() {
    const Block& block = open_.back();
    if (!block.is_dead) {
      if (block.is_ipv6)
        rules_.ipv6[block.rule].value = static_cast<std::uint32_t>(rules_.ipv6.size());
      else
        rules_.ipv4[block.rule].value = static_cast<std::uint32_t>(rules_.ipv4.size());
    }
    open_.pop_back();
  }

  /// Stores the text of a value. Lists of networks mostly repeat a few values: one that was seen lately is
  /// not stored again, which keeps the texts near one another and lets an index join neighbours.
  CidrValue keep(std::string_view value) {
    CidrValue& recent = recent_[std::hash<std::string_view>()(value) % recent_.size()];
    const std::string_view kept = std::string_view(rules_.texts).substr(recent);
    if (!kept.starts_with(value) || kept[value.size()] != '\0') {
      recent = static_cast<CidrValue>(rules_.texts.size());
      rules_.texts += value;
      rules_.texts += '\0';
    }
    return recent;
  }

  SourceReader& source_;
  DiagnosticSink& warnings_;
  bool load_files_;
  SourceLine line_ = {};
  CidrRules rules_;
  std::vector<Block> open_;
  std::array<CidrValue, 1024> recent_ = {};  ///< By hash. Zero is the first value's, or does not fit.
};

}  // namespace

Result<CidrRules> read_cidr_rules(SourceReader& source, DiagnosticSink& warnings, bool load_files) {
  return Parser(source, warnings, load_files).run();
}

}  // namespace libmaps
