// What is wrong with main.cf and master.cf as texts, whatever the values mean.
#include <algorithm>
#include <array>
#include <map>
#include <regex>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/postlint/rules/rules.h"
#include "tools/postlint/suppressions.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;

void malformed_line(const SiteModel& site, Findings& findings) {
  for (const libconf::MainCfEntry& entry : site.main_cf().entries())
    if (entry.fault != libconf::NameValueFault::kNone)
      findings.add({.file = site.main_cf().file(), .line = entry.line}, std::string(describe(entry.fault)));
}

void dup_param(const SiteModel& site, Findings& findings) {
  std::map<std::string_view, const libconf::MainCfEntry*> last;
  for (const libconf::MainCfEntry& entry : site.main_cf().entries()) last[entry.name] = &entry;
  for (const libconf::MainCfEntry& entry : site.main_cf().entries()) {
    const libconf::MainCfEntry* effective = last[entry.name];
    if (entry.name.empty() || effective == &entry) continue;
    findings.add(site.place_of(entry),
                 concat(entry.name, " is set again in line ", std::to_string(effective->line),
                        "; this value does not count"),
                 Fix{.dropped_lines = {entry.line}});
  }
}

void dup_service(const SiteModel& site, Findings& findings) {
  for (const Service& service : site.services()) {
    if (!service.is_replaced) continue;
    const libconf::MasterService& entry = service.service();
    const Service* effective = site.find_service(entry.service(), entry.type());
    findings.add(site.place_of(service),
                 concat(entry.key(), " is defined again in line ", std::to_string(effective->entry->line),
                        "; this entry does not count"));
  }
}

namespace {

/// How the names of parameters end that hold lists: in texts, such as banners, quotes have their place.
constexpr std::array<std::string_view, 12> kListEndings = {
    "_classes", "_clients",      "_domains",   "_exceptions", "_hosts",        "_interfaces",
    "_maps",    "_restrictions", "_protocols", "_networks",   "mydestination", "mynetworks",
};

bool is_list(std::string_view name) {
  return std::any_of(kListEndings.begin(), kListEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace

void quoted_value(const SiteModel& site, Findings& findings) {
  const auto is_quoted = [](std::string_view text) {
    return text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  };
  for_each_setting(site, [&](const Settings& settings, std::string_view name) {
    // Commands are read by a shell, which takes quotes off.
    if (name.ends_with("_command")) return;
    const std::string_view value = libconf::trim(settings.value_of(name).value_or(""));
    if (is_quoted(value)) {
      std::optional<Fix> fix;
      if (settings.explicit_setting(name)->origin.kind == libconf::OriginKind::kMainCf)
        fix = Fix{.main_cf = {{std::string(name), std::string(value.substr(1, value.size() - 2))}}};
      return findings.add(site.place_of(settings, name, value), concat("the quotes become part of ", name),
                          fix);
    }
    if (!is_list(name)) return;
    std::string_view rest = value;
    while (const auto word = libconf::next_braced_word(rest, libconf::kListSeparators))
      if (is_quoted(*word))
        findings.add(site.place_of(settings, name, *word),
                     concat("the quotes become part of an item of ", name));
  });
}

namespace {

/// What makers of templates leave behind: Jinja, ERB, autoconf, shell.
const std::regex& template_pattern() {
  static const std::regex pattern(
      R"re(\{\{ *[A-Za-z_][\w.|()'" \[\],-]* *\}\}|\{%.*%\}|<%.*%>|@[A-Z][A-Z0-9_]{2,}@|%%[A-Z_]+%%)re",
      std::regex::optimize);
  return pattern;
}

/// Names that stand for one that is to be filled in. example.com is from RFC 2606.
constexpr std::array<std::string_view, 6> kPlaceholders = {
    "example.com", "domain.tld", "yourdomain.com", "your-domain.com", "yourdomain.tld", "changeme",
};

constexpr std::array<std::string_view, 8> kNamingParameters = {
    "mydestination",
    "mydomain",
    "myhostname",
    "myorigin",
    "relay_domains",
    "relayhost",
    "virtual_alias_domains",
    "virtual_mailbox_domains",
};

bool is_placeholder(std::string_view word) {
  word = word.substr(0, word.find(']'));
  if (word.starts_with('[')) word.remove_prefix(1);
  word = word.substr(0, word.find(':'));
  return std::any_of(kPlaceholders.begin(), kPlaceholders.end(), [&](std::string_view name) {
    return word.ends_with(name) && (word.size() == name.size() || word[word.size() - name.size() - 1] == '.');
  });
}

void find_template_residue(const SiteModel& site, const std::string& file, const libconf::Lines& lines,
                           Findings& findings) {
  for (const libconf::LogicalLine& line : lines.logical()) {
    if (line.text.find_first_of("{<@%") == std::string_view::npos) continue;
    std::match_results<std::string_view::const_iterator> match;
    if (!std::regex_search(line.text.begin(), line.text.end(), match, template_pattern())) continue;
    findings.add(site.place_in(file, lines, line, static_cast<std::size_t>(match.position()),
                               static_cast<std::size_t>(match.length())),
                 concat("a template was not filled in: ", match.str()));
  }
}

}  // namespace

