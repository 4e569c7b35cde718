#include "tools/mta/delivery/smtp_client_agent.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/address/local_domains.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/daemon/waiting_table.h"
#include "tools/mta/delivery/smtp_client_session.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libconf::Severity;
using Clock = std::chrono::steady_clock;

SmtpClientAgent::SmtpClientAgent(SmtpClientOptions options, std::vector<libmaps::IpAddress> own_addresses,
                                 const SmtpClientParts& parts)
    : options_(std::move(options)),
      parts_(parts),
      warnings_(parts.log, tag()),
      dns_(parts.resolver, warnings_),
      finder_(options_, dns_, std::move(own_addresses), warnings_),
      dane_(options_, dns_, warnings_),
      cache_(parts.executor, options_.cache_time_limit) {}

Result<std::unique_ptr<SmtpClientAgent>> SmtpClientAgent::create(const libconf::Settings& settings,
                                                                 ClientProtocol protocol,
                                                                 const SmtpClientParts& parts) {
  Result<SmtpClientOptions> options = SmtpClientOptions::read(settings, protocol);
  if (!options) return options.error();
  LogSink warnings(parts.log, {.syslog_name = options->syslog_name, .program = "smtp"});
  const auto domains =
      LocalDomains::from({.tables = {.settings = settings, .warnings = warnings}, .host = parts.host});
  if (!domains) return domains.error();
  options->local_end.complete((*domains)->interfaces());
  std::unique_ptr<SmtpClientAgent> agent(
      new SmtpClientAgent(std::move(*options), (*domains)->addresses(), parts));
  const std::string_view prefix = agent->options_.is_lmtp() ? "lmtp_" : "smtp_";
  if (auto opened = agent->dns_.open(concat(prefix, "dns_reply_filter"),
                                     {.settings = settings, .warnings = agent->warnings_});
      !opened)
    return opened.error();
  auto policies = ClientTlsPolicies::open(prefix, {.settings = settings, .warnings = agent->warnings_});
  if (!policies) return policies.error();
  agent->policies_ = std::move(*policies);
  auto generic = GenericAddresses::open(
      prefix, {.tables = {.settings = settings, .warnings = agent->warnings_}, .host = parts.host}, *domains);
  if (!generic) return generic.error();
  agent->generic_ = std::move(*generic);
  auto checks = DeliveryChecks::open(prefix, {.settings = settings, .warnings = agent->warnings_}, parts.log,
                                     agent->tag());
  if (!checks) return checks.error();
  agent->checks_ = std::move(*checks);
  auto filter = ReplyFilter::open(prefix, {.settings = settings, .warnings = agent->warnings_});
  if (!filter) return filter.error();
  agent->reply_filter_ = std::move(*filter);
  auto keywords = TableList::open(agent->options_.is_lmtp() ? "lmtp_discard_lhlo_keyword_address_maps"
                                                            : "smtp_discard_ehlo_keyword_address_maps",
                                  {.settings = settings, .warnings = agent->warnings_});
  if (!keywords) return keywords.error();
  agent->discarded_keywords_ = std::move(*keywords);
  auto status_filter = DeliveryStatusFilter::open(concat(prefix, "delivery_status_filter"),
                                                  {.settings = settings, .warnings = agent->warnings_});
  if (!status_filter) return status_filter.error();
  agent->status_filter_ = std::move(*status_filter);
  auto logins = ClientLogins::open(prefix, {.settings = settings, .warnings = agent->warnings_});
  if (!logins) return logins.error();
  agent->logins_ = std::move(*logins);
  auto kept =
      open_list(concat(prefix, "connection_cache_destinations"), {.kind = libmaps::MatchKind::kStrings},
                {.settings = settings, .warnings = agent->warnings_});
  if (!kept) return kept.error();
  agent->kept_destinations_ = std::move(*kept);
  if (parts.internal_mail != nullptr) {
    auto transcripts = TranscriptNotifier::create(settings, *parts.internal_mail);
    if (!transcripts) return transcripts.error();
    agent->transcripts_ = std::move(*transcripts);
  }
  if (!agent->policies_->may_use_tls()) return agent;
  auto tls = ClientTls::load(concat(prefix, "tls_"), settings, agent->warnings_);
  // Mail that needs none can go.
  if (!tls) agent->warnings_.warn("tls-unavailable", tls.error().message);
  if (tls) agent->tls_ = std::move(*tls);
  return agent;
}

