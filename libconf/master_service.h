/// One service of master.cf: eight fields, and the arguments of its command (master(5)).
///
///     auto service = MasterService::parse("smtp inet n - n - - smtpd -o { a = b c }", sink);
///     service->field(MasterField::kCommand) == "smtpd";
///     service->arguments() == {"-o", "a=b c"};
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/text.h"

namespace libconf {

enum class MasterField : std::size_t {
  kService,
  kType,
  kPrivate,
  kUnprivileged,
  kChroot,
  kWakeup,
  kProcessLimit,
  kCommand,
};
inline constexpr std::size_t kMasterFieldCount = 8;

/// "service", "type", "private", ... in the order of the fields.
std::string_view master_field_name(MasterField field);
std::optional<MasterField> find_master_field(std::string_view name);

/// An `-o name=value` of a service.
struct MasterOption {
  std::string_view name;
  std::string_view value;
  std::size_t offset = 0;  ///< Where its argument stands in the text that was parsed.
};

/// A value type; as safe between threads as a std::string.
class MasterService {
 public:
  /// Reads a logical line. Braces around arguments are taken off, a glued `-oname=value` is split as Postfix
  /// splits it, and `-o { name = value }` becomes `name=value`; oddities on the way go to the sink. Errors:
  /// kSyntax, "bad field count" or "invalid FIELD field "X" in "TEXT"".
  static Result<MasterService> parse(std::string_view text, DiagnosticSink& sink);

  const std::string& field(MasterField field) const { return fields_[static_cast<std::size_t>(field)]; }
  const std::string& service() const { return field(MasterField::kService); }
  const std::string& type() const { return field(MasterField::kType); }
  const std::vector<std::string>& arguments() const { return arguments_; }

  /// "smtp/inet".
  std::string key() const { return concat(service(), "/", type()); }

  /// True when `service` and `type` name this service; "*" matches all.
  bool matches(std::string_view service, std::string_view type) const;

  /// The `-o name=value` arguments that the command would obey, in order; later ones win. Arguments without
  /// '=' are not among them.
  std::vector<MasterOption> options() const;

  /// The arguments that are no options, joined by blanks, each with blanks in braces.
  std::string other_arguments() const;

  /// Where a field stands in the text that was parsed.
  std::size_t offset(MasterField field) const { return field_offsets_[static_cast<std::size_t>(field)]; }

  /// The command and its arguments, each argument with blanks in braces.
  std::string command_text() const;

  /// Changes one field; for kCommand `value` is a command with arguments. Errors: as parse().
  Result<void> set_field(MasterField field, std::string_view value, DiagnosticSink& sink);

  /// Sets all options called `name`, or adds one after the last option.
  void set_option(std::string_view name, std::string_view value);
  void remove_option(std::string_view name);

  /// The whole entry on one line, fields separated by single spaces.
  std::string text() const;

  /// The entry in columns, as `postconf -M` prints it; folded: long lines broken, each -o on its own. No
  /// newline at the end.
  std::string columns(bool folded) const;

  /// `head` and command_text(), folded the same way.
  std::string folded_command(std::string_view head) const;

  /// The same service with `change` applied to each option's value.
  Result<MasterService> with_options(
      const std::function<Result<std::string>(std::string_view name, std::string_view value)>& change) const;

 private:
  struct OptionPlace {
    std::size_t value_index = 0;  ///< Of the argument behind "-o".
    NameValue parts;
  };
  /// Visits the arguments that are options; returns the index of the first argument that is none.
  std::size_t for_each_option(const std::function<void(const OptionPlace&)>& visit) const;
  void append_command(std::string& out, bool folded) const;

  std::array<std::string, kMasterFieldCount> fields_;
  std::array<std::size_t, kMasterFieldCount> field_offsets_{};
  std::vector<std::string> arguments_;
  std::vector<std::size_t> argument_offsets_;  ///< Of each argument, in the text that was parsed.
};

}  // namespace libconf
