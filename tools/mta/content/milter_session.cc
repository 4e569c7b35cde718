#include "tools/mta/content/milter_session.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "libconf/text.h"
#include "libconf/value.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Result;

constexpr std::string_view kRejected = "550 5.7.1 Command rejected";
constexpr std::string_view kUnavailable = "451 4.7.1 Service unavailable - try again later";
constexpr std::string_view kUnavailableForGood = "550 5.5.0 Service unavailable";
constexpr std::string_view kMisconfigured = "451 4.3.5 Server configuration problem - try again later";
constexpr std::string_view kClosing = "421 4.7.0 Server closing connection";

struct NamedAction {
  std::string_view name;
  MilterDefaultAction action;
  MilterVerdictKind kind;
  std::string_view reply = {};
};

/// In the order of MilterDefaultAction.
constexpr std::array kDefaultActions = {
    NamedAction{"accept", MilterDefaultAction::kAccept, MilterVerdictKind::kContinue},
    NamedAction{"quarantine", MilterDefaultAction::kQuarantine, MilterVerdictKind::kHold},
    NamedAction{"reject", MilterDefaultAction::kReject, MilterVerdictKind::kReject, kUnavailableForGood},
    NamedAction{"shutdown", MilterDefaultAction::kShutdown, MilterVerdictKind::kClose, kClosing},
    NamedAction{"tempfail", MilterDefaultAction::kTempfail, MilterVerdictKind::kReject, kUnavailable},
};

struct StageParameter {
  MilterStage stage;
  const char* parameter;
};

constexpr std::array kStageParameters = {
    StageParameter{MilterStage::kConnect, "milter_connect_macros"},
    StageParameter{MilterStage::kHelo, "milter_helo_macros"},
    StageParameter{MilterStage::kMail, "milter_mail_macros"},
    StageParameter{MilterStage::kRecipient, "milter_rcpt_macros"},
    StageParameter{MilterStage::kData, "milter_data_macros"},
    StageParameter{MilterStage::kEndOfMessage, "milter_end_of_data_macros"},
    StageParameter{MilterStage::kEndOfHeaders, "milter_end_of_header_macros"},
    StageParameter{MilterStage::kUnknown, "milter_unknown_command_macros"},
};
static_assert(kStageParameters.size() == kMilterStages);

std::size_t index_of(MilterStage stage) { return static_cast<std::size_t>(stage); }

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (const auto word = libconf::next_word(text, libconf::kListSeparators)) words.emplace_back(*word);
  return words;
}

Result<void> set_default_action(MilterOptions& options, std::string_view value) {
  const auto* const known =
      std::find_if(kDefaultActions.begin(), kDefaultActions.end(),
                   [value](const auto& action) { return libconf::equals_ignoring_case(action.name, value); });
  if (known == kDefaultActions.end())
    return configuration_error(concat("milter ", options.endpoint, ": unrecognized default action: ", value));
  options.default_action = known->action;
  return {};
}

Result<void> set_protocol(MilterOptions& options, std::string_view value) {
  for (const std::string& word : words_of(value)) {
    if (word == "no_header_reply") {
      options.has_no_header_reply = true;
    } else if (word == "2" || word == "3" || word == "4" || word == "6") {
      options.version = static_cast<std::uint32_t>(word[0] - '0');
    } else {
      return configuration_error(concat("milter ", options.endpoint, ": bad protocol information: ", word));
    }
  }
  return {};
}

template <std::chrono::seconds MilterOptions::*Member>
Result<void> set_timeout(MilterOptions& options, std::string_view value) {
  const auto seconds = libconf::parse_duration("milter timeout", value);
  if (!seconds || seconds->count() < 1)
    return configuration_error(concat("milter ", options.endpoint, ": bad time value: ", value));
  options.*Member = *seconds;
  return {};
}

/// A setting that filters share, and that one may have for itself.
struct Setting {
  std::string_view name;  ///< In braces.
  const char* parameter;
  Result<void> (*set)(MilterOptions& options, std::string_view value);
};

constexpr std::array kSettings = {
    Setting{"command_timeout", "milter_command_timeout", set_timeout<&MilterOptions::command_timeout>},
    Setting{"connect_timeout", "milter_connect_timeout", set_timeout<&MilterOptions::connect_timeout>},
    Setting{"content_timeout", "milter_content_timeout", set_timeout<&MilterOptions::content_timeout>},
    Setting{"default_action", "milter_default_action", set_default_action},
    Setting{"protocol", "milter_protocol", set_protocol},
};

