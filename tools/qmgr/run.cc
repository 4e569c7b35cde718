#include "tools/qmgr/run.h"

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <ostream>

#include "libconf/text.h"
#include "tools/mta/daemon/queue_trigger.h"
#include "tools/mta/daemon/server_process.h"
#include "tools/mta/daemon/service_role.h"
#include "tools/mta/daemon/spool.h"
#include "tools/mta/daemon/trigger_listener.h"
#include "tools/mta/daemon/wake_up_timer.h"
#include "tools/mta/delivery/deliver_as_client.h"
#include "tools/mta/delivery/mail_notifier.h"
#include "tools/mta/delivery/mail_router.h"
#include "tools/mta/delivery/pipe_options.h"
#include "tools/mta/delivery/queue_forwarder.h"
#include "tools/mta/delivery/transports.h"
#include "tools/mta/dns/cares_resolver.h"
#include "tools/mta/queue/group_commit.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/queue/queue_manager.h"
#include "tools/qmgr/flush_service.h"

namespace qmgr {
namespace {

using libconf::concat;
using libconf::MasterField;
using libconf::Result;
using namespace std::chrono_literals;

constexpr std::string_view kProgram = "qmgr";
/// The command of master.cf that is not the queue manager's.
constexpr std::string_view kFlush = "flush";

/// Between looks whether the process before has ended.
constexpr auto kPause = 20ms;

/// How many queue files of notices are synced side by side.
constexpr int kCommitThreads = 2;

/// How long deliveries that are under way have when the mail system ends.
constexpr auto kLongestEnd = 30s;

class QueueService final : public mta::Service {
 public:
  QueueService(asio::io_context& io, mta::QueueManager& manager)
      : manager_(manager), listener_(io, [this](std::string_view requests) { manager_.ask(requests); }) {}

  Result<void> listen(mta::Transport transport, libconf::FileDescriptor socket) override {
    return listener_.listen(transport, std::move(socket));
  }
  void wake_up() override { manager_.ask("I"); }
  bool was_used() const override { return listener_.was_used(); }
  void stop() override { listener_.stop(); }

 private:
  mta::QueueManager& manager_;
  mta::TriggerListener listener_;
};

class QueueWork final : public mta::ServerWork {
 public:
  static Result<std::unique_ptr<mta::ServerWork>> create(mta::ServerProcess& process,
                                                         const std::string& deliver_as) {
    auto work = std::unique_ptr<QueueWork>(new QueueWork(process));
    if (const Result<void> prepared = work->prepare(deliver_as); !prepared) return prepared.error();
    return std::unique_ptr<mta::ServerWork>(std::move(work));
  }

  void start() override { wait_for_turn(); }
  void retire() override { end(); }
  void stop() override {
    end();
    timer_.expires_after(kLongestEnd);
    timer_.async_wait([this](const asio::error_code& failure) {
      if (!failure) process_.io().stop();
    });
  }

 private:
  explicit QueueWork(mta::ServerProcess& process) : process_(process), timer_(process.io()) {}
  Result<void> prepare(const std::string& deliver_as);
  Result<void> prepare_internal_mail(const libconf::PlacedService& own_service);
  std::size_t process_limit(std::string_view transport) const;
  void wait_for_turn();
  void end();

