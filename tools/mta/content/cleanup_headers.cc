#include "tools/mta/content/cleanup_headers.h"

#include <algorithm>
#include <iterator>

#include "libconf/text.h"
#include "tools/mta/content/header_line.h"
#include "tools/mta/content/mail_date.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Result;
using libconf::Severity;

constexpr std::string_view kReceived = "Received";
constexpr std::string_view kMailerDaemon = "MAILER-DAEMON";

/// RFC 5322, section 3.2.3: what an atom does not have.
constexpr std::string_view kSpecials = "()<>@,;:\\\".[]";

bool is_blank(char c) { return libconf::kBlanks.find(c) != std::string_view::npos; }

bool needs_quotes(std::string_view phrase) {
  return std::any_of(phrase.begin(), phrase.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (!is_blank(c) && (byte < ' ' || byte == 0x7F)) || kSpecials.find(c) != std::string_view::npos;
  });
}

/// `text` with a backslash before each of `characters`.
std::string escaped(std::string_view text, std::string_view characters) {
  std::string out;
  for (const char c : text) {
    if (characters.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// Parentheses may stand in a comment as they are when each has its partner.
bool is_balanced(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (c == ')' && --depth < 0) return false;
  }
  return depth == 0;
}

}  // namespace

Result<HeaderOptions> header_options(const libconf::Settings& settings) {
  HeaderOptions options;
  auto dropped = settings.get_list("message_drop_headers");
  if (!dropped) return dropped.error();
  const auto adds_missing = settings.get_bool("always_add_missing_headers");
  if (!adds_missing) return adds_missing.error();
  auto undisclosed = settings.get("undisclosed_recipients_header");
  if (!undisclosed) return undisclosed.error();
  const auto hops = settings.get_int("hopcount_limit");
  if (!hops) return hops.error();
  const auto format = settings.get("header_from_format");
  if (!format) return format.error();
  auto hostname = settings.get("myhostname");
  if (!hostname) return hostname.error();
  options.dropped = std::move(*dropped);
  options.always_adds_missing = *adds_missing;
  options.undisclosed_recipients_header = std::move(*undisclosed);
  options.hopcount_limit = static_cast<std::size_t>(*hops);
  options.has_obsolete_from = *format == "obsolete";
  options.my_hostname = std::move(*hostname);
  return options;
}

std::string from_header(std::string_view address, std::string_view full_name, bool is_obsolete) {
  if (address.empty()) return concat("From: ", kMailerDaemon);
  if (full_name.empty()) return concat("From: ", address);
  // Postfix makes a header of unbalanced parentheses that reads otherwise.
  if (is_obsolete)
    return concat("From: ", address, " (", is_balanced(full_name) ? full_name : escaped(full_name, "()\\"),
                  ")");
  const std::string name = needs_quotes(full_name) ? concat("\"", escaped(full_name, "\"\\"), "\"")
                                                   : libconf::collapse_blanks(full_name);
  return concat("From: ", name, name.empty() ? "<" : " <", address, ">");
}

/// The headers that matter here. That the addresses of Resent-Reply-To are recipients is Postfix's choice.
const CleanupHeaders::KnownHeader CleanupHeaders::kKnownHeaders[] = {
    {.name = "Apparently-To", .role = HeaderRole::kRecipient},
    {.name = "Bcc", .role = HeaderRole::kRecipient, .has_recipients = true},
    {.name = "Cc", .role = HeaderRole::kRecipient, .seen = kDestination, .has_recipients = true},
    {.name = "Date", .seen = kDate},
    {.name = "Disposition-Notification-To", .role = HeaderRole::kSender},
    {.name = "Errors-To", .role = HeaderRole::kSender},
    {.name = "From", .role = HeaderRole::kSender, .seen = kFrom},
    {.name = "Mail-Followup-To", .role = HeaderRole::kSender},
    {.name = "Message-Id", .seen = kMessageId},
    {.name = "Reply-To", .role = HeaderRole::kSender},
    {.name = "Resent-Bcc", .role = HeaderRole::kRecipient, .is_resent = true, .has_recipients = true},
    {.name = "Resent-Cc",
     .role = HeaderRole::kRecipient,
     .seen = kDestination,
     .is_resent = true,
     .has_recipients = true},
    {.name = "Resent-Date", .seen = kResentDate, .is_resent = true},
    {.name = "Resent-From", .role = HeaderRole::kSender, .seen = kResentFrom, .is_resent = true},
    {.name = "Resent-Message-Id", .seen = kResentMessageId, .is_resent = true},
    {.name = "Resent-Reply-To", .role = HeaderRole::kRecipient, .is_resent = true},
    {.name = "Resent-Sender", .role = HeaderRole::kSender, .is_resent = true},
    {.name = "Resent-To",
     .role = HeaderRole::kRecipient,
     .seen = kDestination,
     .is_resent = true,
     .has_recipients = true},
    {.name = "Return-Path", .role = HeaderRole::kSender},
    {.name = "Return-Receipt-To", .role = HeaderRole::kSender},
    {.name = "Sender", .role = HeaderRole::kSender},
    {.name = "To", .role = HeaderRole::kRecipient, .seen = kDestination, .has_recipients = true},
};

std::optional<HeaderRole> CleanupHeaders::role_of(std::string_view name) {
  const KnownHeader* found = known(name);
  return found == nullptr ? std::nullopt : found->role;
}

const CleanupHeaders::KnownHeader* CleanupHeaders::known(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kKnownHeaders), std::end(kKnownHeaders),
                   [name](const KnownHeader& header) { return equals_ignoring_case(header.name, name); });
  return found == std::end(kKnownHeaders) ? nullptr : found;
}

