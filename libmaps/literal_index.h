/// Finds, in one pass over a text, which of many rules have a literal in it.
///
///     LiteralIndex::Builder builder;
///     builder.add(0, {{"subject:"}, {"cheap pills"}});
///     builder.add(1, {{".exe", ".scr"}});
///     LiteralIndex index = std::move(builder).build();
///     std::vector<std::uint32_t> rules;
///     index.find("Subject: cheap pills", rules);   // {0}
///
/// Of each rule's literals the rarest are indexed, by a rare group of three characters in each. Letters are
/// compared without regard to ASCII case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/required_literal.h"

namespace libmaps {

/// Not thread-safe: a search uses a buffer.
class LiteralIndex {
 public:
  class Builder;

  /// Sets `rules` to those that may match `text`, in ascending order: all that have one of the indexed
  /// literals in it.
  void find(std::string_view text, std::vector<std::uint32_t>& rules);

  /// Whether the last find() gave `rule`.
  bool has_found(std::uint32_t rule) const { return rule < found_in_.size() && found_in_[rule] == searches_; }

 private:
  /// A literal whose characters at `gram_offset` select it. `text_offset` is where it starts in `texts_`.
  struct Entry {
    std::uint32_t gram = 0;
    std::uint32_t rule = 0;
    std::uint32_t text_offset = 0;
    std::uint16_t text_length = 0;
    std::uint16_t gram_offset = 0;
  };

  std::string texts_;
  std::vector<Entry> entries_;         ///< By slot.
  std::vector<std::uint32_t> starts_;  ///< A slot's entries are entries_[starts_[slot] .. starts_[slot + 1]).
  unsigned shift_ = 32;
  std::uint64_t searches_ = 0;
  std::vector<std::uint64_t> found_in_;  ///< The last search that gave a rule.
  std::string folded_;
};

/// Collects the literals of all rules, since what is rare depends on all.
class LiteralIndex::Builder {
 public:
  /// `literals` is what a subject of the rule must have. REQUIRES: rules come in ascending order; `literals`
  /// is not empty; no text in it is shorter than kShortestLiteral or longer than 65535. Returns false when
  /// the index has no room for them.
  bool add(std::uint32_t rule, const LiteralChoices& literals);

  LiteralIndex build() &&;

 private:
  struct Text {
    std::uint32_t offset;
    std::uint16_t length;
  };
  /// texts_[first_text .. first_text + text_count) belong to one choice of a rule.
  struct Choice {
    std::uint32_t rule;
    std::uint32_t first_text;
    std::uint32_t text_count;
  };
  /// A place in a text, and how often its three characters are to be expected.
  struct Gram {
    std::uint16_t offset = 0;
    std::uint32_t frequency = 0;
  };

  std::string_view view(const Text& text) const {
    return std::string_view(characters_).substr(text.offset, text.length);
  }
  void count_grams(std::string_view text, std::uint32_t weight);
  Gram rarest_gram(std::string_view text) const;
  std::uint64_t frequency(const Choice& choice) const;
  void index(LiteralIndex& out, const Choice& choice) const;

  std::string characters_;
  std::vector<Text> texts_;
  std::vector<Choice> choices_;  ///< Of one rule next to one another.
  unsigned frequency_shift_ = 32;
  std::vector<std::uint32_t> frequencies_;  ///< Of groups of three characters, by hash.
};

}  // namespace libmaps
