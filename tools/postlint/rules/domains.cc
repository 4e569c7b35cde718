// Which domains are whose, and who their recipients are.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include "libconf/byte_set.h"
#include "libconf/parameter_table.h"
#include "libconf/table_reference.h"
#include "libconf/text.h"
#include "libmaps/table_types.h"
#include "tools/mta/delivery/alias_items.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/rules/rules.h"
#include "tools/postlint/table_store.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;

namespace {

constexpr std::array<std::string_view, 4> kDomainLists = {"mydestination", "virtual_alias_domains",
                                                          "virtual_mailbox_domains", "relay_domains"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// Visits the tables of a parameter, in their order.
void for_each_table_of(const SiteModel& site, std::string_view parameter,
                       const std::function<void(std::string_view type, std::string_view name)>& visit) {
  const std::string value = value_of(site.settings(), parameter);
  libconf::DiagnosticDiscard discard;
  libconf::for_each_table(value, parameter, discard, visit);
}

/// The domains of one list, each with the word of its value that it comes from.
std::map<std::string, std::string> domains_of(const SiteModel& site, std::string_view parameter) {
  std::map<std::string, std::string> out;
  for (const std::string& word : words_of(site.settings(), parameter)) {
    if (word.starts_with('!') || word.starts_with('/')) continue;
    const std::size_t colon = word.find(':');
    if (colon == std::string::npos) {
      out.emplace(lower(word), word);
      continue;
    }
    for (const TableEntry& entry : site.tables().entries(word.substr(0, colon), word.substr(colon + 1)))
      // virtual_alias_domains may have the keys of virtual_alias_maps, addresses and all.
      if (entry.key.find('@') == std::string::npos && entry.key.find('.') != std::string::npos)
        out.emplace(lower(entry.key), word);
  }
  return out;
}

/// The domains that this host is the end of, or knows the recipients of.
std::set<std::string> own_domains(const SiteModel& site) {
  std::set<std::string> out;
  for (const std::string_view parameter : kDomainLists)
    for (const auto& [domain, word] : domains_of(site, parameter)) out.insert(domain);
  return out;
}

bool has_restriction(const SiteModel& site, mta::RestrictionKind kind, mta::Subject subject) {
  bool found = false;
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    if (at.restriction.type->kind == kind && at.restriction.type->subject == subject) found = true;
  });
  return found;
}

bool is_set_and_empty(const Settings& settings, std::string_view name) {
  return settings.explicit_setting(name).has_value() && value_of(settings, name).empty();
}

}  // namespace

void domain_overlap(const SiteModel& site, Findings& findings) {
  std::map<std::string, std::string_view> first;
  for (const std::string_view parameter : kDomainLists) {
    // The old default of relay_domains is $mydestination.
    if (!site.settings().explicit_setting(parameter) && parameter == "relay_domains") continue;
    for (const auto& [domain, word] : domains_of(site, parameter)) {
      const auto [known, is_new] = first.emplace(domain, parameter);
      if (!is_new)
        findings.add(site.place_of(site.settings(), parameter, word),
                     concat(domain, " is in ", parameter, " and in ", known->second));
    }
  }
}

void local_rcpt_empty(const SiteModel& site, Findings& findings) {
  if (is_set_and_empty(site.settings(), "local_recipient_maps") &&
      !value_of(site.settings(), "mydestination").empty())
    findings.add(site.place_of(site.settings(), "local_recipient_maps"),
                 "mail for users that do not exist is accepted, and bounced to forged senders");
}

void relay_rcpt_missing(const SiteModel& site, Findings& findings) {
  const Settings& settings = site.settings();
  if (!settings.explicit_setting("relay_domains") || value_of(settings, "relay_domains").empty()) return;
  if (!value_of(settings, "relay_recipient_maps").empty()) return;
  if (has_restriction(site, mta::RestrictionKind::kRejectUnverified, mta::Subject::kRecipient)) return;
  findings.add(
      site.place_of(settings, "relay_domains"),
      "any recipient of these domains is accepted: relay_recipient_maps is empty, and none is verified");
}

void late_reject(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "smtpd_reject_unlisted_recipient";
  for (const SmtpServer& server : site.smtp_servers()) {
    // Users are told of a mistyped address by their own mail system soon enough.
    const bool is_for_users = server.role == SmtpRole::kSubmission || server.role == SmtpRole::kSubmissions;
    if (server.is_local_only || is_for_users || is_yes(server.settings, kName)) continue;
    if (has_restriction(site, mta::RestrictionKind::kRejectUnlisted, mta::Subject::kRecipient)) continue;
    findings.add(site.place_of(server.settings, kName),
                 "recipients that do not exist are found out after the mail is accepted");
  }
}

