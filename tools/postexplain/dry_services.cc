#include "tools/postexplain/dry_services.h"

#include "libconf/text.h"
#include "tools/mta/access/policy_client.h"
#include "tools/mta/dns/cares_resolver.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::Result;

/// One answer for all.
class FixedResolver final : public mta::Resolver {
 public:
  explicit FixedResolver(mta::DnsStatus status) : status_(status) {}
  asio::awaitable<mta::DnsAnswer> resolve(std::string, mta::DnsType) override {
    co_return mta::DnsAnswer{.status = status_};
  }

 private:
  mta::DnsStatus status_;
};

std::string_view status_name(mta::DnsStatus status) {
  switch (status) {
    case mta::DnsStatus::kFound:
      return "found";
    case mta::DnsStatus::kNoData:
      return "no such record";
    case mta::DnsStatus::kNoSuchName:
      return "no such name";
    case mta::DnsStatus::kTemporaryFailure:
    case mta::DnsStatus::kFiltered:
    case mta::DnsStatus::kFilterFailed:
      break;
  }
  return "temporary failure";
}

std::string text_of(const mta::DnsRecord& record, mta::DnsType type) {
  if (type != mta::DnsType::kMx) return record.data;
  return concat(std::to_string(record.preference), " ", record.data.empty() ? "." : record.data);
}

class RecordedResolver final : public mta::Resolver {
 public:
  RecordedResolver(mta::Resolver& resolver, Recorder& recorder) : resolver_(resolver), recorder_(recorder) {}

  asio::awaitable<mta::DnsAnswer> resolve(std::string name, mta::DnsType type) override {
    mta::DnsAnswer answer = co_await resolver_.resolve(name, type);
    std::string said;
    for (const mta::DnsRecord& record : answer.records)
      said += concat(said.empty() ? "" : ", ", text_of(record, type));
    const std::string status(status_name(answer.status));
    const std::string_view type_name = mta::dns_type_name(type);
    recorder_.add(
        {.kind = "dns",
         .text = concat("DNS ", name, " ", type_name, ": ", said.empty() ? status : said),
         .facts = {{"name", name}, {"type", std::string(type_name)}, {"status", status}, {"records", said}}});
    co_return answer;
  }

 private:
  mta::Resolver& resolver_;
  Recorder& recorder_;
};

class RecordedVerifier final : public mta::AddressVerifier {
 public:
  RecordedVerifier(const Answers& answers, Recorder& recorder) : answers_(answers), recorder_(recorder) {}

  asio::awaitable<mta::Verification> verify(std::string address, std::chrono::seconds) override {
    const std::optional<std::string> answer = answers_.of("verify", address);
    recorder_.add({.kind = "verify",
                   .text = concat("probe of ", address, ": ", answer.value_or("not asked")),
                   .facts = {{"address", address}, {"answer", answer.value_or("")}}});
    if (!answer) co_return mta::Verification{.reason = "Address verification in progress"};
    std::string_view rest = *answer;
    const std::string_view word = libconf::next_word(rest, libconf::kBlanks).value_or("");
    mta::Verification result{.reason = std::string(libconf::trim(rest))};
    if (word == "deliverable") result.status = mta::VerificationStatus::kDeliverable;
    if (word == "undeliverable") result.status = mta::VerificationStatus::kUndeliverable;
    co_return result;
  }

 private:
  const Answers& answers_;
  Recorder& recorder_;
};

class RecordedPolicy final : public mta::PolicyService {
 public:
  /// `live` may be null.
  RecordedPolicy(const Answers& answers, Recorder& recorder, mta::PolicyService* live)
      : answers_(answers), recorder_(recorder), live_(live) {}

  asio::awaitable<std::string> ask(const mta::PolicyServiceSettings& settings, const mta::SmtpdState& state,
                                   const std::function<void(std::string)>& warn) override {
    std::optional<std::string> answer = answers_.of("policy", settings.endpoint);
    const bool is_asked = answer || live_ != nullptr;
    if (!answer && live_ != nullptr) answer = co_await live_->ask(settings, state, warn);
    if (!answer) answer = "DUNNO";
    recorder_.add(
        {.kind = "policy",
         .text = concat("policy server ", settings.endpoint, ": ", *answer, is_asked ? "" : " (not asked)"),
         .facts = {{"server", settings.endpoint}, {"answer", *answer}, {"asked", is_asked ? "yes" : "no"}}});
    co_return *answer;
  }

  void release(std::string_view instance) override {
    if (live_ != nullptr) live_->release(instance);
  }

 private:
  const Answers& answers_;
  Recorder& recorder_;
  mta::PolicyService* live_;
};

class Services final : public DryServices {
 public:
  Services(std::unique_ptr<mta::Resolver> own, std::unique_ptr<mta::PolicyService> live, Answers& answers,
           Recorder& recorder)
      : own_(std::move(own)),
        live_(std::move(live)),
        resolver_(own_ ? *own_ : answers.dns(), recorder),
        verifier_(answers, recorder),
        policy_(answers, recorder, live_.get()) {}

  mta::Resolver& resolver() override { return resolver_; }
  mta::AddressVerifier& verifier() override { return verifier_; }
  mta::PolicyService& policy() override { return policy_; }

 private:
  std::unique_ptr<mta::Resolver> own_;  ///< Null: the answers' own.
  std::unique_ptr<mta::PolicyService> live_;
  RecordedResolver resolver_;
  RecordedVerifier verifier_;
  RecordedPolicy policy_;
};

}  // namespace

Result<std::unique_ptr<DryServices>> DryServices::create(DnsMode mode, Answers& answers, Recorder& recorder,
                                                         asio::io_context& io,
                                                         const libconf::Settings& settings) {
  std::unique_ptr<mta::Resolver> own;
  std::unique_ptr<mta::PolicyService> live;
  if (mode == DnsMode::kUnknown) own = std::make_unique<FixedResolver>(mta::DnsStatus::kTemporaryFailure);
  if (mode == DnsMode::kNone) own = std::make_unique<FixedResolver>(mta::DnsStatus::kNoSuchName);
  if (mode == DnsMode::kLive) {
    Result<std::unique_ptr<mta::CaresResolver>> resolver = mta::CaresResolver::create(io.get_executor(), {});
    if (!resolver) return resolver.error();
    own = std::move(*resolver);
    const Result<std::string> level = settings.get("compatibility_level");
    if (!level) return level.error();
    const Result<std::string> version = settings.get("mail_version");
    if (!version) return version.error();
    live = std::make_unique<mta::PolicyClient>(
        io.get_executor(), mta::PolicyVersions{.compatibility_level = *level, .mail_version = *version});
  }
  return std::unique_ptr<DryServices>(
      std::make_unique<Services>(std::move(own), std::move(live), answers, recorder));
}

}  // namespace postexplain