/// What sessions have in common that stand for each other.
std::string SmtpClientAgent::session_key(const MailServer& server, const ClientTlsPolicy& policy,
                                         const SessionLogin& login) {
  std::string key =
      concat(server.relay(), "\n", std::to_string(static_cast<int>(policy.level)), "\n", policy.protocols,
             "\n", policy.cipher_grade, "\n", policy.excluded_ciphers, "\n", policy.server_name);
  for (const std::string& each : policy.matches) key += concat("\n", each);
  if (login.is_unknown) key += "\n\n?";
  if (login.credentials) key += concat("\n\n", login.credentials->name, "\n", login.credentials->password);
  return key;
}

/// The nexthop as tables have it.
std::string_view SmtpClientAgent::without_type(std::string_view nexthop) const {
  if (options_.is_lmtp() && (nexthop.starts_with("inet:") || nexthop.starts_with("unix:")))
    nexthop.remove_prefix(5);
  return nexthop;
}

/// Errors of tables keep the mail, once it turns out that the server wants a login.
SessionLogin SmtpClientAgent::find_login(const SmtpDelivery& delivery, const MailServer& server,
                                         std::string_view nexthop) {
  SessionLogin login{.logins = logins_.get()};
  if (logins_ == nullptr) return login;
  auto found = logins_->find(delivery.request().sender, server.name, without_type(nexthop));
  if (found) {
    login.credentials = std::move(*found);
    return login;
  }
  warnings_.warn("sasl-password", found.error().message);
  warnings_.warn("sasl-password",
                 concat(delivery.request().queue_id, ": ", logins_->parameter(), " lookup error"));
  login.is_unknown = true;
  return login;
}

/// How to protect a session with the server. A fault: it cannot be as it has to.
asio::awaitable<std::optional<DeliveryFault>> SmtpClientAgent::find_policy(MailServer server,
                                                                           Destination destination,
                                                                           SessionTls& tls) {
  const std::string_view nexthop = without_type(destination.nexthop);
  Result<ClientTlsPolicy> policy = policies_->find(nexthop, destination.domain, server.name);
  if (policy && policy->is_dane) {
    const std::optional<Error> fault = co_await dane_.complete(*policy, server, destination.domain);
    if (fault) policy = policies_->refuse(nexthop, server.name, *fault);
  }
  if (!policy) {
    const bool is_temporary = policy.error().kind == ErrorKind::kTemporary;
    co_return DeliveryFault{.status = is_temporary ? "4.3.0" : "4.7.5", .text = policy.error().message};
  }
  tls = {.engine = tls_.get(), .policy = std::move(*policy)};
  if (!options_.uses_tls_wrapper || tls.policy.is_required()) co_return std::nullopt;
  warnings_.warn("tls-wrapper", concat(options_.is_lmtp() ? "lmtp" : "smtp", "_tls_wrappermode requires \"",
                                       options_.is_lmtp() ? "lmtp" : "smtp",
                                       "_tls_security_level = encrypt\" (or stronger)"));
  co_return DeliveryFault{.status = "4.3.0", .text = "server unavailable or unable to receive mail"};
}

asio::awaitable<void> SmtpClientAgent::try_server(SmtpDelivery& delivery, MailServer server,
                                                  Destination destination) {
  const bool is_last = delivery.is_last();
  SessionTls tls;
  const std::optional<DeliveryFault> fault = co_await find_policy(server, destination, tls);
  if (fault) {
    if (is_last) delivery.give_up(*fault, "none");
    co_return;
  }
  SessionLogin login = find_login(delivery, server, destination.nexthop);
  // Mail that is new is not worth being sent in the clear: TLS may work again when it is tried next. Neither
  // is a password.
  const bool is_optional = tls.policy.level == ClientTlsLevel::kMay && !login.credentials &&
                           !login.is_unknown && delivery.age() >= options_.minimal_backoff;
  delivery.set_tls_optional(is_optional);
  const bool is_tls_broken =
      co_await try_session(delivery, server, destination.domain, std::move(tls), login);
  delivery.set_tls_optional(false);
  if (!is_tls_broken || !is_optional || delivery.is_over()) co_return;
  delivery.start("none", is_last);
  SessionTls none;
  co_await try_session(delivery, server, destination.domain, std::move(none), std::move(login));
}

