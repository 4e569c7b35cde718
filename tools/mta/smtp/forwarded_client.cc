#include "tools/mta/smtp/forwarded_client.h"

#include "libconf/text.h"

namespace mta {
namespace {

constexpr std::string_view kUnknown = "unknown";

}  // namespace

void ForwardedClient::take(const std::vector<ClientAttribute>& attributes) {
  for (const ClientAttribute& attribute : attributes) {
    const bool is_known = attribute.state == ClientAttributeState::kKnown;
    const std::string value = is_known ? attribute.value : std::string(kUnknown);
    const std::optional<std::string> known = is_known ? std::optional(attribute.value) : std::nullopt;
    switch (attribute.name) {
      case ClientAttributeName::kIdent:
        ident_ = known;
        continue;
      case ClientAttributeName::kSource:
        is_local_.reset();
        if (is_known) is_local_ = libconf::equals_ignoring_case(value, "LOCAL");
        continue;
      case ClientAttributeName::kName:
        name_ = value;
        break;
      case ClientAttributeName::kAddr:
        address_ = value;
        break;
      case ClientAttributeName::kPort:
        port_ = value;
        break;
      case ClientAttributeName::kProto:
        protocol_ = value;
        break;
      case ClientAttributeName::kHelo:
        helo_ = known;
        break;
      case ClientAttributeName::kReverseName:
      case ClientAttributeName::kLogin:
      case ClientAttributeName::kDestAddr:
      case ClientAttributeName::kDestPort:
        continue;  // Of XCLIENT.
    }
    has_client_ = true;
  }
}

std::string ForwardedClient::origin(bool with_port) const {
  if (address_ == kUnknown) return name_;
  return libconf::concat(name_, "[", address_, "]", with_port ? ":" : "", with_port ? port_ : "");
}

}  // namespace mta
