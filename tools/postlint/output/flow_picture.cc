#include "tools/postlint/output/flow_picture.h"

#include <array>

#include "libconf/text.h"
#include "tools/postlint/output/xml.h"

namespace postlint {
namespace {

using libconf::concat;

// In units of the picture's own; text is 12 of them high.
constexpr int kWidth = 380;
constexpr int kMargin = 6;
constexpr int kLineHeight = 16;
constexpr int kGap = 18;
constexpr std::size_t kCharacters = 46;  ///< In a line of a box.

struct Line {
  std::string text;
  std::string_view style = "plain";  ///< A class of the style sheet.
};

/// Where a line ends that is too long for a box: behind a separator in its second half, if there is one.
std::size_t end_of_line(std::string_view text) {
  const std::size_t separator = text.substr(0, kCharacters).find_last_of("/,:;=");
  if (separator != std::string_view::npos && separator >= kCharacters / 2) return separator + 1;
  std::size_t end = kCharacters;
  while (end > kCharacters - 3 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // In a character.
  return end;
}

std::vector<Line> folded(const std::vector<Line>& lines) {
  constexpr std::size_t kIndent = 2;
  std::vector<Line> out;
  for (const Line& line : lines) {
    const std::string text = libconf::fold("", line.text, kCharacters, kIndent);
    std::string_view rest = text;
    while (const auto words = libconf::next_word(rest, "\n")) {
      std::string part(*words);
      while (part.size() > kCharacters) {
        const std::size_t end = end_of_line(part);
        out.push_back({part.substr(0, end), line.style});
        part = std::string(kIndent, ' ') + part.substr(end);
      }
      out.push_back({std::move(part), line.style});
    }
  }
  return out;
}

/// Boxes from top to bottom, with arrows between them.
class Picture {
 public:
  void add_box(std::string_view title, std::string_view style, const std::vector<Line>& lines) {
    if (top_ > kMargin) add_arrow();
    const std::vector<Line> parts = folded(lines);
    const int height = kLineHeight * (static_cast<int>(parts.size()) + 1) + 10;
    body_ +=
        concat("<rect class=\"", style, "\" x=\"", number(kMargin), "\" y=\"", number(top_), "\" width=\"",
               number(kWidth - 2 * kMargin), "\" height=\"", number(height), "\" rx=\"6\"/>\n");
    int y = top_ + kLineHeight;
    add_text(title, "title", y);
    for (const Line& line : parts) add_text(line.text, line.style, y += kLineHeight);
    top_ += height;
  }

  std::string svg(std::string_view label) const {
    return concat("<svg viewBox=\"0 0 ", number(kWidth), " ", number(top_ + kMargin),
                  "\" role=\"img\" aria-label=\"", xml_escaped(label),
                  "\" xmlns=\"http://www.w3.org/2000/svg\">\n", body_, "</svg>\n");
  }

 private:
  static std::string number(int value) { return std::to_string(value); }

  void add_text(std::string_view text, std::string_view style, int y) {
    body_ += concat("<text class=\"", style, "\" x=\"", number(kMargin + 10), "\" y=\"", number(y), "\">",
                    xml_escaped(text), "</text>\n");
  }

  void add_arrow() {
    constexpr int kHead = 5;
    const std::string x = number(kWidth / 2);
    const int end = top_ + kGap;
    body_ += concat("<path class=\"arrow\" d=\"M", x, " ", number(top_), " V", number(end), " m-",
                    number(kHead), " -", number(kHead), " l", number(kHead), " ", number(kHead), " l",
                    number(kHead), " -", number(kHead), "\"/>\n");
    top_ = end;
  }

  int top_ = kMargin;
  std::string body_;
};

std::string_view style_of(const mta::Restriction& restriction) {
  const std::string_view name = restriction.text;
  if (restriction.warn_only || !restriction.warnings.empty()) return "doubtful";
  if (name.starts_with("permit")) return "permit";
  if (name.starts_with("reject") || name.starts_with("defer")) return "reject";
  return "plain";
}

void add_server(Picture& picture, const SmtpServer& server) {
  std::vector<Line> lines;
  if (server.is_local_only) lines.push_back({"for clients on this host only"});
  if (is_yes(server.settings, "smtpd_sasl_auth_enable")) lines.push_back({"users may log in"});
  if (const std::string level = value_of(server.settings, "smtpd_tls_security_level"); !level.empty())
    lines.push_back({concat("TLS: ", level)});
  picture.add_box(server.service == nullptr ? "smtpd" : server.service->service().key(), "server", lines);
  for (const NamedRestrictions& named : server.lists) {
    if (named.list.empty() || named.parameter == "smtpd_etrn_restrictions") continue;
    std::vector<Line> restrictions;
    for (const mta::Restriction& each : named.list)
      restrictions.push_back({concat(each.warn_only ? "warn_if_reject " : "", each.text), style_of(each)});
    picture.add_box(named.parameter, "list", restrictions);
  }
}

/// `parameter: value` of those that are not empty.
std::vector<Line> values_of(const SiteModel& site, std::span<const std::string_view> parameters) {
  std::vector<Line> lines;
  for (const std::string_view parameter : parameters)
    if (const std::string value = value_of(site.settings(), parameter); !value.empty())
      lines.push_back({concat(parameter, ": ", value)});
  return lines;
}

struct ClassRow {
  std::string_view domains;
  std::string_view transport;
};
constexpr std::array kClasses = {
    ClassRow{"mydestination", "local_transport"},
    ClassRow{"virtual_alias_domains", ""},
    ClassRow{"virtual_mailbox_domains", "virtual_transport"},
    ClassRow{"relay_domains", "relay_transport"},
};

std::vector<Line> routes_of(const SiteModel& site) {
  std::vector<Line> lines;
  const auto transport = [&](std::string_view parameter) { return value_of(site.settings(), parameter); };
  for (const ClassRow& row : kClasses) {
    const std::string domains = value_of(site.settings(), row.domains);
    if (domains.empty()) continue;
    const std::string target = row.transport.empty() ? "other addresses" : transport(row.transport);
    lines.push_back({concat(row.domains, " (", domains, ") \xE2\x86\x92 ", target)});
  }
  const std::string relayhost = value_of(site.settings(), "relayhost");
  lines.push_back({concat("anything else \xE2\x86\x92 ", transport("default_transport"),
                          relayhost.empty() ? "" : ":", relayhost)});
  return lines;
}

}  // namespace

std::string flow_picture(const SiteModel& site) {
  constexpr std::array<std::string_view, 10> kRewriting = {
      "canonical_maps",     "sender_canonical_maps", "recipient_canonical_maps",
      "masquerade_domains", "virtual_alias_maps",    "always_bcc",
      "recipient_bcc_maps", "header_checks",         "body_checks",
      "non_smtpd_milters",
  };
  constexpr std::array<std::string_view, 3> kFilters = {"smtpd_milters", "smtpd_proxy_filter",
                                                        "content_filter"};
  constexpr std::array<std::string_view, 3> kMaps = {
      "transport_maps", "sender_dependent_default_transport_maps", "relocated_maps"};
  std::string out;
  for (const SmtpServer& server : site.smtp_servers()) {
    Picture picture;
    add_server(picture, server);
    out += picture.svg(
        concat("Restrictions of ", server.service == nullptr ? "smtpd" : server.service->service().key()));
  }
  Picture picture;
  if (const auto filters = values_of(site, kFilters); !filters.empty())
    picture.add_box("filters", "list", filters);
  picture.add_box("cleanup: rewriting and checks", "server", values_of(site, kRewriting));
  std::vector<Line> routes = values_of(site, kMaps);
  for (Line& line : routes_of(site)) routes.push_back(std::move(line));
  picture.add_box("trivial-rewrite: where to", "server", routes);
  return out + picture.svg("Rewriting and transports");
}

}  // namespace postlint
