/// Where a smtpd service listens, and so who talks to it (master(5), "Service name").
#pragma once

#include <string>

#include "tools/postlint/site_model.h"

namespace postlint {

struct SmtpEndpoint {
  std::string host = {};  ///< Empty: all of inet_interfaces.
  std::string port = {};  ///< A name or a number; empty where the service has no port of its own.
  SmtpRole role = SmtpRole::kMx;
  bool is_local_only = false;  ///< Clients of other hosts cannot reach it.
};

/// Pure.
SmtpEndpoint smtp_endpoint(const Service& service);

}  // namespace postlint
