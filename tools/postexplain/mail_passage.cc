#include "tools/postexplain/mail_passage.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/delivery/generic_addresses.h"
#include "tools/mta/smtp/milter_inspection.h"
#include "tools/mta/smtp/reply.h"
#include "tools/postexplain/live_milters.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::MasterField;
using libconf::Result;

/// By RecipientClass (ADDRESS_CLASS_README).
std::string_view class_name(mta::RecipientClass recipient_class) {
  switch (recipient_class) {
    case mta::RecipientClass::kLocal:
      return "local";
    case mta::RecipientClass::kVirtualAlias:
      return "virtual alias";
    case mta::RecipientClass::kVirtualMailbox:
      return "virtual mailbox";
    case mta::RecipientClass::kRelay:
      return "relay";
    case mta::RecipientClass::kDefault:
      break;
  }
  return "default";
}

/// What an answer of a milter means (MILTER_README).
struct MilterAnswer {
  std::string_view word;
  std::string_view reply = {};  ///< Empty: the mail goes on.
  bool discards = false;
  bool holds = false;
};
constexpr std::array kMilterAnswers = {
    MilterAnswer{"accept"},
    MilterAnswer{"continue"},
    MilterAnswer{"discard", "", true},
    MilterAnswer{"quarantine", "", false, true},
    MilterAnswer{"reject", "550 5.7.1 Command rejected"},
    MilterAnswer{"tempfail", "451 4.7.1 Service unavailable - try again later"},
};

/// Lines with newlines alone, as content has them when SMTP is done with it.
std::string without_carriage_returns(std::string_view message) {
  std::string text;
  text.reserve(message.size());
  for (std::size_t i = 0; i < message.size(); ++i)
    if (message[i] != '\r' || i + 1 == message.size() || message[i + 1] != '\n') text += message[i];
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  return text;
}

/// The elements of `these` that `those` do not have, or not as often.
std::vector<std::string> without(const std::vector<std::string>& these, std::vector<std::string> those) {
  std::vector<std::string> out;
  for (const std::string& each : these) {
    const auto same = std::find(those.begin(), those.end(), each);
    if (same == those.end())
      out.push_back(each);
    else
      those.erase(same);
  }
  return out;
}

}  // namespace

void MailPassage::run() {
  Recorder& recorder = services_.recorder();
  context_ = session_.is_local() ? mta::RewriteContext::kLocal : mta::RewriteContext::kRemote;
  const mta::MessageActions& actions = session_.actions();
  filter_ = actions.filter.value_or(services_.content_filter);
  redirect_ = actions.redirect.value_or("");
  is_held_ = actions.hold;
  is_discarded_ = actions.discard;
  recorder.begin("rewriting", "rewriting");
  const Result<void> rewritten = rewrite();
  recorder.end();
  if (!rewritten) return refuse(rewritten.error());
  if (request_.message && !is_discarded_) inspect();
  if (!rejection_ && !is_discarded_) {
    recorder.begin("recipients", "further recipients");
    const Result<void> completed = complete_recipients();
    recorder.end_stage();
    if (!completed) return refuse(completed.error());
  }
  if (!rejection_ && !is_discarded_ && !skips_milters_) ask_milters();
  if (rejection_) explanation_.stage = stage_;
  if (rejection_)
    return session_.refuse({rejection_->code, rejection_->status, rejection_->text, rejection_->error_class});
  explanation_.is_held = is_held_;
  if (is_discarded_) {
    explanation_.decision = Decision::kDiscard;
    return;
  }
  deliver();
}

Result<void> MailPassage::rewrite() {
  mta::AddressServices& addresses = *services_.addresses;
  Recorder& recorder = services_.recorder();
  const std::string given = mta::quote_address(session_.sender());
  recorder.begin("address", concat("sender <", given, ">"), {{"role", "sender"}, {"before", given}});
  const Result<std::string> sender = addresses.rewrite_sender(context_, session_.sender());
  if (sender) {
    sender_ = *sender;
    const std::string external = mta::quote_address(sender_);
    recorder.say(concat(" -> <", external, ">"), {{"after", external}});
  }
  recorder.end();
  if (!sender) return sender.error();

  recipients_.emplace(addresses, services_.intake.recipients, context_);
  const std::string recipient = mta::quote_address(session_.recipient());
  recorder.begin("address", concat("recipient <", recipient, ">"),
                 {{"role", "recipient"}, {"before", recipient}});
  Result<void> done;
  const auto bcc = addresses.automatic_bcc(mta::AddressServices::Bcc::kSender, mta::quote_address(sender_));
  if (!bcc) done = bcc.error();
  if (bcc && *bcc) done = recipients_->add_automatic(**bcc, mta::RecipientPlace::kSender);
  if (done)
    done = recipients_->add({.address = recipient,
                             .original = session_.recipient(),
                             .dsn_original = concat("rfc822;", session_.recipient())});
  std::string after;
  for (const mta::MessageRecipient& each : recipients_->all())
    after += concat(after.empty() ? "<" : ", <", mta::quote_address(each.recipient.address), ">");
  recorder.say(concat(" -> ", after), {{"after", after}});
  recorder.end();
  return done;
}

