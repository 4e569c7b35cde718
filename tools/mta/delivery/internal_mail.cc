#include "tools/mta/delivery/internal_mail.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "libconf/text.h"
#include "libmaps/table_context.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/content/mail_date.h"
#include "tools/mta/daemon/settings_reader.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

/// Of internal_mail_filter_classes; in the order of InternalMailClass.
constexpr std::array<std::string_view, 2> kClassNames = {"bounce", "notify"};

Result<std::bitset<2>> read_classes(const libconf::Settings& settings) {
  constexpr const char* kParameter = "internal_mail_filter_classes";
  const auto words = settings.get_list(kParameter);
  if (!words) return words.error();
  std::bitset<2> classes;
  for (const std::string& word : *words) {
    const auto* const known =
        std::find_if(kClassNames.begin(), kClassNames.end(),
                     [&](std::string_view name) { return libconf::equals_ignoring_case(name, word); });
    if (known == kClassNames.end())
      return libconf::configuration_error(
          concat("unknown ", kParameter, " value \"", word, "\" in \"", word, "\""));
    classes.set(static_cast<std::size_t>(known - kClassNames.begin()));
  }
  return classes;
}

}  // namespace

InternalEnvelope forward_envelope(const DeliveryRequest& request) {
  const DeliveryOrigin& origin = request.origin;
  return {.sender = request.sender,
          .envelope_id = request.envelope_id,
          .return_flags = request.return_flags,
          .is_utf8 = (request.send_options & kUtf8Requested) != 0,
          .context = origin.rewrite_context == "local" ? RewriteContext::kLocal : RewriteContext::kRemote,
          .is_forwarded = true,
          .attributes = {{"log_client_name", origin.client_name},
                         {"log_client_address", origin.client_address},
                         {"log_protocol_name", origin.protocol},
                         {"log_helo_name", origin.helo_name},
                         {"log_ident", request.queue_id},
                         {"rewrite_context", origin.rewrite_context}}};
}

int forward_notify(int notify) {
  if ((notify & kNotifySuccess) == 0) return notify;
  const int rest = notify & ~kNotifySuccess;
  return rest == 0 ? static_cast<int>(kNotifyNever) : rest;
}

asio::awaitable<IntakeResult> InternalMail::finish() {
  if (milters_) {
    const EnvelopeVerdict verdict = co_await milters_->tell_envelope(id(), sender_, recipients_);
    if (verdict.refusal) co_return IntakeResult{.kind = IntakeKind::kRefused, .refusal = *verdict.refusal};
    if (verdict.discard) co_return IntakeResult{.kind = IntakeKind::kDiscarded};
    if (verdict.hold) intake_->hold();
    intake_->name_for_filters(NonSmtpMilters::client(), recipients_.back());
  }
  co_return co_await intake_->finish();
}

Result<void> copy_content(QueueFileReader& reader, std::uint64_t content_offset, ContentSink& sink) {
  return read_content(reader, content_offset, [&sink](std::string_view text, bool ends_line) -> Result<void> {
    sink.line(text, !ends_line);
    return {};
  });
}

Result<void> InternalMailService::read_settings() {
  SettingsReader reader(settings_);
  reader.text("myhostname", myhostname_);
  reader.text("mail_name", mail_name_);
  if (reader.error()) return *reader.error();
  Result<IntakeOptions> options = IntakeOptions::read(settings_);
  if (!options) return options.error();
  options_ = std::move(*options);
  // Copies are of what comes from outside.
  options_.always_bcc.clear();
  options_.recipients.adds_bcc = false;
  warnings_.emplace(runtime_.log, LogTag{.syslog_name = options_.syslog_name, .program = "cleanup"});
  // It is what clients send, and what users submit, that these are about.
  settings_.override_value("receive_override_options", "");
  const Result<std::bitset<2>> classes = read_classes(settings_);
  if (!classes) return classes.error();
  inspected_ = *classes;
  if (inspected_.any()) {
    Result<MilterSettings> milters = MilterSettings::read(settings_, "non_smtpd_milters");
    if (!milters) return milters.error();
    milters_ = std::move(*milters);
  }
  return {};
}

Result<void> InternalMailService::open_tables() {
  Result<std::unique_ptr<AddressServices>> addresses =
      AddressServices::create(settings_, runtime_.host, *warnings_);
  if (!addresses) return addresses.error();
  addresses_ = std::move(*addresses);
  if (inspected_.none()) return {};
  Result<ContentChecks> checks =
      ContentChecks::open(settings_, {.settings = settings_, .warnings = *warnings_});
  if (!checks) return checks.error();
  checks_ = std::move(*checks);
  return {};
}

