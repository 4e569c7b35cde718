/// The command line of postexplain(1), and the lines of a file of cases, which are written alike.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/postexplain/dry_run.h"

namespace postexplain {

struct Options {
  std::optional<std::string> config_directory;  ///< -c
  std::optional<std::string> service;           ///< Nothing: smtp
  std::optional<std::string> client;
  std::optional<std::string> client_port;
  std::optional<std::string> client_name;
  std::optional<std::string> reverse_name;
  std::optional<std::string> helo;
  std::optional<std::string> sender;
  std::optional<std::string> recipient;
  std::optional<std::string> sasl_user;
  std::optional<std::string> message_file;
  std::optional<std::string> dns_file;
  std::optional<std::string> expect;
  std::optional<std::string> cases_file;
  bool plain_helo = false;
  bool tls = false;
  bool no_dns = false;
  bool live = false;
  bool json = false;
  bool verbose = false;
  std::optional<std::string> about =
      {};  ///< To be printed, and nothing else to be done: --help and the like.
};

/// Parses the arguments behind the program's name, over what `base` says. Errors carry a line or two for the
/// user.
libconf::Result<Options> parse_command_line(std::span<const std::string> arguments, Options base = {});

}  // namespace postexplain
