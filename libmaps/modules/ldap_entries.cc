#include "libmaps/modules/ldap_entries.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;
using Role = LdapAttributes::Role;

struct FreeBer {
  void operator()(BerElement* ber) const { ::ber_free(ber, 0); }
};
struct FreeValues {
  void operator()(berval* values) const { ::ber_memfree(values); }
};
struct FreeUrl {
  void operator()(LDAPURLDesc* url) const { ::ldap_free_urldesc(url); }
};
using Url = std::unique_ptr<LDAPURLDesc, FreeUrl>;

std::string_view text_of(const berval& value) { return {value.bv_val, value.bv_len}; }

/// A value of an entry.
struct Item {
  std::string
      reference;  ///< The attribute, when the value is the DN or URL of more entries; otherwise empty.
  std::string value;
};

/// What is still to be done with the answer to one search.
struct Level {
  std::vector<Item> items;
  std::size_t next = 0;
};

struct Attribute {
  std::string_view name;
  std::unique_ptr<berval, FreeValues> values;
};

std::vector<Attribute> attributes_of(LDAP* handle, LDAPMessage* entry,
                                     std::unique_ptr<BerElement, FreeBer>& ber) {
  std::vector<Attribute> attributes;
  BerElement* element = nullptr;
  berval dn{};
  if (::ldap_get_dn_ber(handle, entry, &element, &dn) != LDAP_SUCCESS) return attributes;
  ber.reset(element);
  berval name{};
  berval* values = nullptr;
  while (::ldap_get_attribute_ber(handle, entry, element, &name, &values) == LDAP_SUCCESS &&
         name.bv_val != nullptr)
    attributes.push_back({.name = text_of(name),
                          .values = std::unique_ptr<berval, FreeValues>(std::exchange(values, nullptr))});
  return attributes;
}

/// Appends what one entry has to say.
void read_entry(LDAP* handle, LDAPMessage* entry, const LdapAttributes& wanted, std::vector<Item>& items) {
  std::unique_ptr<BerElement, FreeBer> ber;
  const std::vector<Attribute> attributes = attributes_of(handle, entry, ber);
  bool is_terminal = false;
  bool is_group = false;
  for (const Attribute& attribute : attributes) {
    is_terminal = is_terminal || wanted.role_of(attribute.name) == Role::kTerminal;
    is_group = is_group || wanted.is_special(attribute.name);
  }
  for (const auto& [name, values] : attributes) {
    const Role role = wanted.role_of(name);
    if (values == nullptr || role == Role::kNone) continue;
    if (is_terminal ? role != Role::kTerminal : role == Role::kLeaf && is_group) continue;
    const std::string_view reference = role == Role::kSpecial ? name : std::string_view();
    for (const berval* value = values.get(); value->bv_val != nullptr; ++value)
      // A value is a C string to Postfix.
      items.push_back({.reference = std::string(reference), .value = std::string(value->bv_val)});
  }
}

Level read_entries(LDAP* handle, LDAPMessage* messages, const LdapAttributes& wanted) {
  Level level;
  for (LDAPMessage* entry = ::ldap_first_entry(handle, messages); entry != nullptr;
       entry = ::ldap_next_entry(handle, entry))
    read_entry(handle, entry, wanted, level.items);
  return level;
}

std::vector<std::string> attributes_of(const LDAPURLDesc& url) {
  std::vector<std::string> names;
  for (char** name = url.lud_attrs; name != nullptr && *name != nullptr; ++name) names.emplace_back(*name);
  return names;
}

/// Walks through entries and those that they refer to. A stack in place of recursion: the depth is only
/// limited by a setting.
class Walk {
 public:
  Walk(LdapConnection& connection, const LdapSettings& settings, std::string_view key, ResultList& results,
       libconf::DiagnosticSink& warnings, LdapAnswer& failure)
      : connection_(connection),
        settings_(settings),
        key_(key),
        results_(results),
        warnings_(warnings),
        failure_(failure) {}