void template_residue(const SiteModel& site, Findings& findings) {
  find_template_residue(site, site.main_cf().file(), site.main_cf().lines(), findings);
  if (const libconf::MasterCfDocument* master = site.master_document())
    find_template_residue(site, master->file(), master->lines(), findings);
  for_each_setting(site, [&](const Settings& settings, std::string_view name) {
    if (std::find(kNamingParameters.begin(), kNamingParameters.end(), name) == kNamingParameters.end())
      return;
    std::string_view rest = settings.value_of(name).value_or("");
    while (const auto word = libconf::next_word(rest, libconf::kListSeparators))
      if (is_placeholder(*word))
        findings.add(site.place_of(settings, name, *word), concat(*word, " stands for a name of your own"));
  });
}

namespace {

constexpr std::array<std::string_view, 5> kServiceTypes = {"fifo", "inet", "pass", "unix", "unix-dgram"};

bool is_service_type(std::string_view word) {
  return std::find(kServiceTypes.begin(), kServiceTypes.end(), word) != kServiceTypes.end();
}

/// Whether the words from `first` on look like the fields of an entry of master.cf behind its name.
bool looks_like_service(std::span<const std::string_view> words) {
  constexpr std::size_t kFieldsAfterName = 7;
  if (words.size() < kFieldsAfterName || !is_service_type(words[0])) return false;
  return std::all_of(words.begin() + 1, words.begin() + 4,
                     [](std::string_view word) { return word == "-" || word == "y" || word == "n"; });
}

std::vector<std::string_view> words_in(std::string_view text) {
  std::vector<std::string_view> words;
  while (const auto word = libconf::next_word(text, libconf::kBlanks)) words.push_back(*word);
  return words;
}

std::size_t offset_in(std::string_view text, std::string_view part) {
  return static_cast<std::size_t>(part.data() - text.data());
}

void check_orphans(const std::string& file, const libconf::Lines& lines, Findings& findings) {
  for (const libconf::LogicalLine& line : lines.logical())
    if (line.is_orphan)
      findings.add(
          {.file = file, .line = static_cast<int>(line.first) + 1},
          "a line that starts with a blank continues the one before it, and there is none: it is ignored");
}

void check_glued_services(const libconf::MasterCfDocument& master, Findings& findings) {
  for (const libconf::LogicalLine& line : master.lines().logical()) {
    const std::vector<std::string_view> words = words_in(line.text);
    for (std::size_t i = 8; i + 1 < words.size(); ++i)
      if (looks_like_service(std::span(words).subspan(i + 1)))
        findings.add(SiteModel::place_in(master.file(), master.lines(), line, offset_in(line.text, words[i]),
                                         words[i].size()),
                     concat("service ", words[i], " has become an argument of service ", words[0]));
    for (const std::string_view word : words)
      if (word.starts_with('#'))
        findings.add(
            SiteModel::place_in(master.file(), master.lines(), line, offset_in(line.text, word), word.size()),
            "a '#' behind other text begins no comment: it is an argument");
  }
}

/// `name =` inside a value, where the name is a parameter: most often a line that should not be indented.
void check_glued_parameters(const SiteModel& site, const libconf::MainCfEntry& entry, Findings& findings) {
  const libconf::MainCfDocument& main = site.main_cf();
  const libconf::LogicalLine& line = *std::find_if(
      main.lines().logical().begin(), main.lines().logical().end(),
      [&](const libconf::LogicalLine& each) { return static_cast<int>(each.first) + 1 == entry.line; });
  std::string_view rest = entry.value;
  while (const auto word = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    const auto report = [&](std::string message) {
      findings.add(
          SiteModel::place_in(main.file(), main.lines(), line, offset_in(line.text, *word), word->size()),
          std::move(message));
    };
    if (word->starts_with('#') && word->data() != entry.value.data())
      report(concat("a '#' behind other text begins no comment: it is part of ", entry.name));
    const std::string_view name = word->substr(0, word->find('='));
    const bool is_assigned = name.size() < word->size() || libconf::trim_left(rest).starts_with('=');
    if (is_assigned && name != entry.name && libconf::find_parameter(name) != nullptr)
      report(concat(name, " has become part of the value of ", entry.name));
  }
}

}  // namespace

void suspicious_layout(const SiteModel& site, Findings& findings) {
  check_orphans(site.main_cf().file(), site.main_cf().lines(), findings);
  for (const libconf::MainCfEntry& entry : site.main_cf().entries())
    if (entry.value.find('#') != std::string_view::npos || entry.value.find('=') != std::string_view::npos)
      check_glued_parameters(site, entry, findings);
  if (const libconf::MasterCfDocument* master = site.master_document()) {
    check_orphans(master->file(), master->lines(), findings);
    check_glued_services(*master, findings);
  }
}

void bad_ignore(const SiteModel& site, Findings& findings) {
  const auto check = [&](const std::string& file, std::string_view text) {
    for (const IgnoreComment& comment : ignore_comments(text)) {
      for (const std::string& id : comment.rules)
        if (find_rule(id) == nullptr)
          findings.add({.file = file, .line = comment.line}, concat("no such rule: ", id));
      if (comment.reason.empty())
        findings.add({.file = file, .line = comment.line}, "the comment gives no reason");
    }
  };
  check(site.main_cf().file(), site.main_cf().text());
  if (const libconf::MasterCfDocument* master = site.master_document()) check(master->file(), master->text());
}

}  // namespace postlint::rules