mta::MessageContext MailPassage::message_context() {
  const mta::SmtpdState& state = session_.state();
  client_ = concat(state.client.name, "[", state.client.address, "]");
  external_sender_ = mta::quote_address(sender_);
  external_recipient_ = mta::quote_address(session_.recipient());
  const std::time_t now = std::time(nullptr);
  return {
      .queue_id = "QUEUEID",
      .client = client_,
      .sender = external_sender_,
      .recipient = external_recipient_,
      .protocol = state.protocol,
      .helo = state.helo ? std::string_view(*state.helo) : std::string_view(),
      .arrival = now,
      .created = now,
      .rewrites_headers = context_ == mta::RewriteContext::kLocal || services_.intake.rewrites_remote_headers,
      .checks_content = !services_.overrides.no_header_body_checks};
}

void MailPassage::inspect() {
  Recorder& recorder = services_.recorder();
  const mta::MessageContext context = message_context();
  const std::unique_ptr<mta::HeaderAddresses> addresses = services_.addresses->for_headers(context_);
  recorder.begin("content", "content");
  CleanupSink& sink = *this;
  message_.header("Received: by postexplain");  // Stands for smtpd's own, which filters do not see.
  mta::Cleanup cleanup(services_.intake.content, services_.checks, context, addresses.get(), sink);
  for (const std::string& header : session_.actions().prepend) cleanup.feed(concat(header, "\n"));
  cleanup.feed(without_carriage_returns(*request_.message));
  cleanup.finish();
  if (rejection_)
    recorder.add({.kind = "rejection",
                  .text = concat("refused: ", std::to_string(rejection_->code), " ", rejection_->status, " ",
                                 rejection_->text),
                  .facts = {{"code", std::to_string(rejection_->code)}, {"text", rejection_->text}}});
  recorder.end();
}

void MailPassage::ask_milters() {
  if (services_.overrides.no_milters || services_.milters.filters.empty()) return;
  Recorder& recorder = services_.recorder();
  recorder.begin("milters", "milters");
  std::vector<mta::MilterOptions> live;
  for (const mta::MilterOptions& filter : services_.milters.filters) {
    const std::optional<std::string> answer = services_.answers().of("milter", filter.endpoint);
    if (!answer && services_.is_live()) {
      live.push_back(filter);
      continue;
    }
    recorder.add({.kind = "milter",
                  .text = concat("milter ", filter.endpoint, ": ", answer.value_or("not asked")),
                  .facts = {{"server", filter.endpoint}, {"answer", answer.value_or("")}}});
    if (answer && !rejection_) take_answer(*answer);
  }
  if (!live.empty() && !rejection_) {
    const Result<void> done = services_.finish(ask_live(live));
    if (!done) recorder.warn("milters", done.error().message);
  }
  recorder.end();
}

void MailPassage::take_answer(std::string_view answer) {
  const auto* const known = std::find_if(
      kMilterAnswers.begin(), kMilterAnswers.end(),
      [&](const MilterAnswer& each) { return libconf::equals_ignoring_case(each.word, answer); });
  const bool is_word = known != kMilterAnswers.end();
  const std::optional<mta::Reply> reply = mta::parse_refusal(is_word ? known->reply : answer);
  if (reply)
    rejection_ = mta::Rejection{.code = reply->code(), .status = reply->enhanced(), .text = reply->text()};
  else if (!is_word)
    services_.recorder().warn("milter-answer", concat("no answer of a milter: ", answer));
  is_discarded_ = is_discarded_ || (is_word && known->discards);
  is_held_ = is_held_ || (is_word && known->holds);
}