/// Whether it failed in a way that TLS may be the reason of.
asio::awaitable<bool> SmtpClientAgent::try_session(SmtpDelivery& delivery, const MailServer& server,
                                                   std::string domain, SessionTls tls, SessionLogin login) {
  const bool is_last = delivery.is_last();
  const bool is_kept = may_keep(delivery, server, domain);
  std::string key;
  if (is_kept) {
    key = session_key(server, tls.policy, login);
    const bool is_done = co_await try_kept_session(delivery, server, key);
    if (is_done) co_return false;
    delivery.start("none", is_last);
  }
  auto connection = co_await ServerConnection::open(parts_.executor, server, options_.local_end, warnings_,
                                                    options_.connect_timeout);
  if (!connection) {
    delivery.note_dead_server();
    if (server.port != 0) parts_.log.write(tag(), Severity::kInfo, connection.error().text);
    if (is_last) delivery.give_up(connection.error(), "none");
    co_return false;
  }
  delivery.start(server.relay(), is_last);
  auto session = std::make_unique<SmtpClientSession>(
      options_, server, std::move(*connection), std::move(tls), std::move(login), parts_.log, tag(),
      SessionTables{.reply_filter = reply_filter_.get(), .discarded_keywords = &discarded_keywords_},
      transcripts_ ? transcripts_->start() : SessionTranscript({}));
  const std::optional<DeliveryFault> fault =
      co_await session->greet(std::move(domain), delivery.request().queue_id);
  if (fault) {
    delivery.note_dead_server();
    delivery.refuse_all(std::vector<std::size_t>(delivery.open()), *fault);
    const bool has_broken_tls = session->has_broken_tls();
    co_await end(delivery, std::move(session));
    co_return has_broken_tls;
  }
  delivery.connect(options_.session_limit, *session);
  prepare(*session, is_kept);
  if (delivery.request().purpose == DeliveryPurpose::kProbe) {
    co_await session->probe(delivery.envelope(), delivery.open(), delivery);
  } else {
    co_await session->deliver(delivery.envelope(), delivery.message(), delivery.open(), delivery);
  }
  const bool has_broken_tls = session->has_broken_tls();
  co_await finish(delivery, std::move(session), std::move(key));
  co_return has_broken_tls;
}

/// Whether there was one that the server had not left yet.
asio::awaitable<bool> SmtpClientAgent::try_kept_session(SmtpDelivery& delivery, const MailServer& server,
                                                        std::string key) {
  const bool is_last = delivery.is_last();
  while (std::unique_ptr<SmtpClientSession> session = cache_.take(key)) {
    delivery.start(server.relay(), is_last);
    delivery.connect(options_.session_limit, *session);
    session->transcript().restart();
    prepare(*session, true);
    co_await session->deliver(delivery.envelope(), delivery.message(), delivery.open(), delivery);
    if (!session->is_stale()) {
      co_await finish(delivery, std::move(session), std::move(key));
      co_return true;
    }
    delivery.disconnect();
  }
  co_return false;
}

/// Keeps a session that may be kept, or ends it.
asio::awaitable<void> SmtpClientAgent::finish(const SmtpDelivery& delivery,
                                              std::unique_ptr<SmtpClientSession> session, std::string key) {
  if (session->is_kept() && session->is_reusable()) {
    if (is_told_of(delivery, *session)) co_await report_errors(*session);
    cache_.put(std::move(key), std::move(session));
    co_return;
  }
  co_await end(delivery, std::move(session));
}

bool SmtpClientAgent::is_told_of(const SmtpDelivery& delivery, SmtpClientSession& session) const {
  return session.transcript().is_wanted() && transcripts_->is_told_of_mail_from(delivery.request().sender);
}

asio::awaitable<void> SmtpClientAgent::end(const SmtpDelivery& delivery,
                                           std::unique_ptr<SmtpClientSession> session) {
  co_await session->quit();
  if (is_told_of(delivery, *session)) co_await report_errors(*session);
  if (transcripts_) transcripts_->finish(std::move(session->transcript()));
}

asio::awaitable<void> SmtpClientAgent::report_errors(SmtpClientSession& session) {
  TranscriptReport report{.program = options_.is_lmtp() ? "LMTP client" : "SMTP client",
                          .peer = session.server().relay(),
                          .is_of_client = true};
  const Result<void> sent = co_await transcripts_->send(session.transcript(), std::move(report));
  if (!sent)
    parts_.log.write(tag(), Severity::kWarning, concat("postmaster notification: ", sent.error().message));
}

