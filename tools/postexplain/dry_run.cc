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
  explicit ServiceDryRun(std::unique_ptr<Services> services) : services_(std::move(services)) {}

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
    if (explanation.reply.empty()) MailPassage(*services_, session, request, explanation).run();
    explanation.trace = recorder.take();
    return explanation;
  }

 private:
  std::unique_ptr<Services> services_;
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