asio::awaitable<void> MailPassage::ask_live(const std::vector<mta::MilterOptions>& filters) {
  const mta::MilterWarn warn = [this](std::string_view text) { log(libconf::Severity::kWarning, text); };
  LiveMilters milters(services_, session_, filters, warn);
  const mta::MilterVerdict verdict = co_await milters.tell_envelope();
  switch (verdict.kind) {
    case mta::MilterVerdictKind::kDiscard:
      is_discarded_ = true;
      co_return;
    case mta::MilterVerdictKind::kReject:
    case mta::MilterVerdictKind::kClose:
      rejection_ = mta::rejection_of(verdict.reply);
      stage_ = milters.stage();
      co_return;
    case mta::MilterVerdictKind::kHold:
      is_held_ = true;
      break;
    case mta::MilterVerdictKind::kContinue:
      break;
  }
  if (request_.message) co_await show_to(milters.chain());
}

/// Shows filters the content, and what they change.
asio::awaitable<void> MailPassage::show_to(mta::MilterChain& filters) {
  mta::MessageContext context = message_context();
  const std::vector<std::string> before = filtered_parts();
  const std::string body = staged_body();
  int return_flags = 0;
  std::string envelope_id;
  is_filtering_ = true;
  mta::MilterInspection inspection(message_,
                                   {.sender = sender_,
                                    .external_sender = external_sender_,
                                    .recipients = *recipients_,
                                    .addresses = *services_.addresses,
                                    .context = context_,
                                    .return_flags = return_flags,
                                    .envelope_id = envelope_id},
                                   services_.checks, context, *this, is_held_);
  const Result<void> done = co_await inspection.run(filters);
  if (!done) refuse(done.error());
  if (rejection_ || is_discarded_) co_return;
  Recorder& recorder = services_.recorder();
  const auto show = [&](std::string_view what, std::string_view part) {
    recorder.add({.kind = "change",
                  .text = concat(what, " ", part),
                  .facts = {{"change", std::string(what)}, {"part", std::string(part)}}});
  };
  const std::vector<std::string> after = filtered_parts();
  for (const std::string& part : without(before, after)) show("removed:", part);
  for (const std::string& part : without(after, before)) show("added:", part);
  if (staged_body() != body) show("replaced:", "the body");
}

/// Without a queue it is in memory, and can be read.
std::string MailPassage::staged_body() const {
  return message_.read_body(0, message_.body_size()).value_or(std::string());
}

/// What filters may change beside the body, a line each.
std::vector<std::string> MailPassage::filtered_parts() const {
  std::vector<std::string> parts = {concat("sender <", mta::quote_address(sender_), ">")};
  for (const mta::MessageRecipient& each : recipients_->all())
    parts.push_back(concat("recipient <", mta::quote_address(each.recipient.address), ">"));
  for (const std::string& header : message_.visible_headers()) parts.push_back(concat("header ", header));
  return parts;
}

Result<void> MailPassage::complete_recipients() {
  constexpr mta::RecipientPlace kPlace = mta::RecipientPlace::kExtracted;
  std::vector<std::string> more = session_.actions().bcc;
  more.insert(more.end(), added_.begin(), added_.end());
  const std::string& always = services_.intake.always_bcc;
  if (!always.empty() && services_.addresses->maps_addresses()) more.push_back(always);
  for (const std::string& address : more)
    if (Result<void> added = recipients_->add_automatic(address, kPlace); !added) return added;
  return {};
}

void MailPassage::deliver() {
  Recorder& recorder = services_.recorder();
  recorder.begin("delivery", is_held_ ? "delivery, once it is released from the hold queue" : "delivery");
  if (redirect_.empty()) {
    for (const mta::MessageRecipient& each : recipients_->all()) deliver_to(each);
  } else {
    deliver_to({.recipient = {.address = redirect_}, .place = {}, .is_automatic = false});
  }
  recorder.end();
}

