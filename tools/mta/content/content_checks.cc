#include "tools/mta/content/content_checks.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/content/content_log.h"
#include "tools/mta/daemon/empty_result.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using libconf::Severity;

struct ClassFacts {
  std::string_view parameter;
  std::string_view subject;  ///< In the log.
  CheckTarget target;
  std::string_view verdict_prefix = {};  ///< In the log, before what was decided.
};

constexpr std::array<ClassFacts, kCheckClasses> kClasses = {{
    {"header_checks", "header", CheckTarget::kHeader},
    {"mime_header_checks", "header", CheckTarget::kHeader},
    {"nested_header_checks", "header", CheckTarget::kHeader},
    {"body_checks", "body", CheckTarget::kBody},
    {"milter_header_checks", "header", CheckTarget::kHeader, "milter-header-"},
}};

const ClassFacts& facts(CheckClass check_class) { return kClasses[static_cast<std::size_t>(check_class)]; }

/// What an action is in the log, and whether it ends inspection.
struct ActionFacts {
  CheckActionKind kind;
  std::string_view verdict;  ///< Empty: it is not logged.
  bool is_last = false;
};

/// In the order of CheckActionKind.
constexpr std::array kActions = {
    ActionFacts{CheckActionKind::kBcc, "bcc"},
    ActionFacts{CheckActionKind::kDiscard, "discard", true},
    ActionFacts{CheckActionKind::kDunno, ""},
    ActionFacts{CheckActionKind::kFilter, "filter"},
    ActionFacts{CheckActionKind::kHold, "hold"},
    ActionFacts{CheckActionKind::kIgnore, ""},
    ActionFacts{CheckActionKind::kInfo, "info"},
    ActionFacts{CheckActionKind::kPass, "pass", true},
    ActionFacts{CheckActionKind::kPrepend, "prepend"},
    ActionFacts{CheckActionKind::kRedirect, "redirect", true},
    ActionFacts{CheckActionKind::kReject, "reject", true},
    ActionFacts{CheckActionKind::kReplace, "replace"},
    ActionFacts{CheckActionKind::kStrip, "strip"},
    ActionFacts{CheckActionKind::kWarn, "warning"},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kActions.size(); ++i)
    if (static_cast<std::size_t>(kActions[i].kind) != i) return false;
  return true;
}
static_assert(is_in_order());

}  // namespace

std::string_view parameter_of(CheckClass check_class) { return facts(check_class).parameter; }
CheckClass class_of(HeaderKind kind) {
  switch (kind) {
    case HeaderKind::kPrimary:
      return CheckClass::kHeader;
    case HeaderKind::kMime:
      return CheckClass::kMime;
    case HeaderKind::kNested:
      break;
  }
  return CheckClass::kNested;
}

std::string_view subject_of(CheckClass check_class) { return facts(check_class).subject; }
CheckTarget target_of(CheckClass check_class) { return facts(check_class).target; }
std::string_view verdict_of(CheckActionKind kind) { return kActions[static_cast<std::size_t>(kind)].verdict; }

Result<ContentChecks> ContentChecks::open(const libconf::Settings& settings,
                                          const libmaps::TableContext& context, std::string_view client) {
  ContentChecks checks;
  for (std::size_t i = 0; i < kCheckClasses; ++i) {
    // Whoever delivers has no milters.
    if (!client.empty() && static_cast<CheckClass>(i) == CheckClass::kMilterHeader) continue;
    const auto value = settings.get(concat(client, kClasses[i].parameter));
    if (!value) return value.error();
    std::string_view rest = *value;
    while (const auto spec = libconf::next_braced_word(rest, libconf::kListSeparators)) {
      const auto known = std::find_if(checks.sources_.begin(), checks.sources_.end(),
                                      [&spec](const Source& source) { return source.spec == *spec; });
      checks.lists_[i].push_back(static_cast<std::size_t>(known - checks.sources_.begin()));
      if (known != checks.sources_.end()) continue;
      auto table = open_table(*spec, context);
      if (!table) return table.error();
      checks.sources_.push_back({std::string(*spec), std::move(*table)});
    }
  }
  return checks;
}