Result<std::unique_ptr<InternalMailService>> InternalMailService::create(libconf::Settings settings,
                                                                         const InternalMailRuntime& runtime) {
  std::unique_ptr<InternalMailService> service(new InternalMailService(settings, runtime));
  if (Result<void> read = service->read_settings(); !read) return read.error();
  if (Result<void> opened = service->open_tables(); !opened) return opened.error();
  return service;
}

bool InternalMailService::is_inspected(InternalMailClass mail_class) const {
  const auto number = static_cast<std::size_t>(mail_class);
  return number < inspected_.size() && inspected_[number];
}

IntakeServices InternalMailService::intake(InternalMailClass mail_class) {
  return {.queue = runtime_.queue,
          .committer = runtime_.committer,
          .addresses = *addresses_,
          .options = options_,
          .checks = checks_,
          .log = runtime_.log,
          .content_filter = content_filter_,
          .checks_content = is_inspected(mail_class),
          .trigger = runtime_.trigger};
}

Result<std::vector<EnvelopeRecipient>> InternalMailService::to_envelope(
    RewriteContext context, std::vector<QueueRecipient> recipients) {
  std::vector<EnvelopeRecipient> result;
  for (QueueRecipient& each : recipients) {
    EnvelopeRecipient& recipient = result.emplace_back(
        EnvelopeRecipient{.address = quote_address(each.address),
                          .original = each.original.empty() ? each.address : std::move(each.original),
                          .dsn_original = std::move(each.dsn_original),
                          .dsn_notify = each.notify});
    if (!recipient.dsn_original.empty()) continue;
    Result<std::string> original = addresses_->original_recipient(context, recipient.address);
    if (!original) return original.error();
    // RFC 6533, section 3.
    constexpr std::string_view kAscii = "rfc822;";
    if (!libconf::is_ascii(*original) && original->starts_with(kAscii))
      original->replace(0, kAscii.size(), "utf-8;");
    recipient.dsn_original = std::move(*original);
  }
  return result;
}

Result<void> InternalMailService::tell_milters(const InternalEnvelope& envelope,
                                               const std::vector<EnvelopeRecipient>& recipients,
                                               InternalMail& mail) {
  if (!is_inspected(envelope.mail_class) || milters_.filters.empty()) return {};
  mail.milters_.emplace(runtime_.executor, milters_, [this](Severity severity, std::string_view text) {
    runtime_.log.write({.syslog_name = options_.syslog_name, .program = "cleanup"}, severity, text);
  });
  const Result<std::string> sender = addresses_->rewrite_sender(envelope.context, envelope.sender);
  if (!sender) return sender.error();
  mail.sender_ = quote_address(*sender);
  for (const EnvelopeRecipient& each : recipients) {
    Result<std::string> told = addresses_->rewrite_recipient(envelope.context, each.address);
    if (!told) return told.error();
    mail.recipients_.push_back(std::move(*told));
  }
  return {};
}

Result<std::unique_ptr<InternalMail>> InternalMailService::open(InternalEnvelope envelope) {
  Result<std::vector<EnvelopeRecipient>> recipients =
      to_envelope(envelope.context, std::move(envelope.recipients));
  if (!recipients) return recipients.error();
  Result<std::unique_ptr<MessageIntake>> intake = MessageIntake::open(this->intake(envelope.mail_class));
  if (!intake) return intake.error();
  std::unique_ptr<InternalMail> mail(new InternalMail(std::move(*intake)));
  if (Result<void> told = tell_milters(envelope, *recipients, *mail); !told) return told.error();
  OwnMailFacts facts;
  if (!envelope.is_forwarded) facts.before_sender = {{"log_message_origin", "local"}, {"trace_flags", "0"}};
  mail->intake_->begin({.sender = std::move(envelope.sender),
                        .recipients = std::move(*recipients),
                        .envelope_id = std::move(envelope.envelope_id),
                        .return_flags = envelope.return_flags,
                        .is_utf8 = envelope.is_utf8,
                        .context = envelope.context,
                        .attributes = std::move(envelope.attributes),
                        .client = "local",
                        .protocol = {},
                        .helo = {},
                        .received = concat("Received: by ", myhostname_, " (", mail_name_, ")\n\tid ",
                                           mail->id(), "; ", mail_date(std::time(nullptr))),
                        .actions = {},
                        .filters = mail->milters_ ? &mail->milters_->chain() : nullptr,
                        .own = std::move(facts)});
  return mail;
}

}  // namespace mta
