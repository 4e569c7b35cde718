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
#include "tools/mta/address/canonical.h"
#include "tools/mta/address/header_address.h"
#include "tools/mta/address/masquerade.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/address/recipient_check.h"
#include "tools/mta/address/resolve.h"
#include "tools/mta/address/virtual_alias.h"

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

/// What says that an answer could not be had.
const Words kFailure = {"FAIL"};

class Answers {
 public:
  explicit Answers(const mta::AddressContext& context)
      : rewriting_(value_of(mta::AddressRewriting::from(context.settings()))),
        domains_(value_of(mta::LocalDomains::from(context))),
        canonical_(value_of(mta::CanonicalMapping::from(context, rewriting_, domains_))),
        masquerade_(value_of(mta::Masquerade::from(context))),
        aliases_(value_of(mta::VirtualAliases::from(context, rewriting_, domains_))),
        resolver_(
            value_of(mta::RouteResolver::from(context, rewriting_, domains_, mta::RouteKind::kDelivery))),
        check_(value_of(mta::RecipientCheck::from(context, domains_))),
        token_limit_(
            static_cast<std::size_t>(value_of(context.settings().get_int("header_address_token_limit")))) {}

  Words answer(const Words& question) { return kQuestions.at(question.at(0))(*this, question); }

 private:
  Words rewrite(const Words& words) { return {rewriting_.rewrite(context_of(words.at(1)), words.at(2))}; }

  /// An address as cleanup treats it.
  Result<std::string> clean(mta::AddressRole role, mta::RewriteContext context, std::string_view address) {
    Result<std::string> mapped = canonical_.map(role, rewriting_.rewrite(context, address));
    return mapped ? masquerade_.hide(role, std::move(*mapped)) : mapped;
  }

  Words header(const Words& words) {
    const mta::RewriteContext context = context_of(words.at(1));
    const std::string& name = words.at(2);
    const std::string& value = words.at(3);
    const auto role = mta::header_role(name);
    if (!role) return {value};
    auto rewritten = value_of(mta::rewrite_header_addresses(
        name, value, token_limit_, [&](std::string_view address) { return clean(*role, context, address); }));
    return {rewritten.value_or(value)};
  }

  Words sender(const Words& words) {
    return {mta::unquote_address(
        value_of(clean(mta::AddressRole::kEnvelopeSender, mta::RewriteContext::kLocal, words.at(1))))};
  }

  Words recipient(const Words& words) {
    const std::string address =
        value_of(clean(mta::AddressRole::kEnvelopeRecipient, mta::RewriteContext::kLocal, words.at(1)));
    const auto expanded = aliases_.expand({.address = address, .original = words.at(1)});
    if (!expanded) return kFailure;
    Words out;
    for (const mta::EnvelopeRecipient& each : *expanded) out.push_back(mta::unquote_address(each.address));
    return out;
  }

  Words resolve(const Words& words) {
    const auto found = resolver_.resolve(words.at(1), words.at(2));
    if (!found) return kFailure;
    return {found->transport,
            found->nexthop,
            found->recipient,
            std::to_string(static_cast<int>(found->recipient_class)),
            found->is_routed ? "routed" : "",
            found->is_malformed ? "malformed" : ""};
  }

  /// The reply of smtpd, without its address.
  Words check(const Words& words) {
    const std::string address = rewriting_.rewrite(mta::RewriteContext::kLocal, words.at(1));
    const auto resolution = resolver_.resolve({}, mta::unquote_address(address));
    if (!resolution) return kFailure;
    const auto reject = check_.reject(*resolution);
    if (!reject) return kFailure;
    if (!*reject) return {"OK"};
    return {std::to_string((*reject)->code), (*reject)->status, (*reject)->text};
  }

  using Answer = std::function<Words(Answers&, const Words&)>;
  static const std::map<std::string, Answer> kQuestions;

  mta::AddressRewriting rewriting_;
  std::shared_ptr<mta::LocalDomains> domains_;
  mta::CanonicalMapping canonical_;
  mta::Masquerade masquerade_;
  mta::VirtualAliases aliases_;
  mta::RouteResolver resolver_;
  mta::RecipientCheck check_;
  std::size_t token_limit_;
};

const std::map<std::string, Answers::Answer> Answers::kQuestions = {
    {"check", &Answers::check},     {"header", &Answers::header},   {"recipient", &Answers::recipient},
    {"resolve", &Answers::resolve}, {"rewrite", &Answers::rewrite}, {"sender", &Answers::sender},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: address_program main.cf\n";
    return 2;
  }
  const auto document = value_of(libconf::MainCfDocument::load(argv[1]));
  const libconf::Host host = libconf::system_host();
  const libconf::Settings settings(&document, host);
  libconf::DiagnosticDiscard warnings;
  Answers answers({.tables = {.settings = settings, .warnings = warnings}, .host = host});
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
