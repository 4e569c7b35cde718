#include "libconf/bounce_template.h"

#include <algorithm>
#include <map>
#include <optional>

#include "libconf/file.h"
#include "libconf/idna.h"
#include "libconf/text.h"
#include "libconf/value.h"

namespace libconf {
namespace {

constexpr std::string_view kGreeting = "This is the mail system at host $myhostname.\n\n";
constexpr std::string_view kSignature = "                   The mail system\n";
constexpr std::string_view kHelp =
    "For further assistance, please send mail to postmaster.\n\n"
    "If you do so, please include this problem report. You can\n"
    "delete your own text from the attached returned message.\n\n";
constexpr std::string_view kCharset = "us-ascii";
/// In the order of FromFormat.
constexpr std::string_view kFrom[] = {"Mail Delivery System <MAILER-DAEMON>",
                                      "MAILER-DAEMON (Mail Delivery System)"};

struct HeaderRow {
  std::string_view label;
  std::string BounceTemplate::*value;
};
constexpr HeaderRow kHeaders[] = {
    {"Charset", &BounceTemplate::charset},
    {"From", &BounceTemplate::from},
    {"Subject", &BounceTemplate::subject},
    {"Postmaster-Subject", &BounceTemplate::postmaster_subject},
};

/// The label of a header line, or nothing when the line is not one.
std::optional<std::string_view> header_label(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || is_space(line.front())) return std::nullopt;
  const std::string_view label = trim(line.substr(0, colon));
  const bool is_printable =
      std::all_of(label.begin(), label.end(), [](char c) { return c > ' ' && c < 0x7F; });
  return is_printable ? std::optional(label) : std::nullopt;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t newline = text.find('\n');
  const std::string_view line = text.substr(0, newline);
  text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  return line;
}

/// Reads a template file. Postfix counts a message's line as the one after the text that it is about.
class TemplateReader {
 public:
  TemplateReader(std::string_view text, const std::string& file, DiagnosticSink& sink, FromFormat from)
      : rest_(text), file_(file), sink_(sink), builtin_(builtin_bounce_templates(from)) {}

  Result<BounceTemplates> read() {
    while (!rest_.empty()) {
      const std::string_view line = next_line();
      const std::string_view visible = trim_left(line);
      if (visible.empty() || visible.front() == '#') continue;
      if (std::optional<Error> error = read_template(line)) return *error;
    }
    // Of several templates of one name the last one counts, and only that one is looked at.
    for (BounceTemplate& target : templates_)
      if (const auto text = texts_.find(target.name); text != texts_.end()) define(target, text->second);
    return std::move(templates_);
  }

 private:
  std::string_view next_line() {
    ++line_number_;
    return take_line(rest_);
  }

  std::string place() const { return concat(file_, ", line ", std::to_string(line_number_ + 1)); }

  std::optional<Error> read_template(std::string_view line) {
    NameValue parts;
    const NameValueFault fault = split_name_value(line, parts);
    if (fault != NameValueFault::kNone)
      return syntax_error(concat(place(), ": ", describe(fault), ": \"", line, "\""));
    std::string text;
    if (parts.value.starts_with("<<")) {
      const std::string_view marker = trim(parts.value.substr(2));
      if (marker.empty()) return syntax_error(concat(place(), ": missing end marker after <<"));
      text = read_here_document(marker);
    } else if (!parts.value.empty()) {
      text = concat(parts.value, "\n");
    }
    const std::string_view name = parts.name;
    const auto target = std::find_if(templates_.begin(), templates_.end(), [&](const BounceTemplate& t) {
      return name == concat(t.name, "_template");
    });
    if (target == templates_.end())
      sink_.warn("bounce-template",
                 concat(place(), ": unknown template name: ", name, " -- ignoring this template"));
    else
      texts_[target->name] = std::move(text);
    return std::nullopt;
  }

  std::string read_here_document(std::string_view marker) {
    std::string text;
    while (!rest_.empty()) {
      const std::string_view line = next_line();
      if (line == marker) return text;
      text += concat(line, "\n");
    }
    sink_.warn("bounce-template", concat(place(), ": missing \"", marker, "\" end marker"));
    return text;
  }

  Error syntax_error(std::string message) const {
    return {.kind = ErrorKind::kSyntax, .message = std::move(message), .file = file_, .line = line_number_};
  }