Result<std::optional<std::string>> ContentChecks::lookup(CheckClass check_class, std::string_view text) {
  // Postfix's texts are C strings.
  const std::string_view key = text.substr(0, text.find('\0'));
  if (key.empty()) return std::optional<std::string>();
  for (const std::size_t i : lists_[index(check_class)]) {
    const Source& source = sources_[i];
    auto value = source.table->lookup(key);
    if (!value)
      return Error{.kind = value.error().kind,
                   .message = concat(source.spec, " lookup error for \"", key, "\"")};
    if (value->has_value()) return std::move(*value);
  }
  return std::optional<std::string>();
}

ContentInspection::ContentInspection(ContentChecks& checks, const MessageContext& context, CleanupSink& sink)
    : checks_(checks), context_(context), sink_(sink), is_on_(context.checks_content) {}

CheckAction ContentInspection::inspect(CheckClass check_class, std::string_view text) {
  const auto value = checks_.lookup(check_class, text);
  if (!value) return refuse(check_class, value.error().message);
  if (!value->has_value()) return {};
  const std::string_view parameter = parameter_of(check_class);
  if ((*value)->empty()) {
    const auto [what, advice] = empty_result_warnings(parameter, text);
    sink_.log(Severity::kWarning, what);
    return refuse(check_class, advice);
  }
  const ClassFacts& asked = facts(check_class);
  CheckAction action = parse_check_action(**value, asked.target, asked.parameter);
  if (!action.warning.empty()) sink_.log(Severity::kWarning, action.warning);
  if (check_class == CheckClass::kMilterHeader && action.kind == CheckActionKind::kPass) {
    sink_.log(Severity::kWarning, concat("unsupported command in ", parameter, " map: PASS"));
    return {};
  }
  carry_out(action, check_class, text);
  return action;
}

void ContentInspection::carry_out(CheckAction& action, CheckClass check_class, std::string_view text) {
  const ActionFacts& known = kActions[static_cast<std::size_t>(action.kind)];
  const bool is_repeated = action.kind == CheckActionKind::kHold && is_held_;
  if (!known.verdict.empty() && !is_repeated) {
    const std::string verdict = concat(facts(check_class).verdict_prefix, known.verdict);
    const std::string reason = concat(action.status, action.status.empty() ? "" : " ", action.text);
    sink_.log(Severity::kInfo,
              content_log_line(
                  {.verdict = verdict, .subject = facts(check_class).subject, .text = text, .reason = reason},
                  context_));
  }
  if (known.is_last) is_on_ = false;
  switch (action.kind) {
    case CheckActionKind::kBcc:
      sink_.recipient(action.text, RecipientSource::kBcc);
      break;
    case CheckActionKind::kFilter:
      sink_.content_filter(action.text);
      break;
    case CheckActionKind::kPass:
      sink_.pass();
      break;
    case CheckActionKind::kRedirect:
      sink_.redirect(action.text);
      break;
    case CheckActionKind::kStrip:
      action.kind = CheckActionKind::kIgnore;
      break;
    case CheckActionKind::kHold:
      if (!is_held_) sink_.hold();
      is_held_ = true;
      break;
    default:
      break;
  }
}

CheckAction ContentInspection::refuse(CheckClass check_class, std::string_view reason) {
  is_on_ = false;
  sink_.log(Severity::kWarning, reason);
  sink_.log(Severity::kWarning, concat(context_.queue_id, ": ", parameter_of(check_class),
                                       " map lookup problem -- message not accepted, try again later"));
  return {.kind = CheckActionKind::kReject,
          .text = "Error: queue file write error",
          .code = 451,
          .status = "4.3.0"};
}

}  // namespace mta
