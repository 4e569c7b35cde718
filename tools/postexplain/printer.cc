#include "tools/postexplain/printer.h"

#include <algorithm>

#include "libconf/text.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::json_quote;

void append_text(const TraceNode& node, std::size_t depth, bool shows_details, std::string& out) {
  if (node.is_detail && !shows_details) return;
  out.append(2 * depth, ' ');
  out += concat(libconf::printable_utf8(node.text), "\n");
  for (const TraceNode& step : node.steps) append_text(step, depth + 1, shows_details, out);
}

void append_member(std::string_view name, std::string_view value, std::string& out) {
  out += concat(out.ends_with('{') ? "" : ", ", json_quote(name), ": ", json_quote(value));
}

void append_json(const std::vector<TraceNode>& nodes, std::string& out) {
  out += '[';
  for (const TraceNode& node : nodes) {
    out += out.ends_with('[') ? "{" : ", {";
    append_member("kind", node.kind, out);
    for (const auto& [name, value] : node.facts)
      if (!value.empty()) append_member(name, value, out);
    if (!node.steps.empty()) {
      out += ", \"steps\": ";
      append_json(node.steps, out);
    }
    out += '}';
  }
  out += ']';
}

}  // namespace

std::string summary(const Explanation& explanation) {
  std::string text(decision_name(explanation.decision));
  if (explanation.is_held) text += ", held";
  if (!explanation.reply.empty()) {
    std::string reply = explanation.reply;
    std::replace(reply.begin(), reply.end(), '\n', ' ');
    text += concat(" at ", explanation.stage, ": ", reply);
  }
  for (const Delivery& each : explanation.deliveries)
    text += concat(", ", each.transport, ":", each.nexthop, " for <", each.recipient, ">");
  return text;
}

std::string to_text(const Explanation& explanation, bool shows_details) {
  std::string out;
  for (const TraceNode& node : explanation.trace) append_text(node, 0, shows_details, out);
  return out + concat("verdict: ", libconf::printable_utf8(summary(explanation)), "\n");
}

std::string to_json(const Explanation& explanation) {
  std::string out = "{";
  append_member("decision", decision_name(explanation.decision), out);
  append_member("stage", explanation.stage, out);
  if (!explanation.reply.empty()) append_member("reply", explanation.reply, out);
  out += concat(", \"held\": ", explanation.is_held ? "true" : "false", ", \"deliveries\": [");
  for (const Delivery& each : explanation.deliveries) {
    out += out.ends_with('[') ? "{" : ", {";
    append_member("recipient", each.recipient, out);
    append_member("transport", each.transport, out);
    append_member("nexthop", each.nexthop, out);
    append_member("agent", each.agent, out);
    out += '}';
  }
  out += "], \"trace\": ";
  append_json(explanation.trace, out);
  return out + "}\n";
}

bool is_expected(const Explanation& explanation, std::string_view expected) {
  if (decision_name(explanation.decision) == expected) return true;
  return std::any_of(explanation.deliveries.begin(), explanation.deliveries.end(), [&](const Delivery& each) {
    return concat(each.transport, ":", each.nexthop) == expected;
  });
}

}  // namespace postexplain
