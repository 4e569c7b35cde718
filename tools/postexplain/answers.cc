#include "tools/postexplain/answers.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::array<std::string_view, 3> kServices = {"policy", "milter", "verify"};

/// A line that is about a service.
struct ServiceLine {
  std::string service;
  std::string name;  ///< Empty: all of them.
  std::string answer;
};

/// Nothing: the line is one of the DNS.
std::optional<ServiceLine> read_service_line(std::string_view line) {
  std::string_view rest = line;
  const std::string_view first = libconf::next_word(rest, libconf::kBlanks).value_or("");
  for (const std::string_view service : kServices) {
    if (first == concat(service, ":"))
      return ServiceLine{std::string(service), "", std::string(libconf::trim(rest))};
    if (first != service) continue;
    const std::string_view name = libconf::next_word(rest, libconf::kBlanks).value_or("");
    // A name of the DNS may be called "policy", too.
    if (!name.ends_with(':')) continue;
    return ServiceLine{std::string(service), std::string(name.substr(0, name.size() - 1)),
                       std::string(libconf::trim(rest))};
  }
  return std::nullopt;
}

}  // namespace

Result<Answers> Answers::parse(std::string_view text, std::string_view file) {
  Answers answers;
  std::string dns;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::optional<ServiceLine> service = read_service_line(line);
    // Lines keep their numbers.
    dns += concat(service ? "" : line, "\n");
    if (!service) continue;
    if (service->answer.empty())
      return libconf::Error{.kind = libconf::ErrorKind::kSyntax,
                            .message = concat(file, ", line ", std::to_string(number), ": no answer"),
                            .file = std::string(file),
                            .line = number};
    answers.services_[{service->service, service->name}] = service->answer;
  }
  Result<mta::ScriptedResolver> resolver = mta::ScriptedResolver::parse(dns, file);
  if (!resolver) return resolver.error();
  answers.dns_ = std::move(*resolver);
  return answers;
}

std::optional<std::string> Answers::of(std::string_view service, std::string_view name) const {
  for (const std::string_view each : {name, std::string_view()}) {
    const auto found = services_.find(std::pair(std::string(service), std::string(each)));
    if (found != services_.end()) return found->second;
  }
  return std::nullopt;
}

}  // namespace postexplain
