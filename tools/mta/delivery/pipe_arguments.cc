#include "tools/mta/delivery/pipe_arguments.h"

#include <algorithm>
#include <array>
#include <optional>

#include "libconf/text.h"
#include "libmaps/address_lookup.h"
#include "libmaps/utf8.h"
#include "tools/mta/address/quoting.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Result;

/// What macros are about: the request, and one of its recipients.
struct Subject {
  const PipeOptions& options;
  const DeliveryRequest& request;
  const QueueRecipient& recipient;
};

std::string fold_if(bool folds, std::string_view text) {
  return folds ? libmaps::fold_ascii(text) : std::string(text);
}

std::string fold_domain(const Subject& subject, std::string_view text) {
  return fold_if(subject.options.has(PipeFlag::kFoldDomain), text);
}

std::string fold_local(const Subject& subject, std::string_view text) {
  return fold_if(subject.options.has(PipeFlag::kFoldLocal), text);
}

std::string quote_if(const Subject& subject, std::string address) {
  return subject.options.has(PipeFlag::kQuote) ? quote_address(address) : address;
}

/// An address with its parts folded and quoted as the flags say.
std::string address_of(const Subject& subject, const std::string& address) {
  const std::size_t at = address.rfind('@');
  std::string folded = fold_local(subject, std::string_view(address).substr(0, at));
  if (at != std::string::npos) folded += fold_domain(subject, std::string_view(address).substr(at));
  return quote_if(subject, std::move(folded));
}

libmaps::AddressParts parts_of(const Subject& subject) {
  return libmaps::split_address(subject.recipient.address,
                                {.recipient_delimiter = subject.options.recipient_delimiter});
}

struct Macro {
  std::string_view name;
  bool is_of_recipient;
  std::string (*value)(const Subject& subject);
};

template <std::string DeliveryOrigin::*member>
std::string origin(const Subject& subject) {
  return subject.request.origin.*member;
}

constexpr std::array kMacros = {
    Macro{"client_address", false, origin<&DeliveryOrigin::client_address>},
    Macro{"client_helo", false, origin<&DeliveryOrigin::helo_name>},
    Macro{"client_hostname", false, origin<&DeliveryOrigin::client_name>},
    Macro{"client_port", false, origin<&DeliveryOrigin::client_port>},
    Macro{"client_protocol", false, origin<&DeliveryOrigin::protocol>},
    Macro{"domain", true, [](const Subject& s) { return fold_domain(s, parts_of(s).domain); }},
    Macro{"extension", true,
          [](const Subject& s) {
            const std::string_view extension = parts_of(s).extension;
            return fold_local(s, extension.substr(extension.empty() ? 0 : 1));
          }},
    Macro{"mailbox", true, [](const Subject& s) { return fold_local(s, parts_of(s).local); }},
    Macro{"nexthop", false, [](const Subject& s) { return fold_domain(s, s.request.nexthop); }},
    Macro{"original_recipient", true, [](const Subject& s) { return address_of(s, s.recipient.original); }},
    Macro{"queue_id", false, [](const Subject& s) { return s.request.queue_id; }},
    Macro{"recipient", true, [](const Subject& s) { return address_of(s, s.recipient.address); }},
    Macro{"sasl_method", false, origin<&DeliveryOrigin::sasl_method>},
    Macro{"sasl_sender", false, origin<&DeliveryOrigin::sasl_sender>},
    Macro{"sasl_username", false, origin<&DeliveryOrigin::sasl_user_name>},
    Macro{"sender", false,
          [](const Subject& s) {
            const bool is_null = s.request.sender.empty();
            const std::string& sender = is_null ? s.options.null_sender : s.request.sender;
            return sender.empty() ? std::string() : quote_if(s, sender);
          }},
    Macro{"size", false, [](const Subject& s) { return std::to_string(s.request.content_size); }},
    Macro{"user", true, [](const Subject& s) { return fold_local(s, parts_of(s).user); }},
};

/// A piece of an argument: text, or a macro.
struct Piece {
  std::string text;
  const Macro* macro = nullptr;
};

std::string unknown_macro(const PipeOptions& options, std::string_view service, std::string_view name) {
  return concat("file ", options.config_directory, "/master.cf: service ", service,
                ": unknown macro name: \"", name, "\"");
}

/// Takes "name", "{name}" or "(name)" off the front of what follows a dollar sign.
Result<std::string_view> take_name(std::string_view& rest) {
  const bool is_bracketed = rest.starts_with('{') || rest.starts_with('(');
  std::size_t length = 0;
  if (is_bracketed) {
    length = rest.find(rest.front() == '{' ? '}' : ')');
    if (length == std::string_view::npos)
      return configuration_error(concat("truncated macro reference: \"$", rest, "\""));
    const std::string_view name = rest.substr(1, length - 1);
    rest.remove_prefix(length + 1);
    return name;
  }
  while (length < rest.size() && libconf::is_name_char(rest[length])) ++length;
  if (length == 0) return configuration_error(concat("empty macro name: \"$", rest, "\""));
  const std::string_view name = rest.substr(0, length);
  rest.remove_prefix(length);
  return name;
}

Result<std::vector<Piece>> parse(std::string_view argument, const PipeOptions& options,
                                 const std::string& service) {
  std::vector<Piece> pieces;
  for (;;) {
    const std::size_t dollar = argument.find('$');
    pieces.push_back({.text = std::string(argument.substr(0, dollar))});
    if (dollar == std::string_view::npos) return pieces;
    argument.remove_prefix(dollar + 1);
    if (argument.starts_with('$')) {
      pieces.push_back({.text = "$"});
      argument.remove_prefix(1);
      continue;
    }
    const Result<std::string_view> name = take_name(argument);
    if (!name) return name.error();
    const auto* const macro =
        std::find_if(kMacros.begin(), kMacros.end(), [&](const Macro& each) { return each.name == *name; });
    if (macro == kMacros.end()) return configuration_error(unknown_macro(options, service, *name));
    pieces.push_back({.macro = macro});
  }
}

std::string expand(const std::vector<Piece>& pieces, const Subject& subject) {
  std::string text;
  for (const Piece& piece : pieces) text += piece.macro == nullptr ? piece.text : piece.macro->value(subject);
  return text;
}

}  // namespace

Result<std::vector<std::string>> expand_pipe_arguments(const PipeOptions& options,
                                                       const DeliveryRequest& request) {
  std::vector<std::string> argv;
  for (const std::string& argument : options.argv) {
    const Result<std::vector<Piece>> pieces = parse(argument, options, request.transport);
    if (!pieces) return pieces.error();
    const bool is_for_each = std::any_of(pieces->begin(), pieces->end(), [](const Piece& piece) {
      return piece.macro != nullptr && piece.macro->is_of_recipient;
    });
    for (const QueueRecipient& recipient : request.recipients) {
      argv.push_back(expand(*pieces, {.options = options, .request = request, .recipient = recipient}));
      if (!is_for_each) break;
    }
  }
  return argv;
}

}  // namespace mta