  mta::ServerProcess& process_;
  asio::steady_timer timer_;
  std::optional<mta::MasterLock> turn_;
  std::optional<mta::QueueDirectory> queue_;
  std::unique_ptr<mta::Resolver> resolver_;
  std::unique_ptr<mta::DeliverAsClient> actions_;
  std::unique_ptr<mta::MailRouter> router_;
  std::optional<mta::GroupCommitter> committer_;
  std::optional<mta::QueueTrigger> trigger_;
  std::unique_ptr<mta::InternalMailService> internal_mail_;
  std::unique_ptr<mta::MailNotifier> notifier_;
  std::optional<mta::QueueForwarder> forwarder_;
  std::unique_ptr<mta::Transports> transports_;
  std::optional<libconf::Settings> settings_;
  std::unique_ptr<mta::QueueManager> manager_;
  std::unique_ptr<mta::FastFlush> flush_;
  std::vector<std::unique_ptr<mta::Service>> services_;
  bool has_queue_manager_ = false;
  std::vector<std::unique_ptr<mta::WakeUpTimer>> wake_ups_;
  bool is_ended_ = false;
};

Result<void> QueueWork::prepare(const std::string& deliver_as) {
  const mta::Site& site = process_.site();
  std::vector<mta::ServerProcess::Passed> passed = process_.take_services();
  if (passed.empty()) return libconf::configuration_error("there is no service");
  const auto manages_queue = [](const mta::ServerProcess::Passed& each) {
    return each.placed.service.field(MasterField::kCommand) != kFlush;
  };
  const auto first = std::find_if(passed.begin(), passed.end(), manages_queue);
  has_queue_manager_ = first != passed.end();
  settings_.emplace(has_queue_manager_ ? site.settings().for_service(first->placed, site.master_cf())
                                       : site.settings());
  const Result<mta::Spool> spool = mta::Spool::read(*settings_);
  if (!spool) return spool.error();
  Result<mta::MasterLock> turn = spool->open_turn();
  if (!turn) return turn.error();
  turn_.emplace(std::move(*turn));
  Result<mta::QueueDirectory> queue = mta::QueueDirectory::open_here(*settings_);
  if (!queue) return queue.error();
  queue_.emplace(std::move(*queue));
  asio::io_context& io = process_.io();
  Result<std::unique_ptr<mta::CaresResolver>> resolver = mta::CaresResolver::create(io.get_executor(), {});
  if (!resolver) return resolver.error();
  resolver_ = std::move(*resolver);
  if (Result<void> ready = prepare_internal_mail(has_queue_manager_ ? first->placed : passed.front().placed);
      !ready)
    return ready;
  Result<std::unique_ptr<mta::DeliverAsClient>> actions =
      mta::DeliverAsClient::start(deliver_as, mta::command_roots(site));
  if (!actions) return actions.error();
  actions_ = std::move(*actions);
  const mta::SmtpClientParts client{.executor = io.get_executor(),
                                    .resolver = *resolver_,
                                    .log = process_.log(),
                                    .host = process_.host(),
                                    .internal_mail = internal_mail_.get()};
  transports_ = std::make_unique<mta::Transports>(site, client, actions_.get(), &*forwarder_);
  Result<std::unique_ptr<mta::MailRouter>> router =
      mta::MailRouter::create(*settings_, process_.host(), process_.log());
  if (!router) return router.error();
  router_ = std::move(*router);
  Result<std::unique_ptr<mta::FastFlush>> flush =
      mta::FastFlush::create(*settings_, *queue_, process_.log(), [this] { manager_->take_back(); });
  if (!flush) return flush.error();
  flush_ = std::move(*flush);
  const Result<std::chrono::seconds> limit = settings_->get_duration("ipc_timeout");
  if (!limit) return limit.error();
  Result<std::unique_ptr<mta::QueueManager>> manager = mta::QueueManager::create(
      *settings_, {.io = io,
                   .log = process_.log(),
                   .queue = *queue_,
                   .router = *router_,
                   .transports = *transports_,
                   .notifier = *notifier_,
                   .process_limit = [this](std::string_view transport) { return process_limit(transport); },
                   .flush = flush_.get()});
  if (!manager) return manager.error();
  manager_ = std::move(*manager);
  for (mta::ServerProcess::Passed& each : passed) {
    if (manages_queue(each))
      services_.push_back(std::make_unique<QueueService>(io, *manager_));
    else
      services_.push_back(std::make_unique<FlushService>(io, *flush_, *limit));
    process_.listen(*services_.back(), each, kProgram);
    wake_ups_.push_back(std::make_unique<mta::WakeUpTimer>(
        io, each.placed.service.field(MasterField::kWakeup), *services_.back()));
  }
  if (Result<void> became = process_.become_mail_owner(); !became) return became;
  actions_->attach(io.get_executor());
  return {};
}

/// What the system itself sends goes into the queue as all mail does, and the queue manager is told of it so.
Result<void> QueueWork::prepare_internal_mail(const libconf::PlacedService& own_service) {
  committer_.emplace(kCommitThreads);
  trigger_.emplace(process_.io(), concat("public/", own_service.service.service()));
  Result<std::unique_ptr<mta::InternalMailService>> mail =
      mta::InternalMailService::create(*settings_, {.executor = process_.io().get_executor(),
                                                    .log = process_.log(),
                                                    .host = process_.host(),
                                                    .queue = *queue_,
                                                    .committer = *committer_,
                                                    .trigger = &*trigger_});
  if (!mail) return mail.error();
  internal_mail_ = std::move(*mail);
  forwarder_.emplace(*internal_mail_);
  Result<std::unique_ptr<mta::MailNotifier>> notifier =
      mta::MailNotifier::create(*settings_, *internal_mail_, *queue_, process_.log());
  if (!notifier) return notifier.error();
  notifier_ = std::move(*notifier);
  return {};
}

std::size_t QueueWork::process_limit(std::string_view transport) const {
  const auto& services = process_.site().services();
  const auto placed = std::find_if(services.begin(), services.end(), [&](const auto* each) {
    return each->service.service() == transport && each->service.type() == "unix";
  });
  if (placed == services.end()) return 1;
  return mta::process_limit(**placed, process_.site().settings()).value_or(1);
}

void QueueWork::wait_for_turn() {
  if (is_ended_ || !has_queue_manager_) return;
  if (turn_->take()) return manager_->start();
  timer_.expires_after(kPause);
  timer_.async_wait([this](const asio::error_code& failure) {
    if (!failure) wait_for_turn();
  });
}

/// The next process may start from here on.
void QueueWork::end() {
  is_ended_ = true;
  timer_.cancel();
  for (const auto& timer : wake_ups_) timer->stop();
  for (const auto& service : services_) service->stop();
  manager_->stop();
  turn_.reset();
}

}  // namespace

int run(const std::vector<std::string>& arguments, const std::string& deliver_as, std::ostream& err) {
  return mta::run_server(kProgram, arguments, err,
                         [&](mta::ServerProcess& process) { return QueueWork::create(process, deliver_as); });
}

}  // namespace qmgr