/// `inet:host:port`, or in braces with settings of its own.
Result<void> read_entry(std::string_view entry, MilterOptions& options) {
  if (!entry.starts_with('{')) {
    options.endpoint = entry;
    return {};
  }
  entry = entry.substr(1, libconf::balanced_length(entry) - 2);
  const auto endpoint = libconf::next_braced_word(entry, libconf::kListSeparators);
  if (!endpoint) return configuration_error("empty Milter service");
  options.endpoint = *endpoint;
  while (auto text = libconf::next_braced_word(entry, libconf::kListSeparators)) {
    if (text->starts_with('{')) text = libconf::trim(text->substr(1, text->size() - 2));
    libconf::NameValue pair;
    if (const auto fault = split_name_value(*text, pair); fault != libconf::NameValueFault::kNone)
      return configuration_error(
          concat("malformed option: ", libconf::describe(fault), ": \"...", *text, "...\""));
    const auto* const known =
        std::find_if(kSettings.begin(), kSettings.end(),
                     [&pair](const Setting& setting) { return setting.name == pair.name; });
    if (known == kSettings.end())
      return configuration_error(concat("unknown option: \"", pair.name, " = ", pair.value, "\""));
    if (auto done = known->set(options, pair.value); !done) return done.error();
  }
  return {};
}

Result<ServerPlace> place_of(std::string_view endpoint, const libconf::ServiceRoot& root) {
  const std::string_view type = endpoint.substr(0, endpoint.find(':'));
  if (type != "inet" && type != "unix" && type != "local")
    return configuration_error(concat("invalid transport name: ", type, " in Milter service: ", endpoint));
  std::optional<ServerPlace> place = parse_server_place(endpoint, root);
  if (!place) return configuration_error(concat("bad Milter service: ", endpoint));
  return std::move(*place);
}

std::string hexadecimal(std::uint32_t value) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

bool is_code(std::string_view reply) {
  return reply.size() >= 3 && (reply[0] == '4' || reply[0] == '5') &&
         libconf::is_all_digits(reply.substr(0, 3)) &&
         (reply.size() == 3 || reply[3] == ' ' || reply[3] == '-');
}

}  // namespace

Result<std::vector<MilterOptions>> milter_options(const libconf::Settings& settings,
                                                  std::string_view parameter) {
  const auto entries = settings.get(parameter);
  if (!entries) return entries.error();
  return parse_milter_options(settings, *entries);
}

Result<std::vector<MilterOptions>> parse_milter_options(const libconf::Settings& settings,
                                                        std::string_view entries) {
  MilterOptions shared;
  for (const StageParameter& known : kStageParameters) {
    const auto value = settings.get(known.parameter);
    if (!value) return value.error();
    shared.macros[index_of(known.stage)] = words_of(*value);
  }
  const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(settings);
  if (!root) return root.error();
  std::vector<MilterOptions> filters;
  std::string_view rest = entries;
  while (const auto entry = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    MilterOptions options = shared;
    options.endpoint = *entry;
    for (const Setting& setting : kSettings) {
      const auto value = settings.get(setting.parameter);
      if (!value) return value.error();
      if (auto done = setting.set(options, *value); !done) return done.error();
    }
    if (auto done = read_entry(*entry, options); !done) return done.error();
    Result<ServerPlace> place = place_of(options.endpoint, *root);
    if (!place) return place.error();
    options.place = std::move(*place);
    filters.push_back(std::move(options));
  }
  return filters;
}

/// What is told to a filter, and how it may answer.
struct MilterSession::Event {
  MilterCommand command = MilterCommand::kNegotiate;
  std::optional<MilterStage> macros;
  std::uint32_t left_out_by = 0;    ///< This bit of the protocol: the filter does not want to know.
  std::uint32_t unanswered_by = 0;  ///< This bit: it does not reply.
  enum class Scope { kCommand, kMessage, kSession } scope = Scope::kMessage;  ///< How far a refusal reaches.
  bool is_repeated = false;                                                   ///< May be skipped.
};

