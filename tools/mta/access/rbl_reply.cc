#include "tools/mta/access/rbl_reply.h"

#include <map>

#include "libconf/expansion.h"
#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;

/// A value as text that an expansion gives back unchanged.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) out += c == '$' ? "$$" : std::string(1, c);
  return out;
}

class Attributes final : public libconf::ExpansionScope {
 public:
  Attributes(const RblReplyAttributes& rbl, const SmtpdState& state) {
    set("client", rbl.client);
    set("client_address", state.client.address);
    set("client_name", state.client.name);
    set("helo_name", state.helo.value_or(""));
    set("rbl_class", rbl.subject_class);
    set("rbl_code", rbl.code);
    set("rbl_domain", rbl.domain);
    set("rbl_reason", rbl.reason);
    set("rbl_what", rbl.what);
    set("reverse_client_name", state.client.reverse_name);
    set_address("recipient", state.recipient);
    set_address("sender", state.sender);
  }

  std::optional<std::string_view> value_of(std::string_view name) const override {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }

 private:
  void set(const std::string& name, std::string_view value) { values_[name] = escaped(value); }

  void set_address(const std::string& name, const std::optional<std::string>& address) {
    const std::string_view text = address ? std::string_view(*address) : "";
    const std::size_t at = text.rfind('@');
    set(name, text.empty() && address ? "<>" : text);
    set(name + "_name", text.empty() && address ? "<>" : text.substr(0, at));
    set(name + "_domain", at == std::string_view::npos ? "" : text.substr(at + 1));
  }

  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace

std::optional<std::string> expand_rbl_reply(std::string_view text, const RblReplyAttributes& attributes,
                                            const SmtpdState& state, libconf::DiagnosticSink& warnings) {
  const Attributes scope(attributes, state);
  bool is_good = true;
  auto expanded = libconf::expand(
      text, scope, warnings, [&](std::string_view name, std::optional<std::string_view> value, int) {
        if (value) return;
        is_good = false;
        warnings.warn("rbl-reply", concat("unknown macro name \"", name, "\" in expansion request"));
      });
  if (expanded && is_good) return std::move(*expanded);
  warnings.warn("rbl-reply", concat("rbl_reject_reply: bad rbl reply template for domain ", attributes.domain,
                                    ": ", text));
  return std::nullopt;
}

}  // namespace mta