  void define(BounceTemplate& target, std::string_view text) {
    const auto ignore = [&](std::string_view what) {
      sink_.warn("bounce-template",
                 concat(file_, ": ", what, " in ", target.name, " template -- ignoring this template"));
    };
    BounceTemplate fresh = *std::find_if(builtin_.begin(), builtin_.end(),
                                         [&](const BounceTemplate& t) { return t.name == target.name; });
    bool has_headers = false;
    while (!text.empty()) {
      std::string_view after = text;
      const std::string_view line = take_line(after);
      const std::optional<std::string_view> label = header_label(line);
      if (!label) {
        // Empty lines ahead of the headers do not count; one ends them.
        if (!trim(line).empty()) break;
        text = after;
        if (has_headers) break;
        continue;
      }
      has_headers = true;
      const HeaderRow* row = std::find_if(std::begin(kHeaders), std::end(kHeaders), [&](const HeaderRow& r) {
        return equals_ignoring_case(r.label, *label);
      });
      if (row == std::end(kHeaders)) return ignore(concat("unknown \"", *label, "\" header label"));
      if ((fresh.*row->value).empty())
        return ignore(concat("inapplicable \"", row->label, "\" header label"));
      const std::string_view value = trim_left(line.substr(line.find(':') + 1));
      if (value.empty()) return ignore(concat("empty \"", row->label, "\" header value"));
      if (!is_ascii(value)) return ignore(concat("non-ASCII \"", row->label, "\" header value"));
      fresh.*row->value = value;
      text = after;
    }
    if (text.empty()) return ignore("missing message text");
    if (!is_ascii(text) && equals_ignoring_case(fresh.charset, kCharset)) {
      sink_.warn("bounce-template", concat(file_, ": 8-bit message text in ", target.name, " template"));
      sink_.warn("bounce-template", "please specify a charset value other than us-ascii");
      sink_.warn("bounce-template", "-- ignoring this template for now");
      return;
    }
    fresh.text = text;
    fresh.origin = file_;
    target = std::move(fresh);
  }

  std::string_view rest_;
  const std::string& file_;
  DiagnosticSink& sink_;
  int line_number_ = 0;
  std::map<std::string_view, std::string> texts_;  ///< By template name.
  const BounceTemplates builtin_;
  BounceTemplates templates_ = builtin_;
};

struct TimeUnit {
  std::string_view suffix;
  std::int64_t seconds;
};
constexpr TimeUnit kTimeUnits[] = {
    {"seconds", 1}, {"minutes", 60}, {"hours", 3600}, {"days", 86400}, {"weeks", 604800}};

/// More of a unit than people like to read.
constexpr std::int64_t kManyUnits = 1000;

/// The settings, times in units, and names of hosts as people read them. One template.
class BounceScope final : public ExpansionScope {
 public:
  BounceScope(const Settings& settings, const BounceTemplate& bounce, DiagnosticSink& sink)
      : settings_(settings), bounce_(bounce), sink_(sink) {
    if (const Result<bool> is_utf8 = settings.get_bool("smtputf8_enable"); is_utf8) is_utf8_ = *is_utf8;
  }

  std::string_view origin() const {
    return bounce_.origin.empty() ? std::string_view("[built-in]") : std::string_view(bounce_.origin);
  }
  const std::optional<Error>& error() const { return error_; }

  std::optional<std::string_view> value_of(std::string_view name) const override {
    for (const std::string_view time : {"maximal_queue_lifetime", "delay_warning_time"})
      if (name.size() > time.size() && name.starts_with(time) && name[time.size()] == '_')
        return in_units(time, name);
    const std::optional<std::string_view> value = settings_.value_of(name);
    if (!value) return std::nullopt;
    const Result<std::string> expanded = settings_.get(name);
    if (!expanded) return value;
    if (is_utf8_ && (name == "myhostname" || name == "mydomain")) return in_unicode(name, *expanded);
    // What a value refers to is of the configuration, not of this scope.
    return keep(name, literal(*expanded));
  }

 private:
  static std::string literal(std::string_view text) {
    std::string out;
    for (const char c : text) out.append(c == '$' ? 2 : 1, c);
    return out;
  }

  void warn(std::string message) const { sink_.warn("bounce-template", std::move(message)); }

  std::string_view keep(std::string_view name, std::string value) const {
    return values_.insert_or_assign(std::string(name), std::move(value)).first->second;
  }

  std::optional<std::string_view> in_units(std::string_view time, std::string_view name) const {
    const std::string_view suffix = name.substr(time.size() + 1);
    const auto* const unit = std::find_if(std::begin(kTimeUnits), std::end(kTimeUnits),
                                          [&](const TimeUnit& each) { return each.suffix == suffix; });
    if (unit == std::end(kTimeUnits)) {
      error_ = configuration_error(
          concat(origin(), ": unrecognized suffix \"", suffix, "\" in parameter \"", name, "\""));
      return std::nullopt;
    }
    const Result<std::chrono::seconds> seconds = settings_.get_duration(std::string(time));
    if (!seconds) return std::nullopt;
    const std::int64_t count = seconds->count() / unit->seconds;
    if (count == 0 && seconds->count() > 0) {
      warn(concat(origin(), ": zero result in ", bounce_.name, " template conversion of parameter \"", name,
                  "\""));
      advise("reduce", suffix, name);
    } else if (count >= kManyUnits) {
      warn(concat(origin(), ": excessive result \"", std::to_string(count), "\" in ", bounce_.name,
                  " template conversion of parameter \"", name, "\""));
      advise("increase", suffix, name);
    }
    return keep(name, std::to_string(count));
  }

