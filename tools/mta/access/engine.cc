#include "tools/mta/access/engine.h"

#include <algorithm>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/access/engine_parts.h"
#include "tools/mta/access/evaluation.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::Result;
using libmaps::MatchList;

struct ListRow {
  std::string_view parameter;
  Subject subject;
};

/// By ListName.
constexpr std::array<ListRow, 8> kLists = {{
    {"smtpd_client_restrictions", Subject::kClient},
    {"smtpd_helo_restrictions", Subject::kHelo},
    {"smtpd_sender_restrictions", Subject::kSender},
    {"smtpd_relay_restrictions", Subject::kRecipient},
    {"smtpd_recipient_restrictions", Subject::kRecipient},
    {"smtpd_data_restrictions", Subject::kData},
    {"smtpd_end_of_data_restrictions", Subject::kEndOfData},
    {"smtpd_etrn_restrictions", Subject::kEtrn},
}};

/// A parameter that has a restriction applied after a list, unless it is off.
struct ImpliedRow {
  std::string_view parameter;
  std::string_view restriction;
  bool AccessSettings::*is_on;
  NamedList AccessEngine::Parts::*list;
};
constexpr ImpliedRow kImplied[] = {
    {"smtpd_reject_unlisted_sender", "reject_unlisted_sender", &AccessSettings::smtpd_reject_unlisted_sender,
     &AccessEngine::Parts::unlisted_sender},
    {"smtpd_reject_unlisted_recipient", "reject_unlisted_recipient",
     &AccessSettings::smtpd_reject_unlisted_recipient, &AccessEngine::Parts::unlisted_recipient},
};

Result<NamedList> parse_list(const AccessEngine::Parts& parts, const ListRow& row, std::string_view value,
                             libconf::DiagnosticSink& warnings) {
  auto restrictions = parts.classes.parse(value, warnings);
  if (!restrictions) return restrictions.error();
  NamedList list{
      .parameter = row.parameter, .subject = row.subject, .restrictions = std::move(*restrictions)};
  if (const auto setting = parts.settings.find(row.parameter)) {
    list.file = setting->origin.file;
    list.line = setting->origin.line;
  }
  return list;
}

Result<void> read_lists(AccessEngine::Parts& parts, libconf::DiagnosticSink& warnings) {
  for (std::size_t i = 0; i < kLists.size(); ++i) {
    auto value = parts.settings.get(kLists[i].parameter);
    if (!value) return value.error();
    auto list = parse_list(parts, kLists[i], *value, warnings);
    if (!list) return list.error();
    parts.lists[i] = std::move(*list);
  }
  for (const ImpliedRow& row : kImplied) {
    if (!(parts.values.*row.is_on)) continue;
    auto list = parse_list(parts, {row.parameter, Subject::kNone}, row.restriction, warnings);
    if (!list) return list.error();
    parts.*row.list = std::move(*list);
  }
  if (!can_reject(parts.list(ListName::kRelay).restrictions) &&
      !can_reject(parts.list(ListName::kRecipient).restrictions))
    return libconf::Error{
        .kind = libconf::ErrorKind::kConfiguration,
        .message =
            "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one "
            "working instance of: reject_unauth_destination, defer_unauth_destination, reject, defer, or "
            "defer_if_permit"};
  return {};
}

/// A list of patterns; nothing when the parameter is empty.
Result<std::optional<MatchList>> read_match_list(AccessEngine::Parts& parts, std::string_view parameter,
                                                 libmaps::MatchKind kind, libconf::DiagnosticSink& warnings) {
  auto value = parts.settings.get(parameter);
  if (!value) return value.error();
  if (libconf::trim(*value).empty()) return std::optional<MatchList>();
  const auto parents = libmaps::parent_style(parts.settings, parameter);
  if (!parents) return parents.error();
  auto list = open_list(parameter, {.kind = kind, .parents = *parents},
                        {.settings = parts.settings, .warnings = warnings});
  if (!list) return list.error();
  return std::optional<MatchList>(std::move(*list));
}

