#include "libmaps/literal_index.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace libmaps {
namespace {

constexpr std::size_t kGramLength = 3;
static_assert(kGramLength == kShortestLiteral);

/// What much of the mail that is looked up has in it: such literals tell little, however few rules have them.
constexpr std::string_view kTypicalMail =
    "received: from by with esmtps smtp id for (postfix) [192.168. delivered-to: return-path: <> "
    "subject: re: fwd: from: to: cc: reply-to: sender: date: mon, tue, wed, thu, fri, sat, sun, +0000 2024 "
    "2025 "
    "message-id: in-reply-to: references: mime-version: 1.0 content-type: text/plain; text/html; "
    "multipart/mixed; multipart/alternative; boundary=\"----=_ charset=utf-8 charset=\"iso-8859-1\" "
    "content-transfer-encoding: quoted-printable base64 7bit 8bit content-disposition: attachment; inline; "
    "filename=\" name=\" x-mailer: user-agent: list-unsubscribe: dkim-signature: authentication-results: "
    "http://www. https:// .com .net .org @gmail.com example.com the and you your for that with have this "
    "<br> <div <td style=\" font-size: color: width: &nbsp; ";
constexpr std::uint32_t kTypicalWeight = 32;

std::uint32_t gram_at(const char* text) {
  const auto byte = [text](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  return byte(0) | byte(1) << 8 | byte(2) << 16;
}

std::uint32_t hash(std::uint32_t gram) { return gram * 0x9E3779B1U; }

}  // namespace

void LiteralIndex::find(std::string_view text, std::vector<std::uint32_t>& rules) {
  rules.clear();
  ++searches_;
  if (entries_.empty() || text.size() < kGramLength) return;
  folded_.resize(text.size());
  std::ranges::transform(text, folded_.begin(), fold_case);

  const char* const begin = folded_.data();
  for (std::size_t at = 0; at + kGramLength <= folded_.size(); ++at) {
    const std::uint32_t gram = gram_at(begin + at);
    const std::uint32_t slot = hash(gram) >> shift_;
    for (std::uint32_t i = starts_[slot]; i != starts_[slot + 1]; ++i) {
      const Entry& entry = entries_[i];
      if (entry.gram != gram || entry.gram_offset > at || has_found(entry.rule)) continue;
      const std::size_t start = at - entry.gram_offset;
      if (entry.text_length > folded_.size() - start) continue;
      if (std::memcmp(begin + start, texts_.data() + entry.text_offset, entry.text_length) != 0) continue;
      found_in_[entry.rule] = searches_;
      rules.push_back(entry.rule);
    }
  }
  std::ranges::sort(rules);
}

bool LiteralIndex::Builder::add(std::uint32_t rule, const LiteralChoices& literals) {
  constexpr std::size_t kMostCharacters = std::size_t{1} << 30;
  if (characters_.size() > kMostCharacters) return false;
  for (const Literals& choice : literals) {
    choices_.push_back({.rule = rule,
                        .first_text = static_cast<std::uint32_t>(texts_.size()),
                        .text_count = static_cast<std::uint32_t>(choice.size())});
    for (const std::string& text : choice) {
      texts_.push_back({.offset = static_cast<std::uint32_t>(characters_.size()),
                        .length = static_cast<std::uint16_t>(text.size())});
      characters_ += text;
    }
  }
  return true;
}

LiteralIndex LiteralIndex::Builder::build() && {
  const auto frequency_bits = std::clamp(
      static_cast<unsigned>(std::bit_width(characters_.size() + kTypicalMail.size())) + 1, 8U, 16U);
  frequency_shift_ = 32 - frequency_bits;
  frequencies_.assign(std::size_t{1} << frequency_bits, 0);
  for (const Text& text : texts_) count_grams(view(text), 1);
  count_grams(kTypicalMail, kTypicalWeight);

  LiteralIndex out;
  for (auto choice = choices_.begin(); choice != choices_.end();) {
    const auto next_rule =
        std::find_if(choice, choices_.end(), [&](const Choice& other) { return other.rule != choice->rule; });
    index(out, *std::ranges::min_element(choice, next_rule, {},
                                         [this](const Choice& each) { return frequency(each); }));
    choice = next_rule;
  }
  out.texts_ = std::move(characters_);
  if (!choices_.empty()) out.found_in_.assign(std::size_t{choices_.back().rule} + 1, 0);

  const unsigned bits = std::clamp(static_cast<unsigned>(std::bit_width(out.entries_.size())) + 2, 8U, 20U);
  out.shift_ = 32 - bits;
  const auto slot = [&](const Entry& entry) { return hash(entry.gram) >> out.shift_; };
  out.starts_.assign((std::size_t{1} << bits) + 1, 0);
  for (const Entry& entry : out.entries_) ++out.starts_[slot(entry) + 1];
  for (std::size_t i = 1; i < out.starts_.size(); ++i) out.starts_[i] += out.starts_[i - 1];
  std::vector<std::uint32_t> next = out.starts_;
  std::vector<Entry> by_slot(out.entries_.size());
  for (const Entry& entry : out.entries_) by_slot[next[slot(entry)]++] = entry;
  out.entries_ = std::move(by_slot);
  return out;
}

void LiteralIndex::Builder::count_grams(std::string_view text, std::uint32_t weight) {
  for (std::size_t at = 0; at + kGramLength <= text.size(); ++at)
    frequencies_[hash(gram_at(text.data() + at)) >> frequency_shift_] += weight;
}

LiteralIndex::Builder::Gram LiteralIndex::Builder::rarest_gram(std::string_view text) const {
  Gram best;
  for (std::size_t at = 0; at + kGramLength <= text.size(); ++at) {
    const std::uint32_t frequency = frequencies_[hash(gram_at(text.data() + at)) >> frequency_shift_];
    if (at == 0 || frequency < best.frequency)
      best = {.offset = static_cast<std::uint16_t>(at), .frequency = frequency};
  }
  return best;
}

std::uint64_t LiteralIndex::Builder::frequency(const Choice& choice) const {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < choice.text_count; ++i)
    sum += rarest_gram(view(texts_[choice.first_text + i])).frequency;
  return sum;
}

void LiteralIndex::Builder::index(LiteralIndex& out, const Choice& choice) const {
  for (std::uint32_t i = 0; i < choice.text_count; ++i) {
    const Text& text = texts_[choice.first_text + i];
    const Gram gram = rarest_gram(view(text));
    out.entries_.push_back({.gram = gram_at(view(text).data() + gram.offset),
                            .rule = choice.rule,
                            .text_offset = text.offset,
                            .text_length = text.length,
                            .gram_offset = gram.offset});
  }
}

}  // namespace libmaps
