// Answers questions about addresses for address_differential.py, with the settings of a main.cf.
//
// A question is a line of words in hexadecimal, the first of which names it; so is its answer.
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "tools/mta/address/address_rewriting.h"
#include "tools/mta/address/header_address.h"

namespace {

using Words = std::vector<std::string>;
using libconf::Result;

std::string from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return out;
}

std::string to_hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

Words words_of(std::string_view line) {
  Words words;
  while (true) {
    const std::size_t space = line.find(' ');
    words.push_back(from_hex(line.substr(0, space)));
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

mta::RewriteContext context_of(std::string_view word) {
  return word == "local" ? mta::RewriteContext::kLocal : mta::RewriteContext::kRemote;
}

/// Takes the value, or ends the program.
template <class T>
T value_of(Result<T> result) {
  if (result) return std::move(*result);
  std::cerr << result.error().message << '\n';
  std::exit(1);
}

class Answers {
 public:
  explicit Answers(const libconf::Settings& settings)
      : rewriting_(value_of(mta::AddressRewriting::from(settings))),
        token_limit_(static_cast<std::size_t>(value_of(settings.get_int("header_address_token_limit")))) {}

  Words answer(const Words& question) { return kQuestions.at(question.at(0))(*this, question); }

 private:
  Words rewrite(const Words& words) { return {rewriting_.rewrite(context_of(words.at(1)), words.at(2))}; }

  Words header(const Words& words) {
    const mta::RewriteContext context = context_of(words.at(1));
    const std::string& value = words.at(3);
    auto rewritten = value_of(mta::rewrite_header_addresses(
        words.at(2), value, token_limit_,
        [&](std::string_view address) { return Result<std::string>(rewriting_.rewrite(context, address)); }));
    return {rewritten.value_or(value)};
  }

  using Answer = std::function<Words(Answers&, const Words&)>;
  static const std::map<std::string, Answer> kQuestions;

  mta::AddressRewriting rewriting_;
  std::size_t token_limit_;
};

const std::map<std::string, Answers::Answer> Answers::kQuestions = {
    {"header", &Answers::header},
    {"rewrite", &Answers::rewrite},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: address_program main.cf\n";
    return 2;
  }
  const auto document = value_of(libconf::MainCfDocument::load(argv[1]));
  const libconf::Settings settings(&document, libconf::system_host());
  Answers answers(settings);
  for (std::string line; std::getline(std::cin, line);) {
    std::string separator;
    for (const std::string& word : answers.answer(words_of(line))) {
      std::cout << separator << to_hex(word);
      separator = " ";
    }
    std::cout << std::endl;
  }
  return 0;
}
