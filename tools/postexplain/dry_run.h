/// What a mail system would do with one mail, found out by its own parts without a network.
///
///     auto run = DryRun::create({.directory = "/etc/postfix", .service = "smtp"});
///     Result<Explanation> why = (*run)->explain({.client = "192.0.2.7", .sender = "a@x", .recipient =
///     "b@y"});
///     // why->decision, why->reply, why->deliveries, why->trace
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "tools/postexplain/answers.h"
#include "tools/postexplain/dry_services.h"
#include "tools/postexplain/trace_node.h"

namespace postexplain {

/// Which configuration is asked, and what of the world it sees.
struct Setup {
  std::string directory;         ///< Of main.cf and master.cf.
  std::string service = "smtp";  ///< Of master.cf: its name, or that of its TCP port.
  DnsMode dns = DnsMode::kUnknown;
  Answers answers = {};
};

/// A client and its mail. Addresses are as in SMTP, with or without `<>`.
struct Request {
  std::string client;  ///< An IP address.
  std::string client_port = "0";
  /// Verified, or "[UNAVAILABLE]", or "[TEMPUNAVAIL]" (XCLIENT_README). Nothing: the DNS is asked.
  std::optional<std::string> client_name = {};
  std::optional<std::string> reverse_name = {};  ///< The same, not verified; nothing: as `client_name`.
  std::optional<std::string> helo = {};
  bool is_extended = true;  ///< EHLO, not HELO.
  std::string sender;
  std::string recipient;
  std::optional<std::string> sasl_user = {};
  bool is_encrypted = false;
  std::optional<std::string> message = {};  ///< The text of it.
};

enum class Decision { kPermit, kReject, kDefer, kDiscard };

/// "permit", "reject" and so on.
std::string_view decision_name(Decision decision);

/// One recipient, when all rewriting is done.
struct Delivery {
  std::string recipient;
  std::string transport;
  std::string nexthop;
  std::string agent;  ///< The command of the transport's entry in master.cf; empty: there is none.
};

struct Explanation {
  Decision decision = Decision::kPermit;
  std::string stage;       ///< The command that was answered last: "RCPT TO:<b@y>".
  std::string reply = {};  ///< Of a refusal, as the client gets it; several lines have newlines between.
  bool is_held = false;    ///< Accepted into the hold queue.
  std::vector<Delivery> deliveries = {};
  std::vector<TraceNode> trace = {};
};

/// One service of a configuration, which explains any number of mails. Not thread-safe.
class DryRun {
 public:
  /// Errors: those of main.cf and master.cf; kConfiguration when master.cf has no such service, or for what
  /// keeps it from serving.
  static libconf::Result<std::unique_ptr<DryRun>> create(Setup setup);
  virtual ~DryRun() = default;

  /// Errors: kSyntax, for what is no address.
  virtual libconf::Result<Explanation> explain(const Request& request) = 0;
};

}  // namespace postexplain
