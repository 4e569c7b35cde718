#include "tools/mta/access/restriction_list.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "libconf/braces.h"
#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

using enum RestrictionKind;

/// Nothing that stands behind it is ever reached. A refusal that is only warned of decides nothing.
bool always_decides(const Restriction& restriction) {
  const RestrictionKind kind = restriction.type->kind;
  return kind == kPermit || ((kind == kReject || kind == kDefer) && !restriction.warn_only);
}

std::optional<std::chrono::seconds> parse_seconds(std::string_view text) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

Result<std::vector<CertificateKey>> parse_search_order(std::string_view value) {
  std::vector<CertificateKey> order;
  while (const auto word = libconf::next_word(value, libconf::kListSeparators)) {
    if (*word == "cert_fingerprint")
      order.push_back(CertificateKey::kCertificateFingerprint);
    else if (*word == "pubkey_fingerprint")
      order.push_back(CertificateKey::kPublicKeyFingerprint);
    else
      return libconf::configuration_error(
          concat("check_ccert_access: search_order: bad key \"", *word, "\""));
  }
  if (order.empty()) return libconf::configuration_error("check_ccert_access: search_order: empty list");
  return order;
}

/// "type:table", or "{ type:table, { search_order = ... } }".
Result<CertificateArgument> parse_certificate_argument(std::string_view text) {
  CertificateArgument argument;
  if (!text.starts_with('{')) {
    argument.table = text;
    return argument;
  }
  libconf::DiagnosticList faults;
  std::string_view rest = libconf::strip_braces(text, "check_ccert_access", faults);
  argument.table = libconf::next_braced_word(rest, libconf::kListSeparators).value_or("");
  while (auto word = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    if (word->starts_with('{')) word = libconf::strip_braces(*word, "check_ccert_access", faults);
    libconf::NameValue option;
    if (libconf::split_name_value(*word, option) != libconf::NameValueFault::kNone ||
        option.name != "search_order")
      return libconf::configuration_error(concat("check_ccert_access: unexpected: \"", *word, "\""));
    auto order = parse_search_order(option.value);
    if (!order) return order.error();
    argument.search_order = std::move(*order);
  }
  if (!faults.items().empty()) return libconf::configuration_error(faults.items().front().message);
  return argument;
}

}  // namespace

/// Reads one list, and the classes that it names.
class RestrictionClasses::Parser {
 public:
  Parser(RestrictionClasses& classes, libconf::DiagnosticSink& warnings)
      : classes_(classes), warnings_(warnings) {}

  Result<RestrictionList> parse(std::string_view value) {
    RestrictionList list;
    std::string_view decided;
    bool warn_only = false;
    while (const auto word = next(value)) {
      if (!decided.empty()) {
        warnings_.warn("restriction-ignored",
                       concat("restriction `", *word, "' after `", decided, "' is ignored"));
        return list;
      }
      Restriction restriction{.text = std::string(*word), .warn_only = warn_only};
      if (Result<void> done = read(*word, value, restriction); !done) return done.error();
      warn_only = restriction.type->kind == kWarnIfReject;
      if (always_decides(restriction)) decided = *word;
      if (!warn_only) list.push_back(std::move(restriction));
    }
    return list;
  }

  Result<void> define(const std::string& name) {
    if (std::find(open_.begin(), open_.end(), name) != open_.end())
      return libconf::configuration_error(concat("restriction class `", name, "' contains itself"));
    if (classes_.classes_.contains(name)) return {};
    auto value = classes_.settings_->get(name);
    if (!value) return value.error();
    if (libconf::trim(*value).empty())
      return libconf::configuration_error(concat("restriction class `", name, "' needs a definition"));
    open_.push_back(name);
    auto list = parse(*value);
    open_.pop_back();
    if (!list) return list.error();
    classes_.classes_.emplace(name, std::make_shared<const RestrictionList>(std::move(*list)));
    return {};
  }

  /// The names that classes may have, before they are defined.
  std::vector<std::string> declared = {};

 private:
  static std::optional<std::string_view> next(std::string_view& value) {
    return libconf::next_braced_word(value, libconf::kListSeparators);
  }

  Result<void> read(std::string_view word, std::string_view& rest, Restriction& restriction) {
    if (std::find(declared.begin(), declared.end(), word) != declared.end())
      if (Result<void> done = define(std::string(word)); !done) return done;
    if (const auto found = classes_.classes_.find(word); found != classes_.classes_.end()) {
      restriction.type = &kClassType;
      restriction.restrictions = found->second;
      return {};
    }
    if (const RestrictionType* type = find_restriction_type(word)) {
      restriction.type = type;
      return read_argument(rest, restriction);
    }
    if (word.find(':') != std::string_view::npos) {
      restriction.type = &kTableType;
      restriction.argument = std::string(word);
      return {};
    }
    restriction.warnings = {concat("unknown smtpd restriction: \"", word, "\"")};
    return {};
  }

