#include "tools/mta/delivery/pipe_options.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "libconf/text.h"
#include "tools/mta/daemon/settings_reader.h"
#include "tools/mta/delivery/command_answer.h"
#include "tools/mta/smtp/reply.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Result;

constexpr std::string_view kFlags = "BDFORXhqu.>";

Result<void> read_flags(PipeOptions& options, std::string_view value) {
  for (const char flag : value) {
    // Commas and blanks between flags say nothing.
    if (flag == ',' || flag == ' ') continue;
    if (kFlags.find(flag) == std::string_view::npos)
      return configuration_error(concat("unknown flag: ", std::string(1, flag), " (ignored)"));
    options.flags += flag;
  }
  return {};
}

Result<void> read_user(PipeOptions& options, std::string_view value) {
  const std::size_t colon = value.find(':');
  const std::string user(value.substr(0, colon));
  // NOLINTBEGIN(concurrency-mt-unsafe): when the agent is opened.
  const passwd* const account = ::getpwnam(user.c_str());
  if (account == nullptr) return configuration_error(concat("unknown username: ", user));
  options.user = {.user = account->pw_uid, .group = account->pw_gid};
  if (colon == std::string_view::npos) return {};
  const std::string name(value.substr(colon + 1));
  const group* const named = ::getgrnam(name.c_str());
  if (named == nullptr) return configuration_error(concat("unknown group: ", name));
  options.user.group = named->gr_gid;
  // NOLINTEND(concurrency-mt-unsafe)
  return {};
}

Result<void> read_size(PipeOptions& options, std::string_view value) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), options.size_limit);
  if (error != std::errc() || end != value.data() + value.size() || options.size_limit == 0)
    return configuration_error(concat("bad size parameter: ", value));
  return {};
}

template <std::string PipeOptions::*member>
Result<void> read_text(PipeOptions& options, std::string_view value) {
  options.*member = value;
  return {};
}

Result<void> read_end_of_line(PipeOptions& options, std::string_view value) {
  options.end_of_line = unescape(value);
  return {};
}

struct Attribute {
  std::string_view name;
  Result<void> (*read)(PipeOptions& options, std::string_view value);
};

constexpr std::array kAttributes = {
    Attribute{"chroot", read_text<&PipeOptions::root>},
    Attribute{"directory", read_text<&PipeOptions::directory>},
    Attribute{"eol", read_end_of_line},
    Attribute{"flags", read_flags},
    Attribute{"null_sender", read_text<&PipeOptions::null_sender>},
    Attribute{"size", read_size},
    Attribute{"user", read_user},
};

/// "-o NAME=VALUE" and the like, which are for all programs: how many arguments it takes.
std::size_t option_length(const std::string& argument) {
  if (!argument.starts_with('-')) return 0;
  return argument == "-o" ? 2 : 1;
}

Result<void> check_rights(const PipeOptions& options, const libconf::Settings& settings) {
  if (options.user.user == 0)
    return configuration_error("user= command-line attribute specifies root privileges");
  if (options.user.group == 0)
    return configuration_error("user= command-line attribute specifies privileged group id 0");
  const Result<std::string> owner = settings.get("mail_owner");
  if (!owner) return owner.error();
  // NOLINTNEXTLINE(concurrency-mt-unsafe): when the agent is opened.
  const passwd* const account = ::getpwnam(owner->c_str());
  if (account == nullptr) return {};
  if (account->pw_uid == options.user.user)
    return configuration_error(concat("user= command-line attribute specifies mail system owner ", *owner));
  if (account->pw_gid == options.user.group)
    return configuration_error(concat("user= command-line attribute specifies mail system owner ", *owner,
                                      " group id ", std::to_string(account->pw_gid)));
  return {};
}

}  // namespace

std::vector<std::string> command_roots(const Site& site) {
  constexpr std::string_view kRoot = "chroot=";
  std::vector<std::string> roots;
  for (const libconf::PlacedService* each : site.services()) {
    if (each->service.field(libconf::MasterField::kCommand) != "pipe") continue;
    for (const std::string& argument : each->service.arguments()) {
      if (argument.starts_with("argv=")) break;
      if (argument.starts_with(kRoot)) roots.push_back(argument.substr(kRoot.size()));
    }
  }
  return roots;
}

Result<PipeOptions> PipeOptions::read(const std::vector<std::string>& arguments,
                                      const libconf::Settings& settings) {
  PipeOptions options;
  bool has_user = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (const std::size_t length = option_length(arguments[i]); length > 0) {
      i += length - 1;
      continue;
    }
    const std::string_view argument = arguments[i];
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : argument.substr(equals + 1);
    if (name == "argv" && equals != std::string_view::npos) {
      if (!value.empty()) options.argv.emplace_back(value);
      options.argv.insert(options.argv.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                          arguments.end());
      break;
    }
    const auto* const found = std::find_if(kAttributes.begin(), kAttributes.end(),
                                           [&](const Attribute& each) { return each.name == name; });
    if (found == kAttributes.end() || equals == std::string_view::npos)
      return configuration_error(concat("unknown attribute name: ", argument));
    if (Result<void> read = found->read(options, value); !read) return read.error();
    has_user = has_user || name == "user";
  }
  if (!has_user) return configuration_error("missing user= command-line attribute");
  if (options.argv.empty()) return configuration_error("missing argv= command-line attribute");
  if (Result<void> checked = check_rights(options, settings); !checked) return checked.error();

  const Result<std::string> service = settings.get("service_name");
  if (!service) return service.error();
  const std::string own_limit = concat(*service, "_time_limit");
  SettingsReader reader(settings);
  reader.seconds(settings.value_of(own_limit) ? own_limit : "command_time_limit", options.time_limit);
  reader.text("recipient_delimiter", options.recipient_delimiter);
  reader.text("config_directory", options.config_directory);
  reader.flag("enable_original_recipient", options.has_original);
  if (reader.error()) return *reader.error();
  Result<std::vector<std::string>> environment = exported_environment(settings);
  if (!environment) return environment.error();
  options.environment = std::move(*environment);
  return options;
}

}  // namespace mta
