/// non_smtpd_milters: filters of mail that does not come by SMTP (pickup(8), MILTER_README). They are told a
/// session that there was not.
///
///     NonSmtpMilters milters(executor, *MilterSettings::read(settings, "non_smtpd_milters"), log);
///     EnvelopeVerdict verdict = co_await milters.tell_envelope(intake->id(), "ann@example.org", recipients);
///     if (!verdict.refusal) intake->begin({..., .filters = &milters.chain()});
///
/// MessageIntake::finish() then tells them the content.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/content/cleanup_sink.h"
#include "tools/mta/content/milter_client.h"
#include "tools/mta/smtp/milter_macros.h"

namespace mta {

/// What filters say to the envelope.
struct EnvelopeVerdict {
  std::optional<Rejection> refusal =
      {};  ///< A code of 5xx: the mail goes back to its sender; of 4xx: it is tried again.
  bool hold = false;
  bool discard = false;
};

/// For one message. Not thread-safe; `settings` must outlive it.
class NonSmtpMilters {
 public:
  /// Takes a line of the log, of cleanup(8).
  using Log = std::function<void(libconf::Severity severity, std::string_view text)>;

  NonSmtpMilters(const asio::any_io_executor& executor, const MilterSettings& settings, Log log);
  NonSmtpMilters(const NonSmtpMilters&) = delete;
  NonSmtpMilters& operator=(const NonSmtpMilters&) = delete;

  /// Everything but the content: a client at localhost, HELO, MAIL, RCPT, DATA. Addresses are in external
  /// form.
  asio::awaitable<EnvelopeVerdict> tell_envelope(std::string queue_id, std::string sender,
                                                 std::vector<std::string> recipients);

  MilterChain& chain() { return chain_; }

  /// How the log calls the client that filters are told of: "localhost[127.0.0.1]".
  static std::string client();

 private:
  /// Whether nothing more is to be told.
  bool settle(const MilterVerdict& verdict, std::string_view stage, EnvelopeVerdict& envelope);
  void log(std::string_view verdict, std::string_view stage, std::string_view text);

  const MilterSettings& settings_;
  Log log_;
  SmtpdState state_;
  MilterFacts facts_;
  MilterChain chain_;
};

}  // namespace mta