  void advise(std::string_view change, std::string_view unit, std::string_view name) const {
    warn(concat("please ", change, " time unit \"", unit, "\" of \"", name, "\" in ", bounce_.name,
                " template"));
    warn("for instructions see the bounce(5) manual");
  }

  std::string_view in_unicode(std::string_view name, std::string_view domain) const {
    std::optional<std::string> unicode = domain_to_unicode(domain);
    if (unicode) return keep(name, literal(*unicode));
    warn(concat(origin(), ": conversion \"", name, "\" failed: input value: \"", domain, "\""));
    return keep(name, literal(domain));
  }

  const Settings& settings_;
  const BounceTemplate& bounce_;
  DiagnosticSink& sink_;
  bool is_utf8_ = false;
  mutable std::map<std::string, std::string, std::less<>> values_;  ///< What views point to.
  mutable std::optional<Error> error_;
};

}  // namespace

Result<FromFormat> read_from_format(const Settings& settings) {
  constexpr const char* kParameter = "header_from_format";
  const Result<std::string> value = settings.get(kParameter);
  if (!value) return value.error();
  if (equals_ignoring_case(*value, "standard")) return FromFormat::kStandard;
  if (equals_ignoring_case(*value, "obsolete")) return FromFormat::kObsolete;
  return configuration_error(concat("invalid setting: \"", kParameter, " = ", *value, "\""));
}

BounceTemplates builtin_bounce_templates(FromFormat from) {
  const auto make = [from](std::string_view name, std::string_view subject,
                           std::string_view postmaster_subject, std::string_view text) {
    return BounceTemplate{name,
                          std::string(kCharset),
                          std::string(kFrom[static_cast<std::size_t>(from)]),
                          std::string(subject),
                          std::string(postmaster_subject),
                          concat(kGreeting, text, kSignature)};
  };
  return {make("failure", "Undelivered Mail Returned to Sender", "Postmaster Copy: Undelivered Mail",
               concat("I'm sorry to have to inform you that your message could not\n"
                      "be delivered to one or more recipients. It's attached below.\n\n",
                      kHelp)),
          make("delay", "Delayed Mail (still being retried)", "Postmaster Warning: Delayed Mail",
               concat("####################################################################\n"
                      "# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n"
                      "####################################################################\n\n"
                      "Your message could not be delivered for more than $delay_warning_time_hours hour(s).\n"
                      "It will be retried until it is $maximal_queue_lifetime_days day(s) old.\n\n",
                      kHelp)),
          make("success", "Successful Mail Delivery Report", "",
               "Your message was successfully delivered to the destination(s)\n"
               "listed below. If the message was delivered to mailbox you will\n"
               "receive no further notifications. Otherwise you may still receive\n"
               "notifications of mail delivery errors from other systems.\n\n"),
          make("verify", "Mail Delivery Status Report", "",
               "Enclosed is the mail delivery report that you requested.\n\n")};
}

Result<BounceTemplates> load_bounce_templates(const std::string& file, DiagnosticSink& sink,
                                              FromFormat from) {
  const Result<std::string> text = read_file(file);
  if (!text) return text.error();
  return parse_bounce_templates(*text, file, sink, from);
}

Result<BounceTemplates> parse_bounce_templates(std::string_view text, const std::string& file,
                                               DiagnosticSink& sink, FromFormat from) {
  return TemplateReader(text, file, sink, from).read();
}

std::string template_source(const BounceTemplate& bounce) {
  std::string out = concat(bounce.name, "_template = <<EOF\n");
  for (const HeaderRow& row : kHeaders)
    if (!(bounce.*row.value).empty()) out += concat(row.label, ": ", bounce.*row.value, "\n");
  return concat(out, "\n", bounce.text, "EOF\n");
}

Result<std::string> expand_bounce_text(const BounceTemplate& bounce, const Settings& settings,
                                       DiagnosticSink& sink) {
  const BounceScope scope(settings, bounce, sink);
  std::string out;
  std::string_view rest = bounce.text;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    bool has_undefined = false;
    Result<std::string> expanded = expand(
        line, scope, sink, [&](std::string_view name, std::optional<std::string_view> value, int depth) {
          has_undefined |= depth == 1 && !value && !name.empty();
        });
    if (scope.error()) return *scope.error();
    if (!expanded) return expanded.error();
    if (has_undefined)
      return configuration_error(
          concat(scope.origin(), ": undefined $name in ", bounce.name, " template: ", line));
    out += concat(*expanded, "\n");
  }
  return out;
}

}  // namespace libconf
