/// What the restriction engine asks others for, answered from a file, or said to be unknown.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/access/services.h"
#include "tools/postexplain/answers.h"
#include "tools/postexplain/recorder.h"

namespace postexplain {

/// Where names are looked up.
enum class DnsMode {
  kUnknown,  ///< Nowhere: each question fails for now.
  kNone,     ///< Nowhere: no name exists.
  kFile,
  kLive,  ///< In the network; policy servers are asked there, too.
};

/// Answers, and writes each question down. `answers` and `recorder` must outlive it.
class DryServices {
 public:
  /// Errors: those of CaresResolver::create() and of the settings, with kLive only.
  static libconf::Result<std::unique_ptr<DryServices>> create(DnsMode mode, Answers& answers,
                                                              Recorder& recorder, asio::io_context& io,
                                                              const libconf::Settings& settings);
  virtual ~DryServices() = default;

  virtual mta::Resolver& resolver() = 0;
  virtual mta::AddressVerifier& verifier() = 0;
  virtual mta::PolicyService& policy() = 0;
};

}  // namespace postexplain
