#include "libmaps/proxy_protocol.h"

#include <array>
#include <charconv>
#include <span>

namespace libmaps {
namespace {

constexpr std::string_view kProtocol = "proxymap_protocol";

/// The words for the requests, in the order of ProxyRequestKind.
constexpr std::array<std::string_view, 5> kRequests = {"open", "lookup", "update", "delete", "sequence"};

class AttributeWriter {
 public:
  AttributeWriter& add(std::string_view name, std::string_view value) {
    out_.append(name).push_back('\0');
    out_.append(value.substr(0, value.find('\0'))).push_back('\0');
    return *this;
  }
  AttributeWriter& add(std::string_view name, std::uint32_t value) {
    return add(name, std::to_string(value));
  }
  std::string finish() {
    out_.push_back('\0');
    return std::move(out_);
  }

 private:
  std::string out_;
};

/// Takes attributes in their order. After one that is not as it should be, nothing is.
class AttributeReader {
 public:
  explicit AttributeReader(std::span<const Attribute> attributes) : rest_(attributes) {}

  bool read(std::string_view name, std::string& value) {
    if (rest_.empty() || rest_.front().name != name) return false;
    value = rest_.front().value;
    rest_ = rest_.subspan(1);
    return true;
  }
  bool read(std::string_view name, std::uint32_t& value) {
    std::string text;
    if (!read(name, text)) return false;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && stop == end;
  }

 private:
  std::span<const Attribute> rest_;
};

}  // namespace

AttributeScan scan_attributes(std::string_view text, std::size_t limit) {
  const std::string_view readable = text.substr(0, limit);
  AttributeScan scan;
  std::size_t position = 0;
  for (;;) {
    const std::size_t name_end = readable.find('\0', position);
    if (name_end == std::string_view::npos) break;
    if (name_end == position) {
      scan.state = AttributeScan::State::kComplete;
      scan.length = position + 1;
      return scan;
    }
    const std::size_t value_end = readable.find('\0', name_end + 1);
    if (value_end == std::string_view::npos) break;
    scan.attributes.push_back({.name = readable.substr(position, name_end - position),
                               .value = readable.substr(name_end + 1, value_end - name_end - 1)});
    position = value_end + 1;
  }
  scan.attributes.clear();
  if (text.size() >= limit) scan.state = AttributeScan::State::kTooLong;
  return scan;
}

std::string proxy_greeting() { return AttributeWriter().add("protocol", kProtocol).finish(); }

bool is_proxy_greeting(const std::vector<Attribute>& attributes) {
  std::string protocol;
  return AttributeReader(attributes).read("protocol", protocol) && protocol == kProtocol;
}

std::string_view to_string(ProxyRequestKind kind) { return kRequests[static_cast<std::size_t>(kind)]; }

std::string encode(const ProxyRequest& request) {
  AttributeWriter out;
  out.add("request", to_string(request.kind)).add("table", request.table).add("flags", request.flags);
  switch (request.kind) {
    case ProxyRequestKind::kOpen:
      break;
    case ProxyRequestKind::kLookup:
    case ProxyRequestKind::kDelete:
      out.add("key", request.key);
      break;
    case ProxyRequestKind::kUpdate:
      out.add("key", request.key).add("value", request.value);
      break;
    case ProxyRequestKind::kSequence:
      out.add("function", static_cast<std::uint32_t>(request.function));
      break;
  }
  return out.finish();
}

std::optional<ProxyRequestKind> requested_kind(const std::vector<Attribute>& attributes) {
  if (attributes.empty() || attributes.front().name != "request") return std::nullopt;
  for (std::size_t i = 0; i < kRequests.size(); ++i)
    if (attributes.front().value == kRequests[i]) return static_cast<ProxyRequestKind>(i);
  return std::nullopt;
}

std::optional<ProxyRequest> parse_request(const std::vector<Attribute>& attributes) {
  const std::optional<ProxyRequestKind> kind = requested_kind(attributes);
  if (!kind) return std::nullopt;
  ProxyRequest request{.kind = *kind, .table = {}};
  AttributeReader in(std::span<const Attribute>(attributes).subspan(1));
  if (!in.read("table", request.table) || !in.read("flags", request.flags)) return std::nullopt;
  std::uint32_t function = 0;
  bool is_read = true;
  switch (*kind) {
    case ProxyRequestKind::kOpen:
      break;
    case ProxyRequestKind::kLookup:
    case ProxyRequestKind::kDelete:
      is_read = in.read("key", request.key);
      break;
    case ProxyRequestKind::kUpdate:
      is_read = in.read("key", request.key) && in.read("value", request.value);
      break;
    case ProxyRequestKind::kSequence:
      is_read = in.read("function", function) && function <= static_cast<std::uint32_t>(ProxySequence::kNext);
      request.function = static_cast<ProxySequence>(function);
      break;
  }
  if (!is_read) return std::nullopt;
  return request;
}

std::string encode(const ProxyReply& reply, std::optional<ProxyRequestKind> kind) {
  AttributeWriter out;
  out.add("status", reply.status);
  if (kind == ProxyRequestKind::kOpen) out.add("flags", reply.flags);
  if (kind == ProxyRequestKind::kSequence) out.add("key", reply.key);
  if (kind == ProxyRequestKind::kSequence || kind == ProxyRequestKind::kLookup) out.add("value", reply.value);
  return out.finish();
}

std::optional<ProxyReply> parse_reply(const std::vector<Attribute>& attributes, ProxyRequestKind kind) {
  ProxyReply reply;
  AttributeReader in(attributes);
  if (!in.read("status", reply.status)) return std::nullopt;
  if (kind == ProxyRequestKind::kOpen && !in.read("flags", reply.flags)) return std::nullopt;
  if (kind == ProxyRequestKind::kSequence && !in.read("key", reply.key)) return std::nullopt;
  if ((kind == ProxyRequestKind::kSequence || kind == ProxyRequestKind::kLookup) &&
      !in.read("value", reply.value))
    return std::nullopt;
  return reply;
}

}  // namespace libmaps
