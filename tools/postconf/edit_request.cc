#include "tools/postconf/edit_request.h"

#include <array>

#include "libconf/text.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::MainCfEdit;
using libconf::MasterCfChange;
using libconf::MasterField;
using libconf::MasterService;
using libconf::NameValue;
using libconf::NameValueFault;
using libconf::Result;

Result<void> require_arguments(const Options& options) {
  if (!options.arguments.empty()) return {};
  return configuration_error(options.has('e') ? "-e requires name=value argument"
                                              : "missing service argument");
}

bool is_comment(std::string_view text) { return libconf::trim_left(text).starts_with('#'); }

Result<NameValue> split_argument(std::string_view argument) {
  NameValue parts;
  const NameValueFault fault = libconf::split_name_value(argument, parts);
  if (fault != NameValueFault::kNone)
    return configuration_error(concat(describe(fault), ": \"", argument, "\""));
  return parts;
}

}  // namespace

Result<MainCfEdit> main_cf_request(const Options& options, Console& console) {
  if (Result<void> checked = require_arguments(options); !checked) return checked.error();
  MainCfEdit edit;
  for (const std::string& argument : options.arguments) {
    if (argument.find('\n') != std::string::npos)
      return configuration_error("-e, -X, or -# accepts no multi-line input");
    if (is_comment(argument)) return configuration_error("-e, -X, or -# accepts no comment input");
    if (options.has('e')) {
      const Result<NameValue> parts = split_argument(argument);
      if (!parts) return parts.error();
      edit.set(parts->name, parts->value, console.warnings);
      continue;
    }
    if (libconf::trim(argument).empty())
      return configuration_error("-X or -# requires non-blank parameter names");
    if (argument.find('=') != std::string::npos)
      return configuration_error("-X or -# requires parameter names without value");
    if (options.has('X'))
      edit.remove(argument);
    else
      edit.comment_out(argument);
  }
  return edit;
}

namespace {

/// Reads the argument of one -M, -F or -P edit.
class MasterRequestReader {
 public:
  MasterRequestReader(const Options& options, Console& console) : options_(options), console_(console) {}

  Result<MasterCfChange> read(const std::string& argument) {
    std::string_view place = argument;
    std::string_view value;
    if (options_.has('e')) {
      const Result<NameValue> parts = split_argument(argument);
      if (!parts) return parts.error();
      place = parts->name;
      value = parts->value;
    } else if (argument.find('=') != std::string::npos) {
      return configuration_error("-X or -# requires names without value");
    }
    MasterCfChange change{.request = argument};
    if (options_.has('M')) return read_entry(std::move(change), place, value);
    if (options_.has('F')) return read_field(std::move(change), place, value);
    return read_parameter(std::move(change), place, value);
  }

 private:
  /// Splits at slashes into exactly `parts.size()` parts, none of them empty.
  template <std::size_t N>
  static bool split(std::string_view place, std::array<std::string, N>& parts) {
    for (std::size_t i = 0; i < N; ++i) {
      const std::size_t slash = place.find('/');
      parts[i] = place.substr(0, slash);
      const bool is_last = slash == std::string_view::npos;
      if (parts[i].empty() || is_last != (i + 1 == N)) return false;
      if (!is_last) place.remove_prefix(slash + 1);
    }
    return true;
  }

  Result<MasterCfChange> read_entry(MasterCfChange change, std::string_view place, std::string_view value) {
    std::array<std::string, 2> parts;
    if (!split(place, parts)) return configuration_error("-Me, -MX or -M# requires service_name/type");
    change.service = parts[0];
    change.type = parts[1];
    if (options_.has('e')) {
      change.kind = MasterCfChange::Kind::kSetEntry;
      Result<MasterService> entry = MasterService::parse(value, console_.warnings);
      if (!entry) {
        Error error = entry.error();
        if (error.message == "bad field count")
          error.message = concat("bad field count: \"", change.request, "\"");
        return error;
      }
      change.entry = std::move(*entry);
    } else {
      change.kind =
          options_.has('X') ? MasterCfChange::Kind::kRemoveEntry : MasterCfChange::Kind::kCommentOutEntry;
    }
    return change;
  }

  Result<MasterCfChange> read_field(MasterCfChange change, std::string_view place, std::string_view value) {
    std::array<std::string, 3> parts;
    if (!split(place, parts)) return configuration_error("-Fe or -FX requires service_name/type/field_name");
    if (parts[2] == "*") return configuration_error("-Fe does not accept wild-card field name");
    const std::optional<MasterField> field = libconf::find_master_field(parts[2]);
    if (!field) return configuration_error(concat("invalid service attribute name: \"", parts[2], "\""));
    if (*field != MasterField::kCommand && libconf::has_blank(value))
      return configuration_error("-Fe does not accept whitespace in non-command field");
    change.kind = MasterCfChange::Kind::kSetField;
    change.service = parts[0];
    change.type = parts[1];
    change.field = *field;
    change.value = value;
    return change;
  }

  Result<MasterCfChange> read_parameter(MasterCfChange change, std::string_view place,
                                        std::string_view value) {
    std::array<std::string, 3> parts;
    if (!split(place, parts)) return configuration_error("-Pe or -PX requires service_name/type/parameter");
    if (parts[2] == "*") return configuration_error("-Pe does not accept wild-card parameter name");
    if (libconf::has_blank(value))
      return configuration_error("-Pe does not accept whitespace in parameter value");
    change.kind =
        options_.has('e') ? MasterCfChange::Kind::kSetParameter : MasterCfChange::Kind::kRemoveParameter;
    change.service = parts[0];
    change.type = parts[1];
    change.name = parts[2];
    change.value = value;
    return change;
  }

  const Options& options_;
  Console& console_;
};

}  // namespace

Result<std::vector<MasterCfChange>> master_cf_request(const Options& options, Console& console) {
  if (Result<void> checked = require_arguments(options); !checked) return checked.error();
  std::vector<MasterCfChange> changes;
  for (const std::string& argument : options.arguments) {
    if (argument.find('\n') != std::string::npos)
      return configuration_error("-Me, -Fe, -Pe, -X, or -# accept no multi-line input");
    if (is_comment(argument)) return configuration_error("-Me, -Fe, -Pe, -X, or -# accept no comment input");
    Result<MasterCfChange> change = MasterRequestReader(options, console).read(argument);
    if (!change) return change.error();
    changes.push_back(std::move(*change));
  }
  return changes;
}

}  // namespace postconf
