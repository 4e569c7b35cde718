/// How often, and how many at a time, clients come and ask (anvil(8)): one object counts for all services of
/// a process.
///
///     ClientRates rates(std::chrono::seconds(60), [] { return std::time(nullptr); });
///     const ClientRates::Connections now = rates.connect("smtp:192.0.2.7");
///     if (now.at_a_time > limit) refuse();
///     ...
///     rates.disconnect("smtp:192.0.2.7");
///
/// A client is a text, "service:address". Rates are numbers of events in one time unit, which starts for each
/// client with the first event after the last unit; one unit is the same for all kinds of events of a client.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mta {

/// What is counted.
enum class ClientEvent { kConnection, kMessage, kRecipient, kTlsSession, kAuth };

inline constexpr std::size_t kClientEvents = 5;

/// Not thread-safe.
class ClientRates {
 public:
  using Clock = std::function<std::time_t()>;

  struct Connections {
    unsigned at_a_time = 0;
    unsigned rate = 0;
  };

  /// `time_unit`: anvil_rate_time_unit. `max_idle_clients`: how many clients are remembered that have no
  /// connection; beyond, the one that went first is forgotten.
  ClientRates(std::chrono::seconds time_unit, Clock clock, std::size_t max_idle_clients = 100'000)
      : time_unit_(time_unit), clock_(std::move(clock)), max_idle_clients_(max_idle_clients) {}

  /// A client has come. Each call wants one of disconnect().
  Connections connect(const std::string& client);
  void disconnect(const std::string& client);

  /// A client that is connected does something else than to connect: how often it did so, this time
  /// included. Of one that is not connected, nothing is kept: 1.
  unsigned count(ClientEvent event, const std::string& client);

  /// The same without counting.
  unsigned rate(ClientEvent event, const std::string& client) const;

  /// How many clients are remembered.
  std::size_t size() const { return clients_.size(); }

  /// The highest values since the last call, as anvil(8) logs them: "statistics: max connection rate 7/60s
  /// for (smtp:192.0.2.7) at Nov 29 01:31:09". What did not occur is left out.
  std::vector<std::string> take_statistics();

 private:
  struct Client {
    std::time_t start = 0;  ///< Of the time unit.
    std::array<unsigned, kClientEvents> rates{};
    unsigned connections = 0;
    std::time_t idle_since = 0;
    std::list<const std::string*>::iterator idle;  ///< Its place in idle_. Without a connection only.
  };
  using Clients = std::unordered_map<std::string, Client>;

  /// The highest value of something.
  struct Maximum {
    std::size_t value = 0;
    std::string client;
    std::time_t when = 0;
  };

  bool is_over(const Client& client, std::time_t now) const;
  unsigned add(ClientEvent event, Clients::value_type& client, std::time_t now);
  void forget_idle(std::time_t now);
  static void raise(Maximum& maximum, std::size_t value, std::string_view client, std::time_t when);

  std::chrono::seconds time_unit_;
  Clock clock_;
  std::size_t max_idle_clients_;
  Clients clients_;
  std::list<const std::string*> idle_;  ///< Keys of clients without a connection, the longest so first.
  std::array<Maximum, kClientEvents> max_rates_;
  Maximum max_connections_;
  Maximum max_clients_;
};

}  // namespace mta