void MailPassage::deliver_to(const mta::MessageRecipient& recipient) {
  Recorder& recorder = services_.recorder();
  mta::QueueRecipient target = recipient.recipient;
  recorder.begin("route", concat("<", mta::quote_address(target.address), ">",
                                 recipient.is_automatic ? " (added)" : ""));
  if (filter_.empty()) {
    const Result<mta::Resolution> resolution = services_.addresses->route(target.address);
    if (resolution) {
      const std::string name(class_name(resolution->recipient_class));
      recorder.say(concat(", class ", name), {{"class", name}});
    }
  } else {
    recorder.say(concat(", by the content filter ", filter_), {{"filter", filter_}});
  }
  const mta::MailRoute route =
      services_.router->route({.sender = sender_, .filter = filter_, .redirect = redirect_}, target);
  const std::string address = mta::quote_address(target.address);
  recorder.say(concat(" -> ", route.transport, ":", route.nexthop, ", for <", address, ">"),
               {{"recipient", address}, {"transport", route.transport}, {"nexthop", route.nexthop}});
  const std::string agent = show_agent(route.transport, address);
  recorder.end();
  explanation_.deliveries.push_back(
      {.recipient = address, .transport = route.transport, .nexthop = route.nexthop, .agent = agent});
}

std::string MailPassage::show_agent(const std::string& transport, const std::string& recipient) {
  Recorder& recorder = services_.recorder();
  const auto& all = services_.site().services();
  const auto found = std::find_if(all.begin(), all.end(), [&](const libconf::PlacedService* each) {
    return each->service.service() == transport && each->service.type() == "unix";
  });
  const std::string& file = services_.site().master_cf().file();
  if (found == all.end()) {
    recorder.add(
        {.kind = "agent",
         .text = concat("no delivery agent: ", file, " has no service ", transport, "; the mail is deferred"),
         .facts = {{"service", transport}}});
    return {};
  }
  const libconf::MasterService& service = (*found)->service;
  const std::string place = concat(file, ":", std::to_string((*found)->line));
  recorder.add({.kind = "agent",
                .text = concat("delivery agent at ", place, ": ", service.text()),
                .facts = {{"service", transport}, {"command", service.command_text()}, {"place", place}}});
  if (const Result<void> shown = show_generic(**found, recipient); !shown)
    recorder.warn("generic", shown.error().message);
  return service.field(MasterField::kCommand);
}

/// What a client makes of the envelope's addresses when it sends them (smtp_generic_maps).
Result<void> MailPassage::show_generic(const libconf::PlacedService& agent, const std::string& recipient) {
  const std::string& command = agent.service.field(MasterField::kCommand);
  if (command != "smtp" && command != "lmtp") return {};
  Recorder& recorder = services_.recorder();
  const mta::Site& site = services_.site();
  const libconf::Settings settings = site.settings().for_service(agent, site.master_cf());
  const auto generic = mta::GenericAddresses::open(
      concat(command, "_"),
      {.tables = {.settings = settings, .warnings = recorder}, .host = services_.host()},
      services_.addresses->local_domains());
  if (!generic) return generic.error();
  if (!*generic) return {};
  for (const std::string& before : {mta::quote_address(sender_), recipient}) {
    const Result<std::string> after = (*generic)->map(before);
    if (!after) return after.error();
    recorder.add_once({.kind = "rewrite",
                       .text = concat("generic maps: ", before, " -> ", *after),
                       .is_detail = before == *after,
                       .facts = {{"step", "generic maps"}, {"before", before}, {"after", *after}}});
  }
  return {};
}

void MailPassage::header(std::string_view text) {
  if (!message_.has_body()) return message_.header(text);
  content(text, true);
}

void MailPassage::content(std::string_view text, bool ends_line) {
  message_.body(text);
  if (ends_line) message_.body("\n");
}

void MailPassage::recipient(std::string_view address, mta::RecipientSource) {
  if (!is_filtering_) {
    added_.emplace_back(address);
    return;
  }
  const Result<void> added =
      recipients_->add_filtered({.address = std::string(address), .original = mta::unquote_address(address)});
  if (!added) refuse(added.error());
}

void MailPassage::refuse(const libconf::Error& error) {
  services_.recorder().warn("rewriting", error.message);
  // As MessageIntake: of aliases without an end; the rest may work later.
  if (error.kind == libconf::ErrorKind::kConfiguration)
    session_.refuse({451, "4.6.0", "Alias expansion error"});
  else
    session_.refuse({451, "4.3.0", "Error: queue file write error"});
}

void MailPassage::log(libconf::Severity severity, std::string_view line) {
  const std::string text = concat(severity == libconf::Severity::kWarning ? "warning: " : "", line);
  services_.recorder().add({.kind = "log", .text = concat("log: ", text), .facts = {{"line", text}}});
}

}  // namespace postexplain
