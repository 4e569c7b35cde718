// SMTP commands: each line of the input is a command of one session. Nothing that was understood has a
// control character where a queue file could not hold it, and a reply is well-formed.
#include "libconf/text.h"
#include "tests/fuzz/property.h"
#include "tools/mta/smtp/path.h"
#include "tools/mta/smtp/request.h"

namespace {

mta::ServerOptions options_of(bool is_strict) {
  libconf::Settings settings(nullptr, host_without_interfaces());
  settings.override_value("strict_rfc821_envelopes", is_strict ? "yes" : "no");
  return mta::read_server_options(settings).value();
}

void check_reply(const mta::Reply& reply) {
  require(reply.code() >= 200 && reply.code() < 600, "a reply has a code");
  std::string text;
  reply.append_to(text);
  require(text.ends_with("\r\n") && text.find('\n') == text.size() - 1, "a refusal is one line");
}

void check_address(const std::string& address) {
  require(address.find('\0') == std::string::npos && address.find('\n') == std::string::npos,
          "an address is one line");
  require(mta::has_valid_domain(address, {.is_utf8 = true}) || mta::has_valid_domain(address, {}),
          "an address has a valid domain");
}

void check_request(const mta::Request& request) {
  if (const auto* mail = std::get_if<mta::MailRequest>(&request)) check_address(mail->sender);
  if (const auto* rcpt = std::get_if<mta::RcptRequest>(&request)) {
    require(!rcpt->recipient.empty(), "there is a recipient");
    check_address(rcpt->recipient);
    require(rcpt->original_recipient.find('\n') == std::string::npos, "an original recipient is one line");
  }
  if (const auto* helo = std::get_if<mta::HeloRequest>(&request)) {
    require(libconf::printable_utf8(helo->name) == helo->name, "a name of HELO is printable");
  }
  if (const auto* bdat = std::get_if<mta::BdatRequest>(&request); bdat && bdat->refusal)
    check_reply(*bdat->refusal);
}

void check_session(std::string_view lines, const mta::ServerOptions& options) {
  mta::SessionState state;
  state.may_use_xclient = state.may_use_xforward = state.may_use_verp = true;
  state.offers_auth = state.offers_tls = true;
  while (!lines.empty()) {
    const std::string_view text = take_first_line(lines);
    const mta::CommandLine line(text.substr(0, text.find('\0')));
    if (line.words().empty()) continue;
    const mta::Command* command = mta::find_command(line.name());
    if (!command) continue;
    const mta::RequestResult request = parse_request(*command, line, options, state);
    if (!request) {
      check_reply(request.error());
      continue;
    }
    check_request(*request);
    if (std::holds_alternative<mta::MailRequest>(*request)) state.has_sender = true;
    if (std::holds_alternative<mta::RcptRequest>(*request)) ++state.recipients;
    if (std::holds_alternative<mta::RsetRequest>(*request)) state.has_sender = false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const mta::ServerOptions kLax = options_of(false);
  static const mta::ServerOptions kStrict = options_of(true);
  check_session(as_text(data, size), kLax);
  check_session(as_text(data, size), kStrict);
  return 0;
}
