#include "tools/mta/smtp/forwarded_client.h"

#include <utility>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;

constexpr std::pair<ClientAttributeName, std::string ForwardedClient::*> kMembers[] = {
    {ClientAttributeName::kName, &ForwardedClient::name},
    {ClientAttributeName::kAddr, &ForwardedClient::address},
    {ClientAttributeName::kPort, &ForwardedClient::port},
    {ClientAttributeName::kProto, &ForwardedClient::protocol},
    {ClientAttributeName::kHelo, &ForwardedClient::helo},
    {ClientAttributeName::kIdent, &ForwardedClient::ident},
    {ClientAttributeName::kSource, &ForwardedClient::source},
};

/// What is known not to be known in a log.
constexpr std::string_view kUnknown = "unknown";

}  // namespace

void ForwardedClient::take(const XforwardRequest& request) {
  for (const ClientAttribute& attribute : request.attributes) {
    for (const auto& [known, member] : kMembers) {
      if (known != attribute.name) continue;
      this->*member = attribute.state == ClientAttributeState::kKnown ? attribute.value : kUnknown;
      if (member == &ForwardedClient::ident && attribute.state != ClientAttributeState::kKnown) ident.clear();
    }
  }
}

bool ForwardedClient::is_known() const {
  for (const auto& [known, member] : kMembers)
    if (!(this->*member).empty()) return true;
  return false;
}

std::string ForwardedClient::literal_address() const {
  return concat(address.find(':') == std::string::npos ? "" : "IPv6:", address);
}

std::string ForwardedClient::client(const SmtpdState& state) const {
  if (!is_known()) return concat(state.client.name, "[", state.client.address, "]");
  return concat(name.empty() ? kUnknown : name, "[", address.empty() ? kUnknown : address, "]");
}

std::string ForwardedClient::log_text(const SmtpdState& state) const {
  std::string text;
  if (!ident.empty()) text += concat(", orig_queue_id=", ident);
  if (!name.empty() || !address.empty()) text += concat(", orig_client=", client(state));
  return text;
}

}  // namespace mta