/// Before a message: says whether the session is to go on after it.
void SmtpClientAgent::prepare(SmtpClientSession& session, bool is_kept) const {
  // The first message is no reuse.
  const bool is_used_up =
      options_.reuse_limit > 0 && static_cast<std::size_t>(session.uses()) >= options_.reuse_limit;
  const bool is_old = Clock::now() - session.start() >= options_.reuse_time_limit;
  const bool is_allowed = !session.has_tls() || options_.keeps_tls_connections;
  session.edit_content({.generic = generic_.get(), .checks = checks_.get(), .mime = options_.mime});
  session.keep(is_kept && is_allowed && !is_used_up && !is_old);
}

bool SmtpClientAgent::may_keep(const SmtpDelivery& delivery, const MailServer& server,
                               std::string_view domain) {
  if (delivery.request().purpose != DeliveryPurpose::kDeliver) return false;
  if (delivery.request().has_more_mail && options_.keeps_on_demand) return true;
  const Result<bool> is_kept = kept_destinations_->matches(server.port == 0 ? server.address : domain);
  if (!is_kept) warnings_.warn("connection-cache", is_kept.error().message);
  return is_kept && *is_kept;
}

asio::awaitable<void> SmtpClientAgent::try_destinations(SmtpDelivery& delivery,
                                                        std::vector<std::string> nexthops) {
  for (std::size_t i = 0; i < nexthops.size() && !delivery.is_over(); ++i) {
    const bool is_last_nexthop = i + 1 == nexthops.size();
    const Result<ServerDestination> destination = parse_destination(nexthops[i], options_);
    if (!destination) {
      parts_.log.write(tag(), Severity::kError, destination.error().message);
      const DeliveryFault fault{.status = "4.3.5", .text = "mail transport unavailable"};
      delivery.give_up(fault, "none");
      co_return;
    }
    const ServerLookup found = co_await finder_.find(*destination);
    const bool is_final = is_last_nexthop || found.is_loop;
    if (found.fault && is_final) delivery.give_up(*found.fault, "none");
    delivery.enter(is_last_nexthop);
    for (std::size_t n = 0; n < found.servers.size() && !delivery.is_over(); ++n) {
      if (delivery.has_sessions(options_.session_limit)) break;
      delivery.start("none", n + 1 == found.servers.size());
      Destination place{.nexthop = nexthops[i], .domain = destination->name};
      co_await try_server(delivery, found.servers[n], std::move(place));
    }
  }
}

/// The envelope as servers are to see it. Nothing: as it is.
Result<std::optional<DeliveryRequest>> SmtpClientAgent::outside_view(const DeliveryRequest& request) {
  if (generic_ == nullptr) return std::nullopt;
  DeliveryRequest view = request;
  const auto map = [this](std::string& address) -> Result<void> {
    const Result<std::string> mapped = generic_->map(quote_address(address));
    if (!mapped) return mapped.error();
    address = unquote_address(*mapped);
    return {};
  };
  if (Result<void> done = map(view.sender); !done) return done.error();
  for (QueueRecipient& each : view.recipients)
    if (Result<void> done = map(each.address); !done) return done.error();
  return view;
}

asio::awaitable<DeliveryReport> SmtpClientAgent::deliver(const DeliveryRequest& request, int message) {
  SmtpDelivery delivery(request, message, status_filter_, parts_.log, tag());
  const Result<std::optional<DeliveryRequest>> view = outside_view(request);
  if (!view) {
    warnings_.warn("generic", view.error().message);
    const DeliveryFault fault{.status = "4.3.0", .text = "address mapping failed"};
    delivery.give_up(fault, "none");
    co_return delivery.take_report();
  }
  if (*view) delivery.show(**view);
  std::vector<std::string> nexthops;
  std::string_view rest = request.nexthop;
  while (const auto word = libconf::next_word(rest, libconf::kListSeparators)) nexthops.emplace_back(*word);
  nexthops.insert(nexthops.end(), options_.fallback_relays.begin(), options_.fallback_relays.end());
  co_await try_destinations(delivery, std::move(nexthops));
  // A nexthop may be empty; who is asked about is reported on all the same.
  const DeliveryFault fault{.status = "4.3.5", .text = "mail transport unavailable"};
  if (!delivery.is_over()) delivery.give_up(fault, "none");
  co_return delivery.take_report();
}

}  // namespace mta