CleanupHeaders::CleanupHeaders(const HeaderOptions& options, const MessageContext& context,
                               HeaderAddresses* addresses, CleanupSink& sink, Write write)
    : options_(options), context_(context), addresses_(addresses), sink_(sink), write_(std::move(write)) {}

bool CleanupHeaders::is_dropped(std::string_view name) const {
  return std::any_of(options_.dropped.begin(), options_.dropped.end(),
                     [name](const std::string& dropped) { return equals_ignoring_case(dropped, name); });
}

void CleanupHeaders::log_message_id(std::string_view label, std::string_view id) {
  sink_.log(Severity::kInfo, concat(context_.queue_id, ": ", label, "=", id));
}

std::optional<Rejection> CleanupHeaders::header(std::string_view text) {
  const HeaderStart start = header_start(text);
  const std::string_view name = text.substr(0, start.name);
  const std::string_view value = text.substr(start.colon + 1);
  if (equals_ignoring_case(name, kReceived) && ++hops_ >= options_.hopcount_limit) {
    sink_.log(Severity::kWarning, concat(context_.queue_id, ": message rejected: hopcount exceeded"));
    return Rejection{
        .code = 554, .status = "5.4.0", .text = "Error: too many hops", .error_class = ErrorClass::kBounce};
  }
  const KnownHeader* const header = known(name);
  if (header != nullptr) {
    if (header->seen) seen_.set(*header->seen);
    if (header->is_resent) seen_.set(kResent);
    if (header->seen == kMessageId) log_message_id("message-id", libconf::trim_left(value));
    if (header->seen == kResentMessageId) log_message_id("resent-message-id", libconf::trim_left(value));
    if (header->has_recipients && context_.extracts_recipients && addresses_ != nullptr) {
      auto& recipients = header->is_resent ? resent_recipients_ : recipients_;
      addresses_->for_each(value,
                           [&recipients](std::string_view address) { recipients.emplace_back(address); });
    }
  }
  if (is_dropped(name)) return std::nullopt;
  if (header == nullptr || !header->role || addresses_ == nullptr || !context_.rewrites_headers) {
    write_(text);
    return std::nullopt;
  }
  std::string rewritten(text);
  if (const auto done = addresses_->rewrite(*header->role, rewritten); !done) {
    sink_.log(Severity::kWarning, concat(context_.queue_id, ": ", done.error().message));
    return Rejection{.code = 451,
                     .status = "4.3.0",
                     .text = "Error: queue file write error",
                     .error_class = ErrorClass::kResource};
  }
  write_(rewritten);
  return std::nullopt;
}

void CleanupHeaders::finish() {
  const bool adds_missing = context_.rewrites_headers || options_.always_adds_missing;
  if (adds_missing) add_missing_origin();
  if (!seen_[kMessageId]) log_message_id("message-id", "<>");
  if (adds_missing) add_missing_destination();
  for (const std::string& recipient : resent_recipients_.empty() ? recipients_ : resent_recipients_)
    sink_.recipient(recipient, RecipientSource::kHeader);
}

/// A message that was sent again gets the headers of its resending, and no others.
void CleanupHeaders::add_missing_origin() {
  const bool is_resent = seen_[kResent];
  const std::string_view prefix = is_resent ? "Resent-" : "";
  if (!seen_[is_resent ? kResentMessageId : kMessageId]) add_message_id(is_resent);
  if (!seen_[is_resent ? kResentDate : kDate]) write_(concat(prefix, "Date: ", mail_date(context_.arrival)));
  if (!seen_[is_resent ? kResentFrom : kFrom])
    write_(concat(prefix, from_header(context_.sender, context_.full_name, options_.has_obsolete_from)));
}

void CleanupHeaders::add_missing_destination() {
  const std::string_view undisclosed = options_.undisclosed_recipients_header;
  if (seen_[kDestination] || undisclosed.empty()) return;
  if (header_start(undisclosed).name == 0) {
    sink_.log(Severity::kWarning, concat("bad undisclosed_recipients_header header text \"", undisclosed,
                                         "\" -- need \"headername: headervalue\""));
    return;
  }
  write_(undisclosed);
}

void CleanupHeaders::add_message_id(bool is_resent) {
  const std::time_t created = context_.created != 0 ? context_.created : context_.arrival;
  const std::string id =
      concat("<", compact_date(created), ".", context_.queue_id, "@", options_.my_hostname, ">");
  write_(concat(is_resent ? "Resent-" : "", "Message-Id: ", id));
  log_message_id(is_resent ? "resent-message-id" : "message-id", id);
  if (!is_resent) seen_.set(kMessageId);
}

}  // namespace mta