const MilterSession::Event MilterSession::kEvents[] = {
    {MilterCommand::kNegotiate, {}, 0, 0, Event::Scope::kSession},
    {MilterCommand::kConnect, MilterStage::kConnect, milter_protocol::kNoConnect,
     milter_protocol::kNoConnectReply, Event::Scope::kSession},
    {MilterCommand::kHelo, MilterStage::kHelo, milter_protocol::kNoHelo, milter_protocol::kNoHeloReply,
     Event::Scope::kSession},
    {MilterCommand::kUnknown, MilterStage::kUnknown, milter_protocol::kNoUnknown,
     milter_protocol::kNoUnknownReply, Event::Scope::kCommand},
    {MilterCommand::kMail, MilterStage::kMail, milter_protocol::kNoMail, milter_protocol::kNoMailReply},
    {MilterCommand::kRecipient, MilterStage::kRecipient, milter_protocol::kNoRecipient,
     milter_protocol::kNoRecipientReply, Event::Scope::kCommand, true},
    {MilterCommand::kData, MilterStage::kData, milter_protocol::kNoData, milter_protocol::kNoDataReply},
    {MilterCommand::kHeader, MilterStage::kEndOfHeaders, milter_protocol::kNoHeader,
     milter_protocol::kNoHeaderReply, Event::Scope::kMessage, true},
    {MilterCommand::kEndOfHeaders, MilterStage::kEndOfHeaders, milter_protocol::kNoEndOfHeaders,
     milter_protocol::kNoEndOfHeadersReply},
    {MilterCommand::kBody, MilterStage::kEndOfMessage, milter_protocol::kNoBody,
     milter_protocol::kNoBodyReply, Event::Scope::kMessage, true},
    {MilterCommand::kEndOfBody, MilterStage::kEndOfMessage},
};

MilterSession::MilterSession(const MilterOptions& options, MilterMacroLookup macros)
    : options_(options), macros_(std::move(macros)), macro_names_(options.macros) {}

const MilterSession::Event& MilterSession::event_of(MilterCommand command) {
  return *std::find_if(std::begin(kEvents), std::end(kEvents),
                       [command](const Event& event) { return event.command == command; });
}

std::string MilterSession::macros_for(const Event& event) const {
  if (!event.macros) return {};
  MilterMacros macros;
  for (const std::string& name : macro_names_[index_of(*event.macros)])
    if (auto value = macros_(name)) macros.emplace_back(name, std::move(*value));
  return encode_macros(event.command, macros);
}

std::string MilterSession::start(MilterCommand command, std::string_view packet) {
  const Event& event = event_of(command);
  verdict_ = {};
  const bool is_in_message = is_in_message_ && command != MilterCommand::kUnknown;
  if (for_session_ || (is_in_message && for_message_)) {
    verdict_ = for_session_ ? *for_session_ : *for_message_;
    return {};
  }
  if ((protocol_ & event.left_out_by) != 0 || skipped_ == command) return {};
  if ((protocol_ & event.unanswered_by) == 0) awaited_ = command;
  return concat(macros_for(event), packet);
}

std::string MilterSession::negotiate() {
  MilterNegotiation offer{.version = options_.version,
                          .actions = milter_action::kAll,
                          .protocol = milter_protocol::all(options_.version)};
  if (options_.has_no_header_reply) offer.protocol |= milter_protocol::kNoHeaderReply;
  return start(MilterCommand::kNegotiate, encode_negotiation(offer));
}

std::string MilterSession::connect(std::string_view client_name, MilterFamily family, std::uint16_t port,
                                   std::string_view address) {
  return start(MilterCommand::kConnect, encode_connect(client_name, family, port, address));
}

std::string MilterSession::helo(std::string_view name) {
  return start(MilterCommand::kHelo, encode_helo(name));
}

std::string MilterSession::mail(std::span<const std::string> arguments) {
  is_in_message_ = true;
  for_message_.reset();
  skipped_.reset();
  return start(MilterCommand::kMail, encode_envelope(MilterCommand::kMail, arguments));
}

std::string MilterSession::recipient(std::span<const std::string> arguments) {
  return start(MilterCommand::kRecipient, encode_envelope(MilterCommand::kRecipient, arguments));
}

std::string MilterSession::data() { return start(MilterCommand::kData, encode_bare(MilterCommand::kData)); }