  Result<void> read_argument(std::string_view& rest, Restriction& restriction) {
    const std::string_view name = restriction.type->name;
    switch (restriction.type->argument) {
      case RestrictionArgument::kNone:
        if (restriction.type->kind == kRemoved)
          restriction.warnings = {concat("support for restriction \"", name,
                                         "\" has been removed as of Postfix 3.9; instead, ",
                                         restriction.type->replacement)};
        return {};
      case RestrictionArgument::kTable:
        return read_table(rest, restriction);
      case RestrictionArgument::kDnsList: {
        const auto word = take(rest, restriction);
        if (!word) {
          restriction.warnings = {concat("restriction ", name, " requires domain name argument")};
          restriction.fault_outcome = FaultOutcome::kPassedOver;
          return {};
        }
        auto argument = parse_rbl_argument(*word);
        if (!argument) return argument.error();
        restriction.argument = std::move(*argument);
        return {};
      }
      case RestrictionArgument::kPolicyService: {
        const auto word = take(rest, restriction);
        if (!word) {
          restriction.warnings = {concat("restriction ", name, " must be followed by transport:server")};
          return {};
        }
        auto service = parse_policy_service(*word, *classes_.settings_);
        if (!service) return service.error();
        restriction.argument = std::move(*service);
        return {};
      }
      case RestrictionArgument::kSeconds: {
        std::string_view after = rest;
        const auto word = next(after);
        const auto seconds = word ? parse_seconds(*word) : std::nullopt;
        if (!seconds) {
          restriction.warnings = {concat("restriction ", name, " must be followed by number")};
          return {};
        }
        take(rest, restriction);
        restriction.argument = *seconds;
        return {};
      }
    }
    return {};
  }

  Result<void> read_table(std::string_view& rest, Restriction& restriction) {
    const std::string_view name = restriction.type->name;
    const std::string_view word = take(rest, restriction).value_or(name);
    if (word.find(':') == std::string_view::npos) {
      restriction.warnings = {
          concat("restriction ", name, ": bad argument \"", word, "\": need maptype:mapname")};
      return {};
    }
    if (restriction.type->kind != kCheckCertificateAccess) {
      restriction.argument = std::string(word);
      return {};
    }
    auto argument = parse_certificate_argument(word);
    if (!argument) return argument.error();
    restriction.argument = std::move(*argument);
    return {};
  }

  static std::optional<std::string_view> take(std::string_view& rest, Restriction& restriction) {
    const auto word = next(rest);
    if (word) restriction.text += concat(" ", *word);
    return word;
  }

  RestrictionClasses& classes_;
  libconf::DiagnosticSink& warnings_;
  std::vector<std::string> open_;  ///< Classes that are being read.
};

Result<RestrictionClasses> RestrictionClasses::create(const libconf::Settings& settings,
                                                      libconf::DiagnosticSink& warnings) {
  RestrictionClasses classes(settings);
  auto names = settings.get_list("smtpd_restriction_classes");
  if (!names) return names.error();
  Parser parser(classes, warnings);
  parser.declared = *names;
  for (const std::string& name : *names)
    if (Result<void> done = parser.define(name); !done) return done.error();
  return classes;
}

Result<RestrictionList> RestrictionClasses::parse(std::string_view value,
                                                  libconf::DiagnosticSink& warnings) const {
  RestrictionClasses classes = *this;
  return Parser(classes, warnings).parse(value);
}

Result<RestrictionList> RestrictionClasses::parse_result(std::string_view value, std::string_view table,
                                                         libconf::DiagnosticSink& warnings) const {
  if (value.find(':') == std::string_view::npos) return parse(value, warnings);
  Restriction fault{.text = std::string(value)};
  fault.warnings = {concat("access table ", table, " has entry with lookup table: ", value),
                    "do not specify lookup tables inside SMTPD access maps",
                    "define a restriction class and specify its name instead."};
  return RestrictionList{std::move(fault)};
}

bool can_reject(const RestrictionList& list) {
  return std::any_of(list.begin(), list.end(), [](const Restriction& restriction) {
    const RestrictionKind kind = restriction.type->kind;
    if (restriction.warn_only) return false;
    if (kind == kClass) return can_reject(*restriction.restrictions);
    return kind == kReject || kind == kDefer || kind == kDeferIfPermit || kind == kRejectUnauthDestination;
  });
}

}  // namespace mta
