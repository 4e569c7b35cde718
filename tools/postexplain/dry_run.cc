#include "tools/postexplain/dry_run.h"

#include <array>

#include "libconf/text.h"
#include "tools/mta/daemon/table_observer.h"
#include "tools/postexplain/mail_passage.h"
#include "tools/postexplain/services.h"
#include "tools/postexplain/session.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::Result;

class ServiceDryRun final : public DryRun {
 public:
  explicit ServiceDryRun(std::unique_ptr<Services> services)
      : services_(std::move(services)), opening_(services_->recorder().take()) {}

  Result<Explanation> explain(const Request& request) override {
    // Tables of restrictions are opened when they are asked.
    const mta::TableObservation observation(services_->recorder());
    Recorder& recorder = services_->recorder();
    const libconf::PlacedService& entry = services_->entry();
    const std::string place = concat(services_->site().master_cf().file(), ":", std::to_string(entry.line));
    recorder.add({.kind = "service",
                  .text = concat("service at ", place, ": ", entry.service.text()),
                  .facts = {{"service", entry.service.key()}, {"place", place}}});
    Explanation explanation;
    Session session(*services_, request, explanation);
    if (const Result<void> done = session.run(); !done) {
      recorder.take();
      return done.error();
    }
    if (explanation.reply.empty()) pass_on(session, request, explanation);
    explanation.trace = opening_;
    std::vector<TraceNode> seen = recorder.take();
    explanation.trace.insert(explanation.trace.end(), std::make_move_iterator(seen.begin()),
                             std::make_move_iterator(seen.end()));
    return explanation;
  }

 private:
  void pass_on(Session& session, const Request& request, Explanation& explanation) {
    const std::string& filter = services_->proxy_filter;
    if (filter.empty()) return MailPassage(*services_, session, request, explanation).run();
    services_->recorder().add({.kind = "proxy",
                               .text = concat("the mail goes to the server ", filter,
                                              " (smtpd_proxy_filter), which has the last word"),
                               .facts = {{"server", filter}}});
  }

  std::unique_ptr<Services> services_;
  std::vector<TraceNode> opening_;  ///< What opening it all was like.
};

}  // namespace

std::string_view decision_name(Decision decision) {
  constexpr std::array<std::string_view, 4> kNames = {"permit", "reject", "defer", "discard"};
  return kNames[static_cast<std::size_t>(decision)];
}

Result<std::unique_ptr<DryRun>> DryRun::create(Setup setup) {
  Result<std::unique_ptr<Services>> services = Services::open(std::move(setup));
  if (!services) return services.error();
  return std::unique_ptr<DryRun>(std::make_unique<ServiceDryRun>(std::move(*services)));
}

}  // namespace postexplain