std::string MilterSession::unknown(std::string_view line) {
  return start(MilterCommand::kUnknown, encode_unknown(line));
}

std::string MilterSession::header(std::string_view name, std::string_view value) {
  if ((protocol_ & milter_protocol::kLeadingSpace) == 0 && value.starts_with(' ')) value.remove_prefix(1);
  return start(MilterCommand::kHeader, encode_header(name, value));
}

std::string MilterSession::end_of_headers() {
  return start(MilterCommand::kEndOfHeaders, encode_bare(MilterCommand::kEndOfHeaders));
}

std::string MilterSession::body(std::string_view chunk) {
  return start(MilterCommand::kBody, encode_body(chunk));
}

std::string MilterSession::end_of_message() {
  return start(MilterCommand::kEndOfBody, encode_bare(MilterCommand::kEndOfBody));
}

std::string MilterSession::abort() {
  const bool is_told = is_in_message_ && !for_session_;
  is_in_message_ = false;
  for_message_.reset();
  skipped_.reset();
  awaited_.reset();
  verdict_ = {};
  return is_told ? encode_bare(MilterCommand::kAbort) : std::string();
}

std::string MilterSession::quit() {
  awaited_.reset();
  if (for_session_) return {};
  for_session_ = MilterVerdict{};
  return encode_bare(MilterCommand::kQuit);
}

bool MilterSession::wants_rejected_recipients() const {
  return (protocol_ & milter_protocol::kRejectedRecipients) != 0;
}

std::vector<std::string> MilterSession::take_warnings() { return std::exchange(warnings_, {}); }

void MilterSession::warn(std::string_view text) {
  warnings_.push_back(concat("milter ", options_.endpoint, ": ", text));
}

/// The answer to the command that was awaited.
void MilterSession::settle(MilterVerdict verdict) {
  awaited_.reset();
  verdict_ = std::move(verdict);
}

void MilterSession::fail(std::string_view reason) {
  warn(reason);
  settle_by_default();
}

void MilterSession::fail_to_connect(std::string_view reason) {
  warnings_.push_back(concat("connect to Milter service ", options_.endpoint, ": ", reason));
  settle_by_default();
}

void MilterSession::settle_by_default() {
  const NamedAction& action = kDefaultActions[static_cast<std::size_t>(options_.default_action)];
  settle({.kind = action.kind, .reply = std::string(action.reply)});
  for_session_ = verdict_;
}

void MilterSession::refuse(std::string reply) {
  const Event::Scope scope = event_of(*awaited_).scope;
  const bool closes = reply.starts_with("421");
  settle(
      {.kind = closes ? MilterVerdictKind::kClose : MilterVerdictKind::kReject, .reply = std::move(reply)});
  if (scope == Event::Scope::kSession) {
    for_session_ = verdict_;
  } else if (scope == Event::Scope::kMessage) {
    for_message_ = verdict_;
  }
}

/// The filter has seen enough: of the session, or of the message.
void MilterSession::accept() {
  const MilterCommand command = *awaited_;
  settle({});
  if (event_of(command).scope == Event::Scope::kSession) {
    for_session_ = MilterVerdict{};
  } else if (command != MilterCommand::kUnknown) {
    for_message_ = MilterVerdict{};
  }
}

void MilterSession::discard() {
  if (event_of(*awaited_).scope == Event::Scope::kSession || *awaited_ == MilterCommand::kUnknown) {
    warn("DISCARD action is not allowed for connect or helo");
    settle({});
    return;
  }
  settle({.kind = MilterVerdictKind::kDiscard});
  for_message_ = MilterVerdict{};
}

void MilterSession::skip() {
  if (event_of(*awaited_).is_repeated) skipped_ = awaited_;
  settle({});
}

