#include "tools/mta/delivery/recipient_names.h"

#include <array>
#include <optional>

#include "libconf/diagnostic.h"
#include "libconf/expansion.h"

namespace mta {
namespace {

using libconf::Result;

struct Name {
  std::string_view name;
  std::string RecipientNames::*value;
};

constexpr std::array kNames = {
    Name{"domain", &RecipientNames::domain},       Name{"extension", &RecipientNames::extension},
    Name{"home", &RecipientNames::home},           Name{"local", &RecipientNames::local},
    Name{"recipient", &RecipientNames::recipient}, Name{"recipient_delimiter", &RecipientNames::delimiter},
    Name{"shell", &RecipientNames::shell},         Name{"user", &RecipientNames::user},
};

/// Values are filtered, the text around them is the administrator's.
class Scope final : public libconf::ExpansionScope {
 public:
  Scope(const RecipientNames& names, std::string_view filter, const libconf::Settings& settings)
      : settings_(settings) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      values_[i] = names.*kNames[i].value;
      if (!filter.empty()) values_[i] = filtered(values_[i], filter);
    }
  }
  std::optional<std::string_view> value_of(std::string_view name) const override {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (kNames[i].name != name) continue;
      if (values_[i].empty()) return std::nullopt;
      return values_[i];
    }
    return settings_.value_of(name);
  }

 private:
  std::array<std::string, kNames.size()> values_;
  const libconf::Settings& settings_;
};

}  // namespace

std::string filtered(std::string_view text, std::string_view allowed) {
  std::string out(text);
  for (char& each : out)
    if (allowed.find(each) == std::string_view::npos) each = '_';
  return out;
}

Result<std::string> RecipientNames::expand(std::string_view text, std::string_view filter,
                                           const libconf::Settings& settings) const {
  libconf::DiagnosticList problems;
  return libconf::expand(text, Scope(*this, filter, settings), problems);
}

}  // namespace mta
