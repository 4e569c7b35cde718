/// What address verification knows without a queue manager that could probe: nothing (verify(8)).
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "tools/mta/access/services.h"

namespace smtpd {

class NoVerifier final : public mta::AddressVerifier {
 public:
  asio::awaitable<mta::Verification> verify(std::string, std::chrono::seconds) override {
    co_return mta::Verification{};
  }
};

}  // namespace smtpd