void MilterSession::take_negotiation(const MilterNegotiation& chosen) {
  if (chosen.version > options_.version) {
    fail(concat("protocol version ", std::to_string(chosen.version), " conflict with MTA protocol version ",
                std::to_string(options_.version)));
    return;
  }
  if ((chosen.actions & ~milter_action::kAll) != 0) {
    fail(concat("request mask ", hexadecimal(chosen.actions), " conflict with MTA request mask ",
                hexadecimal(milter_action::kAll)));
    return;
  }
  if (chosen.version < kOldestMilterVersion)
    warn("unexpected protocol version " + std::to_string(chosen.version));
  // An older filter does not know of newer commands; nothing must reach it that it cannot read.
  const std::uint32_t offered = milter_protocol::all(options_.version) |
                                (options_.has_no_header_reply ? milter_protocol::kNoHeaderReply : 0);
  protocol_ = chosen.protocol & offered;
  if (options_.has_no_header_reply) protocol_ |= milter_protocol::kNoHeaderReply;
  const std::uint32_t version = std::min(chosen.version, options_.version);
  protocol_ |= ~milter_protocol::all(version) & (milter_protocol::kNoUnknown | milter_protocol::kNoData);
  for (const auto& [stage, names] : chosen.macro_lists) {
    if (stage > static_cast<std::uint32_t>(MilterStage::kEndOfHeaders)) {
      warn("ignoring unknown macro type " + std::to_string(stage));
    } else {
      macro_names_[stage] = words_of(names);
    }
  }
  settle({});
}

std::string MilterSession::with_space(std::string_view value) const {
  return concat((protocol_ & milter_protocol::kLeadingSpace) == 0 ? " " : "", value);
}

/// Carries out what may only come at the end of the message; false: it is nothing of that kind.
bool MilterSession::take_edit(const MilterReply& reply, MilterEdits& edits) {
  const std::span<const std::string> arguments(reply.arguments);
  switch (reply.code) {
    case MilterReplyCode::kAddHeader:
      edits.add_header(reply.name, with_space(reply.text));
      return true;
    case MilterReplyCode::kInsertHeader:
      edits.insert_header(reply.index, reply.name, with_space(reply.text));
      return true;
    case MilterReplyCode::kChangeHeader:
      if (reply.text.empty()) {
        edits.delete_header(std::max<std::uint32_t>(reply.index, 1), reply.name);
      } else {
        edits.change_header(std::max<std::uint32_t>(reply.index, 1), reply.name, with_space(reply.text));
      }
      return true;
    case MilterReplyCode::kAddRecipient:
    case MilterReplyCode::kAddRecipientWithArguments:
      edits.add_recipient(arguments.front(), arguments.subspan(1));
      return true;
    case MilterReplyCode::kDeleteRecipient:
      edits.delete_recipient(arguments.front());
      return true;
    case MilterReplyCode::kChangeSender:
      edits.change_sender(arguments.front(), arguments.subspan(1));
      return true;
    case MilterReplyCode::kReplaceBody:
      edits.replace_body(reply.text);
      return true;
    case MilterReplyCode::kQuarantine:
      edits.hold(reply.text);
      return true;
    default:
      return false;
  }
}

void MilterSession::take(const MilterReply& reply, MilterEdits& edits) {
  if (!awaited_) {
    fail(concat("unexpected filter response ", name_of(reply.code)));
    return;
  }
  const MilterCommand command = *awaited_;
  const bool is_negotiation = command == MilterCommand::kNegotiate;
  if (is_negotiation == (reply.code == MilterReplyCode::kNegotiate)) {
    if (is_negotiation) {
      take_negotiation(reply.negotiation);
      return;
    }
    if (command == MilterCommand::kEndOfBody && take_edit(reply, edits)) return;
    switch (reply.code) {
      case MilterReplyCode::kProgress:
        return;
      case MilterReplyCode::kContinue:
        settle({});
        return;
      case MilterReplyCode::kAccept:
        accept();
        return;
      case MilterReplyCode::kDiscard:
        discard();
        return;
      case MilterReplyCode::kSkip:
        skip();
        return;
      case MilterReplyCode::kReject:
        refuse(std::string(kRejected));
        return;
      case MilterReplyCode::kTemporaryFailure:
        refuse(std::string(kUnavailable));
        return;
      case MilterReplyCode::kShutdown:
        refuse(std::string(kClosing));
        for_session_ = verdict_;  // It is not told anything more.
        return;
      case MilterReplyCode::kReplyCode:
        if (is_code(reply.text)) {
          refuse(reply.text);
          return;
        }
        warn(concat("malformed reply: ", reply.text));
        settle({.kind = MilterVerdictKind::kReject, .reply = std::string(kMisconfigured)});
        for_session_ = verdict_;
        return;
      default:
        break;
    }
  }
  fail(concat("unexpected filter response ", name_of(reply.code), " after event ", name_of(command)));
}

}  // namespace mta
