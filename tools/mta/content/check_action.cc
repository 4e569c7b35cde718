#include "tools/mta/content/check_action.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "tools/mta/content/header_line.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {
namespace {

using libconf::concat;

constexpr std::string_view kDefaultStatus = "5.7.1";
constexpr std::string_view kDefaultRejection = "message content rejected";

/// What an action says of its argument.
enum class Argument : std::uint8_t {
  kOptional,
  kBccAddress,
  kRedirectAddress,
  kDestination,
  kLine,
  kRejection
};

struct Action {
  std::string_view name;
  CheckActionKind kind;
  Argument argument = Argument::kOptional;
  bool is_for_delivery = false;
};

constexpr std::array kActions = {
    Action{"BCC", CheckActionKind::kBcc, Argument::kBccAddress},
    Action{"DISCARD", CheckActionKind::kDiscard},
    Action{"DUNNO", CheckActionKind::kDunno, Argument::kOptional, true},
    Action{"FILTER", CheckActionKind::kFilter, Argument::kDestination},
    Action{"HOLD", CheckActionKind::kHold},
    Action{"IGNORE", CheckActionKind::kIgnore, Argument::kOptional, true},
    Action{"INFO", CheckActionKind::kInfo, Argument::kOptional, true},
    Action{"OK", CheckActionKind::kDunno, Argument::kOptional, true},  // Always has been.
    Action{"PASS", CheckActionKind::kPass},
    Action{"PREPEND", CheckActionKind::kPrepend, Argument::kLine, true},
    Action{"REDIRECT", CheckActionKind::kRedirect, Argument::kRedirectAddress},
    Action{"REJECT", CheckActionKind::kReject, Argument::kRejection},
    Action{"REPLACE", CheckActionKind::kReplace, Argument::kLine, true},
    Action{"STRIP", CheckActionKind::kStrip, Argument::kOptional, true},
    Action{"WARN", CheckActionKind::kWarn, Argument::kOptional, true},
};

void read_rejection(std::string_view text, CheckAction& action) {
  action.status = kDefaultStatus;
  if (const std::size_t length = status_length(text)) {
    action.status = text.substr(0, length);
    if (action.status[0] == '2') {
      action.warning = concat("bad DSN action in ", text, " -- need 4.x.x or 5.x.x");
      action.status[0] = '4';
    }
    text = libconf::trim_left(text.substr(length));
  }
  action.code = action.status[0] == '4' ? 451 : 550;
  action.text = text.empty() ? kDefaultRejection : text;
}

/// What is wrong with an argument; empty: nothing.
std::string argument_fault(const Action& action, std::string_view text, CheckTarget target,
                           std::string_view parameter) {
  switch (action.argument) {
    case Argument::kOptional:
    case Argument::kRejection:
      return {};
    case Argument::kBccAddress:
      if (text.find('@') != std::string_view::npos) return {};
      return concat("bad BCC address \"", text, "\" in ", parameter, " map -- need user@domain");
    case Argument::kRedirectAddress:
      if (text.find('@') != std::string_view::npos) return {};
      return concat("bad REDIRECT target \"", text, "\" in ", parameter, " map -- need user@domain");
    case Argument::kDestination:
      if (text.empty()) return concat("missing FILTER command argument in ", parameter, " map");
      if (text.find(':') != std::string_view::npos) return {};
      return concat("bad FILTER command ", text, " in ", parameter, " -- need transport:destination");
    case Argument::kLine:
      if (text.empty()) return concat(action.name, " action without text in ", parameter, " map");
      if (target == CheckTarget::kBody || header_start(text).name > 0) return {};
      return concat("bad ", action.name, " header text \"", text, "\" in ", parameter,
                    " map -- need \"headername: headervalue\"");
  }
  return {};
}

}  // namespace

CheckAction parse_check_action(std::string_view value, CheckTarget target, std::string_view parameter,
                               CheckScope scope) {
  const std::size_t name_length = std::min(value.find_first_of(libconf::kBlanks), value.size());
  const std::string_view name = value.substr(0, name_length);
  const std::string_view text = libconf::trim_left(value.substr(name_length));
  const auto* const action = std::find_if(kActions.begin(), kActions.end(), [name](const Action& known) {
    return libconf::equals_ignoring_case(known.name, name);
  });
  const bool is_for_delivery = scope == CheckScope::kDelivery;
  if (action == kActions.end() || (is_for_delivery && !action->is_for_delivery))
    return {.warning = concat(is_for_delivery ? "unsupported" : "unknown", " command in ", parameter,
                              " map: ", value)};
  std::string fault = argument_fault(*action, text, target, parameter);
  if (!fault.empty()) return {.warning = std::move(fault)};
  CheckAction result{.kind = action->kind};
  if (action->argument == Argument::kRejection) {
    read_rejection(text, result);
  } else {
    result.text = text;
  }
  return result;
}

}  // namespace mta