void catchall_remote(const SiteModel& site, Findings& findings) {
  const std::set<std::string> own = own_domains(site);
  for_each_table_of(site, "virtual_alias_maps", [&](std::string_view type, std::string_view name) {
    for (const TableEntry& entry : site.tables().entries(type, name)) {
      if (!entry.key.starts_with('@')) continue;
      for (const mta::AliasItem& item : mta::parse_alias_items(entry.value)) {
        const std::size_t at = item.text.rfind('@');
        if (at == std::string::npos || own.contains(lower(std::string_view(item.text).substr(at + 1))))
          continue;
        findings.add({.file = site.files().path(name).value_or(std::string(name)), .line = entry.line},
                     concat("everything for ", entry.key, ", spam too, goes on to ", item.text));
      }
    }
  });
  const std::string luser = value_of(site.settings(), "luser_relay");
  const std::size_t at = luser.rfind('@');
  if (at != std::string::npos && !own.contains(lower(std::string_view(luser).substr(at + 1))))
    findings.add(site.place_of(site.settings(), "luser_relay", luser),
                 concat("everything for users that do not exist goes on to ", luser));
}

void myhostname_fqdn(const SiteModel& site, Findings& findings) {
  if (!site.settings().explicit_setting("myhostname")) return;
  const std::string name = value_of(site.settings(), "myhostname");
  const bool is_local = name.ends_with(".localdomain") || name.ends_with(".local") || name == "localhost";
  if (!is_local && name.find('.') != std::string::npos) return;
  findings.add(site.place_of(site.settings(), "myhostname", name),
               concat("\"", name, "\" is no name that other hosts can look up"));
}

void no_postmaster(const SiteModel& site, Findings& findings) {
  const std::map<std::string, std::string> local = domains_of(site, "mydestination");
  if (local.empty()) return;
  // Whether an entry takes the mail of a local domain's postmaster.
  const auto is_postmaster = [&](std::string_view key) {
    const std::size_t at = key.rfind('@');
    const std::string_view user = key.substr(0, at);
    if (user != "postmaster" && !(user.empty() && at == 0)) return false;
    return at == std::string_view::npos || local.contains(std::string(key.substr(at + 1)));
  };
  bool is_known = false;  // At least one table of aliases can be read,
  bool is_there = false;  // and one has the entry, or may have it.
  for (const std::string_view parameter : {"alias_maps", "virtual_alias_maps"}) {
    const bool is_alias = parameter == "alias_maps";
    for_each_table_of(site, parameter, [&](std::string_view type, std::string_view name) {
      const libmaps::TableType* row = libmaps::find_table_type(type);
      if (row == nullptr || !row->has_index() || site.files().state(name) != FileState::kPresent) {
        // A server, patterns, an index without its source may have it.
        is_there = true;
        return;
      }
      const auto entries = site.tables().entries(type, name, is_alias);
      is_known |= is_alias;
      is_there |= std::any_of(entries.begin(), entries.end(),
                              [&](const TableEntry& entry) { return is_postmaster(entry.key); });
    });
  }
  if (is_known && !is_there)
    findings.add(site.place_of(site.settings(), "alias_maps"), "no table of aliases has postmaster");
}

namespace {

/// The addresses in the value of an alias. Most are plain; to read those of all kinds takes its time.
void for_each_address(std::string_view value, const std::function<void(std::string_view)>& visit) {
  constexpr libconf::ByteSet kSpecial("\"\\()<>|:;[]/~");
  if (std::none_of(value.begin(), value.end(), [&](char c) { return kSpecial.has(c); })) {
    while (const auto word = libconf::next_word(value, libconf::kListSeparators)) visit(*word);
    return;
  }
  for (const mta::AliasItem& item : mta::parse_alias_items(value))
    // A name behind a backslash is no alias any more.
    if (item.kind == mta::AliasItemKind::kAddress && !item.text.starts_with('\\')) visit(item.text);
}

std::string_view domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

/// The tables of one parameter.
struct AliasTable {
  std::span<const TableEntry> entries;
  std::string file;
};

/// The aliases of one parameter, as a graph: which key leads to which. Most aliases of a large table lead out
/// of it, to domains that no key has: those are no part of a circle, and left out.
class AliasGraph {
 public:
  explicit AliasGraph(const std::vector<AliasTable>& tables) : tables_(tables) {
    std::string_view last;
    for (const AliasTable& table : tables)
      for (const TableEntry& entry : table.entries)
        if (const std::string_view domain = domain_of(entry.key); domain != last || domains_.empty())
          domains_.emplace(last = domain);
    for (const AliasTable& table : tables)
      for (const TableEntry& entry : table.entries)
        if (leads_back(entry)) nodes_.try_emplace(entry.key, Node{&entry, table.file});
  }