Result<std::vector<DnsType>> read_address_types(const libconf::Settings& settings) {
  const auto protocols = settings.get_list("inet_protocols");
  if (!protocols) return protocols.error();
  const auto has = [&](std::string_view wanted) {
    return std::any_of(protocols->begin(), protocols->end(),
                       [&](const std::string& each) { return each == wanted || each == "all"; });
  };
  std::vector<DnsType> types;
  if (has("ipv4")) types.push_back(DnsType::kA);
  if (has("ipv6")) types.push_back(DnsType::kAaaa);
  return types;
}

Result<void> read_tables(AccessEngine::Parts& parts, libconf::DiagnosticSink& warnings) {
  using libmaps::MatchKind;
  struct MatchRow {
    std::string_view parameter;
    MatchKind kind;
    std::optional<MatchList> AccessEngine::Parts::*member;
  };
  const MatchRow rows[] = {
      {"mynetworks", MatchKind::kNetworks, &AccessEngine::Parts::mynetworks},
      {"permit_mx_backup_networks", MatchKind::kNetworks, &AccessEngine::Parts::mx_backup_networks},
      {"smtpd_log_access_permit_actions", MatchKind::kStrings, &AccessEngine::Parts::logged_permits},
  };
  for (const MatchRow& row : rows) {
    auto list = read_match_list(parts, row.parameter, row.kind, warnings);
    if (!list) return list.error();
    parts.*row.member = std::move(*list);
  }
  auto login_tables =
      open_tables("smtpd_sender_login_maps", {.settings = parts.settings, .warnings = warnings});
  if (!login_tables) return login_tables.error();
  if (!login_tables->empty()) {
    auto rules = libmaps::address_rules(libmaps::LookupKind::kVirtual, parts.settings);
    if (!rules) return rules.error();
    parts.login_maps = std::make_unique<libmaps::AddressLookup>(
        libmaps::LookupKind::kVirtual, std::move(*login_tables), std::move(*rules), parts.site.is_local_site);
  }
  for (const auto& [parameter, names] : {std::pair("relay_clientcerts", &parts.relay_clientcerts),
                                         std::pair("rbl_reply_maps", &parts.rbl_reply_maps)}) {
    auto list = parts.settings.get_list(parameter);
    if (!list) return list.error();
    *names = std::move(*list);
  }
  auto listing = RecipientListing::create(parts.settings, parts.site.is_local_site, warnings);
  if (!listing) return listing.error();
  parts.listing = std::move(*listing);
  return {};
}

}  // namespace

AccessEngine::AccessEngine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

AccessEngine::~AccessEngine() = default;

Result<std::unique_ptr<AccessEngine>> AccessEngine::create(const libconf::Settings& settings,
                                                           AccessServices services, AccessSite site,
                                                           libconf::DiagnosticSink& warnings) {
  auto values = AccessSettings::read(settings);
  if (!values) return values.error();
  auto rules = libmaps::address_rules(libmaps::LookupKind::kAccess, settings);
  if (!rules) return rules.error();
  auto classes = RestrictionClasses::create(settings, warnings);
  if (!classes) return classes.error();
  auto parts = std::make_unique<Parts>(settings, std::move(services), std::move(site), std::move(*values),
                                       std::move(*rules), std::move(*classes));
  if (auto done = read_lists(*parts, warnings); !done) return done.error();
  if (auto done = read_tables(*parts, warnings); !done) return done.error();
  auto types = read_address_types(settings);
  if (!types) return types.error();
  parts->address_types = std::move(*types);
  return std::unique_ptr<AccessEngine>(new AccessEngine(std::move(parts)));
}

asio::awaitable<Verdict> AccessEngine::check(const SmtpdState& state, AccessMemory& memory,
                                             AccessTrace* trace) {
  Verdict verdict;
  Evaluation evaluation(*parts_, state, memory, verdict, trace);
  co_await evaluation.run();
  co_return verdict;
}

}  // namespace mta
