#include "tools/mta/smtp/client_rates.h"

#include <utility>

#include "libconf/text.h"
#include "tools/mta/daemon/mail_log.h"

namespace mta {
namespace {

using libconf::concat;

/// In the order of ClientEvent: what anvil(8) calls a rate.
constexpr std::array<std::string_view, kClientEvents> kRateNames = {"connection", "message", "recipient",
                                                                    "newtls", "auth"};

constexpr std::size_t index(ClientEvent event) { return static_cast<std::size_t>(event); }

}  // namespace

bool ClientRates::is_over(const Client& client, std::time_t now) const {
  return now > client.start + time_unit_.count();
}

void ClientRates::raise(Maximum& maximum, std::size_t value, std::string_view client, std::time_t when) {
  if (value > maximum.value) maximum = {value, std::string(client), when};
}

void ClientRates::forget_idle(std::time_t now) {
  while (!idle_.empty()) {
    const auto client = clients_.find(*idle_.front());
    const bool is_kept = now <= client->second.idle_since + time_unit_.count();
    if (is_kept && idle_.size() <= max_idle_clients_) return;
    idle_.pop_front();
    clients_.erase(client);
  }
}

unsigned ClientRates::add(ClientEvent event, Clients::value_type& client, std::time_t now) {
  Client& state = client.second;
  if (is_over(state, now)) {
    state.start = now;
    state.rates = {};
    // The connection that brings something else counts in this unit, too.
    if (event != ClientEvent::kConnection) state.rates[index(ClientEvent::kConnection)] = 1;
  }
  const unsigned rate = ++state.rates[index(event)];
  raise(max_rates_[index(event)], rate, client.first, now);
  return rate;
}

ClientRates::Connections ClientRates::connect(const std::string& client) {
  const std::time_t now = clock_();
  forget_idle(now);
  const auto [place, is_new] = clients_.try_emplace(client);
  Client& state = place->second;
  if (is_new) {
    state.start = now;
    raise(max_clients_, clients_.size(), {}, now);
  } else if (state.connections == 0) {
    idle_.erase(state.idle);
  }
  ++state.connections;
  raise(max_connections_, state.connections, client, now);
  return {state.connections, add(ClientEvent::kConnection, *place, now)};
}

void ClientRates::disconnect(const std::string& client) {
  const auto found = clients_.find(client);
  if (found == clients_.end() || --found->second.connections > 0) return;
  const std::time_t now = clock_();
  found->second.idle_since = now;
  found->second.idle = idle_.insert(idle_.end(), &found->first);
  forget_idle(now);
}

unsigned ClientRates::count(ClientEvent event, const std::string& client) {
  const auto found = clients_.find(client);
  return found == clients_.end() ? 1 : add(event, *found, clock_());
}

unsigned ClientRates::rate(ClientEvent event, const std::string& client) const {
  const auto found = clients_.find(client);
  if (found == clients_.end() || is_over(found->second, clock_())) return 0;
  return found->second.rates[index(event)];
}

std::vector<std::string> ClientRates::take_statistics() {
  std::vector<std::string> lines;
  const auto tell = [&lines](std::string_view what, Maximum& maximum, std::string_view unit) {
    const Maximum taken = std::exchange(maximum, {});
    if (taken.value == 0) return;
    const std::string client = taken.client.empty() ? "" : concat(" for (", taken.client, ")");
    lines.push_back(concat("statistics: max ", what, " ", std::to_string(taken.value), unit, client, " at ",
                           log_time(taken.when)));
  };
  const std::string unit = concat("/", std::to_string(time_unit_.count()), "s");
  for (std::size_t event = 0; event < kClientEvents; ++event) {
    tell(concat(kRateNames[event], " rate"), max_rates_[event], unit);
    if (event == index(ClientEvent::kConnection)) tell("connection count", max_connections_, "");
  }
  tell("cache size", max_clients_, "");
  return lines;
}

}  // namespace mta
