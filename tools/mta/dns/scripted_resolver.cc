#include "tools/mta/dns/scripted_resolver.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::kBlanks;
using libconf::next_word;

/// As many as resolvers follow; more are a loop.
/// Of all records, in seconds.
constexpr std::uint32_t kTimeToLive = 60;

constexpr int kMostAliases = 10;

constexpr std::array kTypes = {DnsType::kA,   DnsType::kAaaa, DnsType::kMx, DnsType::kNs,
                               DnsType::kPtr, DnsType::kSoa,  DnsType::kTxt};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

std::optional<DnsStatus> find_outcome(std::string_view word) {
  if (libconf::equals_ignoring_case(word, "SERVFAIL")) return DnsStatus::kTemporaryFailure;
  if (libconf::equals_ignoring_case(word, "NXDOMAIN")) return DnsStatus::kNoSuchName;
  if (libconf::equals_ignoring_case(word, "NODATA")) return DnsStatus::kNoData;
  return std::nullopt;
}

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"'))
    text = text.substr(1, text.size() - 2);
  return std::string(text);
}

std::optional<DnsRecord> parse_data(DnsType type, std::string_view data) {
  switch (type) {
    case DnsType::kMx: {
      DnsRecord record;
      const std::string_view preference = next_word(data, kBlanks).value_or("");
      const auto [end, error] =
          std::from_chars(preference.data(), preference.data() + preference.size(), record.preference);
      const auto host = next_word(data, kBlanks);
      if (error != std::errc() || end != preference.data() + preference.size() || !host) return std::nullopt;
      record.data = without_final_dot(*host);
      return record;
    }
    case DnsType::kTxt:
      return DnsRecord{unquoted(libconf::trim(data))};
    default: {
      const auto word = next_word(data, kBlanks);
      if (!word) return std::nullopt;
      return DnsRecord{std::string(without_final_dot(*word))};
    }
  }
}

}  // namespace

libconf::Result<ScriptedResolver> ScriptedResolver::parse(std::string_view text, std::string_view file) {
  ScriptedResolver resolver;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    const std::string_view line = libconf::trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    if (const std::string fault = resolver.add_line(line); !fault.empty())
      return libconf::Error{.kind = libconf::ErrorKind::kSyntax,
                            .message = concat(file, ", line ", std::to_string(number), ": ", fault),
                            .file = std::string(file),
                            .line = number};
  }
  return resolver;
}

std::string ScriptedResolver::add_line(std::string_view line) {
  std::string_view rest = line;
  const std::string_view name = without_final_dot(*next_word(rest, kBlanks));
  const std::string_view word = next_word(rest, kBlanks).value_or("");
  Name& entry = names_[lower(name)];
  if (const auto outcome = find_outcome(word)) {
    bool is_limited = false;
    while (const auto limit = next_word(rest, kBlanks)) {
      const auto type = find_dns_type(*limit);
      if (!type) return concat("unknown type \"", *limit, "\"");
      entry.outcomes[*type] = *outcome;
      is_limited = true;
    }
    if (!is_limited)
      for (const DnsType type : kTypes) entry.outcomes[type] = *outcome;
    return {};
  }
  if (libconf::equals_ignoring_case(word, "CNAME")) {
    entry.alias = lower(without_final_dot(next_word(rest, kBlanks).value_or("")));
    return entry.alias.empty() ? "a CNAME needs a name" : "";
  }
  const auto type = find_dns_type(word);
  if (!type) return concat("unknown type \"", word, "\"");
  auto record = parse_data(*type, rest);
  if (!record) return concat("bad data for type ", word);
  entry.records[*type].push_back(std::move(*record));
  return {};
}

asio::awaitable<DnsAnswer> ScriptedResolver::resolve(std::string name, DnsType type) {
  co_return answer(name, type);
}

DnsAnswer ScriptedResolver::answer(std::string_view name, DnsType type) const {
  std::string current = lower(without_final_dot(name));
  for (int i = 0; i <= kMostAliases; ++i) {
    const auto found = names_.find(current);
    if (found == names_.end()) {
      const std::string below = concat(".", current);
      const bool is_parent = std::any_of(names_.begin(), names_.end(),
                                         [&](const auto& entry) { return entry.first.ends_with(below); });
      return {.status = is_parent ? DnsStatus::kNoData : DnsStatus::kNoSuchName};
    }
    const Name& entry = found->second;
    if (const auto outcome = entry.outcomes.find(type); outcome != entry.outcomes.end())
      return {.status = outcome->second};
    if (!entry.alias.empty()) {
      current = entry.alias;
      continue;
    }
    const auto records = entry.records.find(type);
    if (records == entry.records.end()) return {.status = DnsStatus::kNoData};
    return {.status = DnsStatus::kFound, .records = records->second, .ttl = kTimeToLive, .name = current};
  }
  return {.status = DnsStatus::kTemporaryFailure};
}

}  // namespace mta