  LdapOutcome run(const LdapAnswer& answer) {
    push(answer);
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.next == level.items.size()) {
        levels_.pop_back();
        continue;
      }
      // Taken out of the stack, which grows when it is a reference.
      const Item item = std::move(level.items[level.next++]);
      const LdapOutcome outcome = item.reference.empty() ? add(item.value) : follow(item);
      if (outcome != LdapOutcome::kDone) return outcome;
    }
    if (last_code_ != LDAP_SUCCESS) warn_of_trouble();
    return LdapOutcome::kDone;
  }

 private:
  void push(const LdapAnswer& answer) {
    levels_.push_back(read_entries(connection_.handle(), answer.messages.get(), settings_.attributes));
  }

  LdapOutcome add(std::string_view value) {
    if (results_.append(value)) return LdapOutcome::kDone;
    warnings_.warn("expansion-limit", concat(place(), settings_.server.config,
                                             ": Expansion limit exceeded for key: '", key_, "'"));
    return LdapOutcome::kFailed;
  }

  LdapOutcome follow(const Item& item) {
    if (static_cast<std::int64_t>(levels_.size()) >= settings_.recursion_limit) {
      warnings_.warn("recursion-limit", concat(place(), settings_.server.config,
                                               ": Recursion limit exceeded for special attribute ",
                                               item.reference, "=", item.value));
      return LdapOutcome::kFailed;
    }
    if (::ldap_is_ldap_url(item.value.c_str()) == 0)
      return search(item, {.base = item.value,
                           .scope = LDAP_SCOPE_BASE,
                           .filter = kAnyEntry,
                           .attributes = settings_.attributes.names()});
    LDAPURLDesc* parsed = nullptr;
    const int fault = ::ldap_url_parse(item.value.c_str(), &parsed);
    const Url url(parsed);
    if (fault != LDAP_URL_SUCCESS) {
      warnings_.warn("ldap-url", concat(settings_.server.table, ": malformed URL ", item.reference, "=",
                                        item.value, ", skipping"));
      return LdapOutcome::kDone;
    }
    const std::vector<std::string> names = settings_.attributes.selected(attributes_of(*url));
    if (names.empty()) return LdapOutcome::kDone;
    return search(item, {.base = url->lud_dn == nullptr ? "" : url->lud_dn,
                         .scope = url->lud_scope,
                         .filter = url->lud_filter == nullptr ? kAnyEntry : url->lud_filter,
                         .attributes = names});
  }

  LdapOutcome search(const Item& item, const LdapSearch& search) {
    LdapAnswer answer = connection_.search(search);
    last_code_ = answer.code;
    if (answer.code == LDAP_SUCCESS) {
      push(answer);
      return LdapOutcome::kDone;
    }
    if (answer.code == LDAP_NO_SUCH_OBJECT) {
      warnings_.warn("ldap-dn", concat(place(), "DN ", item.value, " not found, skipping "));
      return LdapOutcome::kDone;
    }
    failure_ = std::move(answer);
    if (is_connection_lost(failure_.code)) return LdapOutcome::kLost;
    warn_of_failure(item);
    return LdapOutcome::kFailed;
  }

  void warn_of_failure(const Item& item) {
    warnings_.warn("ldap-search", concat(place(), "search error ", std::to_string(failure_.code), ": ",
                                         ::ldap_err2string(failure_.code), " "));
    warn_of_trouble();
    connection_.explain(failure_, concat(item.reference, "=", item.value));
  }

  void warn_of_trouble() {
    warnings_.warn("ldap-search",
                   concat("dict_ldap_lookup: Had some trouble with entries returned by search: ",
                          ::ldap_err2string(last_code_)));
  }

  /// As Postfix's warnings begin.
  std::string place() const { return concat("dict_ldap_get_values[", std::to_string(levels_.size()), "]: "); }

  static constexpr const char* kAnyEntry = "(objectclass=*)";

  LdapConnection& connection_;
  const LdapSettings& settings_;
  std::string_view key_;
  ResultList& results_;
  libconf::DiagnosticSink& warnings_;
  LdapAnswer& failure_;
  std::vector<Level> levels_;
  int last_code_ = LDAP_SUCCESS;
};

}  // namespace

LdapOutcome collect_ldap_values(LdapConnection& connection, const LdapSettings& settings,
                                std::string_view key, const LdapAnswer& answer, ResultList& results,
                                libconf::DiagnosticSink& warnings, LdapAnswer& failure) {
  return Walk(connection, settings, key, results, warnings, failure).run(answer);
}

}  // namespace libmaps
