// XCLIENT and XFORWARD: what another server says of its client (XCLIENT_README, XFORWARD_README).
#include <algorithm>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/address/domain_syntax.h"
#include "tools/mta/smtp/path.h"
#include "tools/mta/smtp/request_parsers.h"
#include "tools/mta/smtp/xtext.h"

namespace mta {

namespace {

using libconf::concat;
using libconf::equals_ignoring_case;

constexpr std::string_view kUnavailable = "[UNAVAILABLE]";
constexpr std::string_view kTemporarilyUnavailable = "[TEMPUNAVAIL]";

/// Reads a decoded value into an attribute. False: it is malformed.
using ValueReader = bool (*)(std::string_view value, const ServerOptions& options,
                             ClientAttribute& attribute);

bool read_text(std::string_view value, const ServerOptions&, ClientAttribute& attribute) {
  attribute.value = value;
  return true;
}

bool read_hostname(std::string_view value, const ServerOptions& options, ClientAttribute& attribute) {
  return is_host_name(value, false) && read_text(value, options, attribute);
}

bool read_hostname_or_none_now(std::string_view value, const ServerOptions& options,
                               ClientAttribute& attribute) {
  if (!equals_ignoring_case(value, kTemporarilyUnavailable)) return read_hostname(value, options, attribute);
  attribute.state = ClientAttributeState::kTemporarilyUnavailable;
  return true;
}

bool read_address(std::string_view value, const ServerOptions& options, ClientAttribute& attribute) {
  constexpr std::string_view kIpv6 = "IPV6:";
  if (value.size() >= kIpv6.size() && equals_ignoring_case(value.substr(0, kIpv6.size()), kIpv6)) {
    const auto address = libmaps::parse_ipv6(value.substr(kIpv6.size()));
    if (!options.has_ipv6 || !address) return false;
    attribute.value = libmaps::to_string(*address);
    return true;
  }
  return options.has_ipv4 && libmaps::parse_ipv4(value) && read_text(value, options, attribute);
}

bool read_port(std::string_view value, const ServerOptions& options, ClientAttribute& attribute) {
  constexpr std::size_t kMaxDigits = 5;
  return value.size() <= kMaxDigits && libconf::is_all_digits(value) && read_text(value, options, attribute);
}

bool read_smtp_protocol(std::string_view value, const ServerOptions& options, ClientAttribute& attribute) {
  return (equals_ignoring_case(value, "SMTP") || equals_ignoring_case(value, "ESMTP")) &&
         read_text(value, options, attribute);
}

bool read_protocol(std::string_view value, const ServerOptions& options, ClientAttribute& attribute) {
  constexpr std::size_t kMaxProtocol = 64;
  return value.size() <= kMaxProtocol && read_text(value, options, attribute);
}

bool read_source(std::string_view value, const ServerOptions& options, ClientAttribute& attribute) {
  return (equals_ignoring_case(value, "LOCAL") || equals_ignoring_case(value, "REMOTE")) &&
         read_text(value, options, attribute);
}

struct AttributeType {
  std::string_view name;
  ClientAttributeName id;
  ValueReader read;
  bool may_be_unavailable = true;
};

constexpr AttributeType kXclientAttributes[] = {
    {"NAME", ClientAttributeName::kName, read_hostname_or_none_now},
    {"REVERSE_NAME", ClientAttributeName::kReverseName, read_hostname_or_none_now},
    {"ADDR", ClientAttributeName::kAddr, read_address},
    {"PORT", ClientAttributeName::kPort, read_port},
    {"PROTO", ClientAttributeName::kProto, read_smtp_protocol, false},
    {"HELO", ClientAttributeName::kHelo, read_text},
    {"LOGIN", ClientAttributeName::kLogin, read_text},
    {"DESTADDR", ClientAttributeName::kDestAddr, read_address},
    {"DESTPORT", ClientAttributeName::kDestPort, read_port},
};

constexpr AttributeType kXforwardAttributes[] = {
    {"NAME", ClientAttributeName::kName, read_hostname},
    {"ADDR", ClientAttributeName::kAddr, read_address},
    {"PORT", ClientAttributeName::kPort, read_port},
    {"PROTO", ClientAttributeName::kProto, read_protocol},
    {"HELO", ClientAttributeName::kHelo, read_text},
    {"IDENT", ClientAttributeName::kIdent, read_text},
    {"SOURCE", ClientAttributeName::kSource, read_source},
};

/// One of the two commands.
struct AttributeCommand {
  std::string_view name;
  const AttributeType* begin;
  const AttributeType* end;
  std::string (*clean)(std::string_view value);  ///< What becomes of a value before it is read.
};

std::string printable_text(std::string_view value) { return libconf::printable_utf8(value); }

constexpr AttributeCommand kXclient{"XCLIENT", std::begin(kXclientAttributes), std::end(kXclientAttributes),
                                    printable_text};
constexpr AttributeCommand kXforward{"XFORWARD", std::begin(kXforwardAttributes),
                                     std::end(kXforwardAttributes), without_header_specials};

tl::expected<ClientAttribute, Reply> parse_attribute(std::string_view word, const AttributeCommand& command,
                                                     const ServerOptions& options) {
  constexpr std::size_t kMaxValue = 255;
  const std::string_view name = word.substr(0, word.find('='));
  if (name.size() + 1 >= word.size()) return refuse(501, "5.5.4", "Error: attribute=value expected");
  const std::string_view raw = word.substr(name.size() + 1);
  if (raw.size() > kMaxValue) return refuse(501, "5.5.4", "Error: attribute value too long");
  const AttributeType* const type = std::find_if(command.begin, command.end, [name](const AttributeType& t) {
    return equals_ignoring_case(name, t.name);
  });
  if (type == command.end) {
    return refuse(501, "5.5.4", concat("Bad ", command.name, " attribute name: ", name));
  }
  // Postfix before 2.3 sent values as they are.
  const std::string decoded = decode_xtext(raw).value_or(std::string(raw));
  const std::string value = command.clean(std::string_view(decoded).substr(0, decoded.find('\0')));
  ClientAttribute attribute{type->id};
  if (type->may_be_unavailable && equals_ignoring_case(value, kUnavailable)) {
    attribute.state = ClientAttributeState::kUnavailable;
  } else if (!type->read(value, options, attribute)) {
    return refuse(501, "5.5.4", concat("Bad ", type->name, " syntax: ", value));
  }
  return attribute;
}

tl::expected<std::vector<ClientAttribute>, Reply> parse_attributes(const RequestContext& context,
                                                                   const AttributeCommand& command) {
  std::vector<ClientAttribute> attributes;
  const std::vector<CommandWord>& words = context.line.words();
  for (std::size_t i = 1; i < words.size(); ++i) {
    auto attribute = parse_attribute(words[i].text, command, context.options);
    if (!attribute) return tl::make_unexpected(std::move(attribute.error()));
    attributes.push_back(*std::move(attribute));
  }
  return attributes;
}

}  // namespace

std::string without_header_specials(std::string_view text) {
  constexpr std::string_view kSpecials = "\"();<>\\@";
  std::string out = libconf::printable_utf8(text);
  for (char& c : out) {
    if (c == ' ' || kSpecials.find(c) != std::string_view::npos) c = '?';
  }
  return out;
}

RequestResult parse_xclient(const RequestContext& context) {
  auto attributes = parse_attributes(context, kXclient);
  if (!attributes) return tl::make_unexpected(std::move(attributes.error()));
  return XclientRequest{*std::move(attributes)};
}

RequestResult parse_xforward(const RequestContext& context) {
  auto attributes = parse_attributes(context, kXforward);
  if (!attributes) return tl::make_unexpected(std::move(attributes.error()));
  return XforwardRequest{*std::move(attributes)};
}

}  // namespace mta
