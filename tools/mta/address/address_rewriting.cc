#include "tools/mta/address/address_rewriting.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tools/mta/address/quoting.h"

namespace mta {
namespace {

using libconf::Result;
using Tokens = std::vector<AddressToken>;

/// An address with nothing in it, where there must be one.
constexpr std::string_view kNull = "\"\"";

auto is_special(char c) {
  return [c](const AddressToken& token) { return token.is_special(c); };
}

AddressToken special(char c) { return {TokenKind::kSpecial, std::string(1, c)}; }

bool has_domain(const Tokens& tokens) { return std::any_of(tokens.begin(), tokens.end(), is_special('@')); }

bool is_null(const Tokens& tokens) {
  if (tokens.size() != 1) return false;
  return tokens[0].is_special('@') || (tokens[0].kind == TokenKind::kQuoted && tokens[0].text.empty());
}

/// `@a,@b:user@site` loses its route, if something is behind it.
void drop_route(Tokens& tokens) {
  if (tokens.empty() || !tokens.front().is_special('@')) return;
  const auto colon = std::find_if(tokens.begin(), tokens.end(), is_special(':'));
  if (colon == tokens.end() || std::next(colon) == tokens.end()) return;
  tokens.erase(tokens.begin(), std::next(colon));
}

/// `site!user` becomes `user@site`.
bool swap_bangpath(Tokens& tokens) {
  const auto bang = std::find_if(tokens.begin(), tokens.end(), is_special('!'));
  if (bang == tokens.end()) return false;
  *bang = special('@');
  const auto user = std::rotate(tokens.begin(), std::next(bang), tokens.end());
  // What was moved ahead is the user; the '@' is at the end now.
  std::rotate(user, std::prev(tokens.end()), tokens.end());
  return true;
}

/// `user%site` becomes `user@site`, at the last '%'.
void replace_percent(Tokens& tokens) {
  const auto percent = std::find_if(tokens.rbegin(), tokens.rend(), is_special('%'));
  if (percent != tokens.rend()) *percent = special('@');
}

void append(std::string_view text, Tokens& tokens) {
  Tokens more = address_tokens(text);
  std::move(more.begin(), more.end(), std::back_inserter(tokens));
}

/// Whether the domain is there, and neither has a dot nor is a literal.
bool lacks_dot(const Tokens& tokens) {
  const auto at = std::find_if(tokens.rbegin(), tokens.rend(), is_special('@'));
  if (at == tokens.rend() || at == tokens.rbegin()) return false;
  return std::none_of(tokens.rbegin(), at, [](const AddressToken& token) {
    return token.is_special('.') || token.kind == TokenKind::kLiteral;
  });
}

/// One dot at the end goes; it is not all that there is, and not one of several.
void drop_final_dot(Tokens& tokens) {
  if (tokens.size() < 2 || !tokens.back().is_special('.')) return;
  const AddressToken& before = tokens[tokens.size() - 2];
  if (!before.is_special('.') && !before.is_special('@')) tokens.pop_back();
}

}  // namespace

Result<AddressRewriting> AddressRewriting::from(const libconf::Settings& settings) {
  AddressRewriting rewriting;
  bool append_at_myorigin = true;
  bool append_dot_mydomain = true;
  for (const auto& [name, value] : {std::pair("swap_bangpath", &rewriting.swap_bangpath_),
                                    std::pair("allow_percent_hack", &rewriting.allow_percent_hack_),
                                    std::pair("append_at_myorigin", &append_at_myorigin),
                                    std::pair("append_dot_mydomain", &append_dot_mydomain)}) {
    const Result<bool> setting = settings.get_bool(name);
    if (!setting) return setting.error();
    *value = *setting;
  }
  std::string origin;
  std::string domain;
  std::string remote;
  for (const auto& [name, value] : {std::pair("myorigin", &origin), std::pair("mydomain", &domain),
                                    std::pair("remote_header_rewrite_domain", &remote)}) {
    Result<std::string> setting = settings.get(name);
    if (!setting) return setting.error();
    *value = std::move(*setting);
  }
  rewriting.local_ = {origin, domain};
  rewriting.remote_ = {remote, remote};
  for (Domains* domains : {&rewriting.local_, &rewriting.remote_}) {
    if (!append_at_myorigin) domains->at_origin.clear();
    if (!append_dot_mydomain) domains->dot_domain.clear();
  }
  return rewriting;
}

std::string AddressRewriting::rewrite(RewriteContext context, std::string_view address) const {
  Tokens tokens = address_tokens(address);
  if (tokens.empty()) return {};
  const Domains& domains = context == RewriteContext::kLocal ? local_ : remote_;
  if (is_null(tokens)) return std::string(kNull);
  drop_route(tokens);
  if (!has_domain(tokens)) swap_sites(tokens);
  if (!has_domain(tokens) && !domains.at_origin.empty()) {
    tokens.push_back(special('@'));
    append(domains.at_origin, tokens);
  }
  if (lacks_dot(tokens) && !domains.dot_domain.empty()) {
    tokens.push_back(special('.'));
    append(domains.dot_domain, tokens);
  }
  drop_final_dot(tokens);
  const std::string internal = spaced_text(tokens, TokenForm::kInternal);
  return internal.empty() ? std::string(kNull) : quote_address(internal);
}

void AddressRewriting::swap_sites(Tokens& tokens) const {
  const bool is_swapped = swap_bangpath_ && swap_bangpath(tokens);
  if (!is_swapped && allow_percent_hack_) replace_percent(tokens);
}

}  // namespace mta