  void find_loops(Findings& findings) {
    for (auto& [key, node] : nodes_) {
      visit(key, node);
      for (std::vector<std::string_view>& loop : loops_) report(loop, findings);
      loops_.clear();
    }
  }

 private:
  struct Node {
    const TableEntry* entry;
    std::string_view file;
    enum class State : std::uint8_t { kNew, kOpen, kDone } state = State::kNew;
  };
  using Nodes = std::unordered_map<std::string_view, Node>;

  bool leads_back(const TableEntry& entry) const {
    bool found = false;
    for_each_address(entry.value, [&](std::string_view address) {
      const std::string_view domain = domain_of(address);
      found |= domains_.contains(domain) || domains_.contains(lower(domain));
    });
    return found;
  }

  /// The key that an address is found by; end: it is no alias.
  Nodes::iterator find(std::string_view address) {
    const std::string key = lower(address);
    if (const auto exact = nodes_.find(key); exact != nodes_.end()) return exact;
    const std::size_t at = key.rfind('@');
    return at == std::string::npos ? nodes_.end() : nodes_.find(std::string_view(key).substr(at));
  }

  void visit(std::string_view key, Node& node) {
    if (node.state != Node::State::kNew || path_.size() > kMaxPath) return;
    node.state = Node::State::kOpen;
    path_.push_back(key);
    for_each_address(node.entry->value, [&](std::string_view address) {
      const auto next = find(address);
      // An alias that names itself ends there.
      if (next == nodes_.end() || &next->second == &node) return;
      if (next->second.state == Node::State::kOpen)
        loops_.emplace_back(std::find(path_.begin(), path_.end(), next->first), path_.end());
      else
        visit(next->first, next->second);
    });
    path_.pop_back();
    node.state = Node::State::kDone;
  }

  /// Whether no entry before has the key: the first counts.
  bool is_first(const TableEntry& entry) const {
    for (const AliasTable& table : tables_)
      for (const TableEntry& other : table.entries)
        if (other.key == entry.key) return &other == &entry;
    return true;
  }

  /// A circle is told of at its entry that comes first.
  void report(std::vector<std::string_view>& loop, Findings& findings) const {
    const auto line = [&](std::string_view key) { return nodes_.at(key).entry->line; };
    if (!std::all_of(loop.begin(), loop.end(),
                     [&](std::string_view key) { return is_first(*nodes_.at(key).entry); }))
      return;
    std::rotate(loop.begin(),
                std::min_element(loop.begin(), loop.end(),
                                 [&](std::string_view a, std::string_view b) { return line(a) < line(b); }),
                loop.end());
    std::string way;
    for (const std::string_view key : loop) way += concat(key, " -> ");
    findings.add({.file = std::string(nodes_.at(loop.front()).file), .line = line(loop.front())},
                 concat("addresses go round in a circle: ", way, loop.front()));
  }

  static constexpr std::size_t kMaxPath = 1000;  ///< Postfix itself stops after as many.
  const std::vector<AliasTable>& tables_;
  std::set<std::string, std::less<>> domains_;  ///< Of the keys; "" stands for none.
  Nodes nodes_;
  std::vector<std::string_view> path_;
  std::vector<std::vector<std::string_view>> loops_;
};

}  // namespace

/// Canonical addresses are looked up again, too, until they stay as they are.
void alias_loop(const SiteModel& site, Findings& findings) {
  for (const std::string_view parameter : {"virtual_alias_maps", "alias_maps", "canonical_maps",
                                           "sender_canonical_maps", "recipient_canonical_maps"}) {
    std::vector<AliasTable> tables;
    for_each_table_of(site, parameter, [&](std::string_view type, std::string_view name) {
      tables.push_back({site.tables().entries(type, name, parameter == "alias_maps"),
                        site.files().path(name).value_or(std::string(name))});
    });
    AliasGraph(tables).find_loops(findings);
  }
}

}  // namespace postlint::rules
