// What is expected is what a stock cleanup does with the same message; cleanup_differential.py asks it about
// random ones.
#include "tools/mta/content/cleanup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "libconf/main_cf_document.h"
#include "libconf/text.h"
#include "tests/tools/mta/cleanup_record.h"

namespace mta {
namespace {

using Lines = std::vector<std::string>;

libconf::Host no_host() {
  return {"h.example.com",
          [] {
            return libconf::Result<std::vector<libconf::InterfaceAddress>>(
                std::vector<libconf::InterfaceAddress>());
          },
          [](const std::string&) { return std::vector<std::vector<std::uint8_t>>(); }};
}

/// A main.cf in memory, and a message context that tests change.
class Site {
 public:
  explicit Site(const std::string& main_cf)
      : document_(libconf::MainCfDocument::parse("myhostname = h.example.com\n" + main_cf, "main.cf")),
        settings_(&document_, no_host()) {
    context.queue_id = "ID";
    context.client = "unknown[127.0.0.1]";
    context.sender = "s@example.com";
    context.recipient = "r@example.com";
    context.protocol = "ESMTP";
    context.helo = "client.example.com";
    context.arrival = 1795904672;  // 2026-11-28 22:24:32 UTC
  }

  Lines run(std::string_view message) {
    const auto options = cleanup_options(settings_);
    auto checks = ContentChecks::open(settings_, {.settings = settings_, .warnings = warnings});
    EXPECT_TRUE(options && checks);
    if (!options || !checks) return {};
    CleanupRecorder recorder(options->mime.line_length_limit);
    Cleanup cleanup(*options, *checks, context, addresses, recorder);
    cleanup.feed(message);
    cleanup.finish();
    return recorder.events;
  }

  MessageContext context;
  HeaderAddresses* addresses = nullptr;
  libconf::DiagnosticList warnings;

 private:
  libconf::MainCfDocument document_;
  libconf::Settings settings_;
};

/// Headers that are there already, and what comes of them.
const std::string kHeaders = "Date: x\nMessage-ID: <a@b>\nFrom: a@b\nTo: c@d\n";

/// The events that `lines` (headers and body) give, without those of kHeaders.
Lines run(const std::string& main_cf, const std::string& lines) {
  Lines events = Site(main_cf).run(kHeaders + lines);
  for (const char* usual :
       {"N Date: x", "N Message-ID: <a@b>", "N From: a@b", "N To: c@d", "log ID: message-id=<a@b>"}) {
    const auto found = std::find(events.begin(), events.end(), usual);
    if (found != events.end()) events.erase(found);
  }
  return events;
}

const std::string kOrigin =
    " from unknown[127.0.0.1]; from=<s@example.com> to=<r@example.com> proto=ESMTP helo=<client.example.com>";
const std::string kShortOrigin = " from unknown[127.0.0.1]; from=<s@example.com> to=<r@example.com>";

std::string header_checks(const std::string& rules) { return "header_checks = pcre:{" + rules + "}\n"; }
std::string body_checks(const std::string& rules) { return "body_checks = pcre:{" + rules + "}\n"; }

TEST(Cleanup, PassesContentOn) {
  EXPECT_EQ(run("", "X: y\n z\n\nbody\nend"), (Lines{"N X: y", "N  z", "N ", "N body", "N end"}));
  EXPECT_EQ(run("", "body\n"), (Lines{"N ", "N body"}));
}

TEST(Cleanup, AddsMissingHeaders) {
  const char* const time_zone = std::getenv("TZ");
  const std::string saved = time_zone == nullptr ? "" : time_zone;
  setenv("TZ", "EST5", 1);
  tzset();
  const std::string id = "<20261128222432.ID@h.example.com>";
  const std::string date = "Date: Sat, 28 Nov 2026 17:24:32 -0500 (EST)";
  struct Case {
    const char* name;
    const char* message;
    Lines events;
  };
  const Case cases[] = {
      {"all",
       "\n",
       {"N Message-Id: " + id, "log ID: message-id=" + id, "N " + date, "N From: s@example.com", "N To: u:;",
        "N "}},
      {"no message at all",
       "",
       {"N Message-Id: " + id, "log ID: message-id=" + id, "N " + date, "N From: s@example.com",
        "N To: u:;"}},
      {"empty ones are there",
       "To:\nFrom: \nDate:\nMessage-Id:\n",
       {"N To:", "N From: ", "N Date:", "log ID: message-id=", "N Message-Id:"}},
      {"resent",
       "Resent-Bcc: a@b\nTo: c@d\n",
       {"N To: c@d", "N Resent-Message-Id: " + id, "log ID: resent-message-id=" + id, "N Resent-" + date,
        "N Resent-From: s@example.com", "log ID: message-id=<>"}},
      {"resent in part",
       "Resent-Message-ID: <x>\nResent-Date: y\nResent-From: z\n",
       {"log ID: resent-message-id=<x>", "N Resent-Message-ID: <x>", "N Resent-Date: y", "N Resent-From: z",
        "log ID: message-id=<>", "N To: u:;"}},
  };
  for (const Case& c : cases)
    EXPECT_EQ(Site("undisclosed_recipients_header = To: u:;\n").run(c.message), c.events) << c.name;
  if (time_zone == nullptr) {
    unsetenv("TZ");
  } else {
    setenv("TZ", saved.c_str(), 1);
  }
  tzset();
}

TEST(Cleanup, LeavesForeignHeadersAlone) {
  Site setup("undisclosed_recipients_header = To: u:;\n");
  setup.context.rewrites_headers = false;
  EXPECT_EQ(setup.run("Subject: x\n"), (Lines{"N Subject: x", "log ID: message-id=<>"}));
  Site eager("always_add_missing_headers = yes\n");
  eager.context.rewrites_headers = false;
  EXPECT_EQ(eager.run("Date: x\nFrom: a\nMessage-Id: b\n").size(), 4U);
  EXPECT_EQ(eager.run("Date: x\nMessage-Id: b\n").back(), "N From: s@example.com");
}

TEST(Cleanup, WarnsOfABadUndisclosedRecipientsHeader) {
  EXPECT_EQ(
      Site("undisclosed_recipients_header = foo\n").run("Date: x\nFrom: a\nMessage-Id: b\n").back(),
      "warning bad undisclosed_recipients_header header text \"foo\" -- need \"headername: headervalue\"");
}

TEST(Cleanup, NamesTheSender) {
  struct Case {
    const char* address;
    const char* name;
    const char* standard;
    const char* obsolete;
  };
  const Case cases[] = {
      {"me@x.org", "John Doe", "From: John Doe <me@x.org>", "From: me@x.org (John Doe)"},
      {"\"a b\"@x.org", "", "From: \"a b\"@x.org", "From: \"a b\"@x.org"},
      {"", "John Doe", "From: MAILER-DAEMON", "From: MAILER-DAEMON"},
      {"me@x.org", "John \"X\" (Doe), Jr.", "From: \"John \\\"X\\\" (Doe), Jr.\" <me@x.org>",
       "From: me@x.org (John \"X\" (Doe), Jr.)"},
      {"me@x.org", "J\\o", "From: \"J\\\\o\" <me@x.org>", "From: me@x.org (J\\o)"},
      {"me@x.org", " a\t b ", "From: a b <me@x.org>", "From: me@x.org ( a\t b )"},
      {"me@x.org", " a, b ", "From: \" a, b \" <me@x.org>", "From: me@x.org ( a, b )"},
      {"me@x.org", "  ", "From: <me@x.org>", "From: me@x.org (  )"},
      {"me@x.org", "J\xc3\xb6rg", "From: J\xc3\xb6rg <me@x.org>", "From: me@x.org (J\xc3\xb6rg)"},
      {"me@x.org", "a [b]", "From: \"a [b]\" <me@x.org>", "From: me@x.org (a [b])"},
      {"me@x.org", "O'Brien", "From: O'Brien <me@x.org>", "From: me@x.org (O'Brien)"},
      // Ours: Postfix writes "(x)" here, and text behind it.
      {"me@x.org", "x)", "From: \"x)\" <me@x.org>", "From: me@x.org (x\\))"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(from_header(c.address, c.name, false), c.standard);
    EXPECT_EQ(from_header(c.address, c.name, true), c.obsolete);
  }
}

TEST(Cleanup, DropsHeaders) {
  const std::string headers = "Bcc: a\nbcc : b\nReturn-Path: c\nContent-Length: 5\nResent-Foo: d\nX-A: e\n";
  EXPECT_EQ(run("", headers), (Lines{"N Resent-Foo: d", "N X-A: e"}));
  // Those of MIME stay, and the headers of parts.
  EXPECT_EQ(run("message_drop_headers = x-a, content-type\n",
                "X-A: b\nContent-Type: multipart/mixed; boundary=X\n\n--X\nX-A: c\n"),
            (Lines{"N Content-Type: multipart/mixed; boundary=X", "N ", "N --X", "N X-A: c"}));
}

TEST(Cleanup, CountsHops) {
  const std::string main_cf = "hopcount_limit = 3\n";
  EXPECT_EQ(run(main_cf, "Received: a\nreceived: b\n").size(), 2U);
  EXPECT_EQ(run(main_cf, "Received: a\nreceived: b\nReceived: c\nX: d\n"),
            (Lines{"N Received: a", "N received: b", "warning ID: message rejected: hopcount exceeded",
                   "reject 554 5.4.0 Error: too many hops"}));
}

/// Marks what it is asked to rewrite.
class MarkingAddresses final : public HeaderAddresses {
 public:
  libconf::Result<void> rewrite(HeaderRole role, std::string& header) override {
    if (fails) return libconf::Error{.kind = libconf::ErrorKind::kTemporary, .message = "no table"};
    header += role == HeaderRole::kSender ? " (sender)" : " (recipient)";
    return {};
  }
  void for_each(std::string_view value, const std::function<void(std::string_view)>& visit) override {
    while (const auto address = libconf::next_word(value, ", ")) visit(*address);
  }
  bool fails = false;
};

TEST(Cleanup, HasAddressesRewritten) {
  MarkingAddresses addresses;
  Site setup("message_drop_headers =\n");
  setup.addresses = &addresses;
  const auto role_of = [&setup](const std::string& name) {
    const std::string event = setup.run(name + ": a\n")[0];
    const std::string prefix = "N " + name + ": a";
    return event.starts_with(prefix) ? event.substr(prefix.size()) : event;
  };
  for (const char* name : {"From", "Sender", "Reply-To", "Errors-To", "Return-Receipt-To", "Return-Path",
                           "Mail-Followup-To", "Disposition-Notification-To", "Resent-From", "Resent-Sender"})
    EXPECT_EQ(role_of(name), " (sender)") << name;
  for (const char* name :
       {"To", "Cc", "BCC", "Apparently-To", "Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Reply-To"})
    EXPECT_EQ(role_of(name), " (recipient)") << name;
  for (const char* name :
       {"Subject", "Delivered-To", "Mail-Reply-To", "Followup-To", "X-To", "Resent-Errors-To"})
    EXPECT_EQ(role_of(name), "") << name;
  setup.context.rewrites_headers = false;
  EXPECT_EQ(role_of("To"), "");
  setup.context.rewrites_headers = true;
  addresses.fails = true;
  EXPECT_EQ(setup.run("To: a\n"),
            (Lines{"warning ID: no table", "reject 451 4.3.0 Error: queue file write error"}));
}

TEST(Cleanup, FindsRecipients) {
  MarkingAddresses addresses;
  Site setup("");
  setup.addresses = &addresses;
  setup.context.rewrites_headers = false;
  setup.context.extracts_recipients = true;
  const auto recipients = [&setup](const std::string& headers) {
    Lines events = setup.run(headers);
    std::erase_if(events, [](const std::string& event) { return !event.starts_with("recipient "); });
    return events;
  };
  EXPECT_EQ(recipients("To: a, b\nCc: c\nBcc: d\nFrom: e\nApparently-To: f\n"),
            (Lines{"recipient a", "recipient b", "recipient c", "recipient d"}));
  EXPECT_EQ(recipients("To: a\nResent-To: b\nResent-Bcc: c\n"), (Lines{"recipient b", "recipient c"}));
  EXPECT_EQ(recipients("Resent-From: z\nTo: a\n"), (Lines{"recipient a"}));
  setup.context.extracts_recipients = false;
  EXPECT_EQ(recipients("To: a\n"), Lines{});
}

TEST(Cleanup, CarriesActionsOut) {
  struct Case {
    const char* action;
    Lines events;  // Of a header "X: y".
  };
  const auto log = [](const std::string& verdict, const std::string& reason) {
    return "log ID: " + verdict + ": header X: y" + kOrigin + reason;
  };
  const Case cases[] = {
      {"bcc a@b", {log("bcc", ": a@b"), "bcc a@b", "N X: y", "N Z: z", "N "}},
      {"discard", {log("discard", ""), "discard"}},
      {"dunno", {"N X: y", "N Z: z", "N "}},
      {"filter a:b", {log("filter", ": a:b"), "filter a:b", "N X: y", "N Z: z", "N "}},
      {"hold it", {log("hold", ": it"), "hold", "N X: y", "N Z: z", "N "}},
      {"ignore", {"N Z: z", "N "}},
      {"info", {log("info", ""), "N X: y", "N Z: z", "N "}},
      {"pass", {log("pass", ""), "pass", "N X: y", "N Z: z", "N "}},
      {"prepend A: b", {log("prepend", ": A: b"), "N A: b", "N X: y", "N Z: z", "N "}},
      {"redirect a@b", {log("redirect", ": a@b"), "redirect a@b", "N X: y", "N Z: z", "N "}},
      {"reject",
       {log("reject", ": 5.7.1 message content rejected"), "reject 550 5.7.1 message content rejected"}},
      {"reject 4.7.1 a", {log("reject", ": 4.7.1 a"), "reject 451 4.7.1 a"}},
      {"replace A: b", {log("replace", ": A: b"), "N A: b", "N Z: z", "N "}},
      {"strip", {log("strip", ""), "N Z: z", "N "}},
      {"warn a", {log("warning", ": a"), "N X: y", "N Z: z", "N "}},
      {"foo", {"warning unknown command in header_checks map: foo", "N X: y", "N Z: z", "N "}},
  };
  for (const Case& c : cases)
    EXPECT_EQ(run(header_checks(std::string("{/^X/ ") + c.action + "}"), "X: y\nZ: z\n\n"), c.events)
        << c.action;
}

TEST(Cleanup, RefusesInOneLine) {
  EXPECT_EQ(run(header_checks("{/^X: (.*)/ reject $$1}"), "X: y\n\tz\n").back(), "reject 550 5.7.1 y  z");
}

TEST(Cleanup, EndsInspection) {
  for (const std::string action : {"pass", "redirect a@b"}) {
    const std::string main_cf = header_checks("{/^X/ " + action + "} {/^Z/ warn}") +
                                body_checks("{/z/ warn}") +
                                "message_reject_characters = ~\nmessage_strip_characters = |\n";
    Lines events = run(main_cf, "X: y\nA: b\nZ: ~|z\n\nz\n");
    events.erase(events.begin(), events.begin() + 2);
    EXPECT_EQ(events, (Lines{"N X: y", "N A: b", "N Z: ~|z", "N ", "N z"})) << action;
  }
  // One HOLD is enough.
  EXPECT_EQ(run(header_checks("{/^X/ hold}"), "X: y\nX: z\n"),
            (Lines{"log ID: hold: header X: y" + kOrigin, "hold", "N X: y", "N X: z"}));
}

TEST(Cleanup, TreatsAReplacementAsAHeader) {
  EXPECT_EQ(run(header_checks("{/^X/ replace Bcc: a}"), "X: y\n").size(), 1U);
  EXPECT_EQ(Site(header_checks("{/^X/ replace Message-Id: a}")).run("X: y\nFrom: a\nDate: b\n")[1],
            "log ID: message-id=a");
}

TEST(Cleanup, ChecksEachClassOfHeaders) {
  const std::string message =
      "Content-Type: multipart/mixed; boundary=X\nS: 1\n\n--X\nS: 2\nContent-Type: message/rfc822\n\nS: "
      "3\n\nS: 4\n";
  const auto logged = [&message](const std::string& main_cf) {
    Lines events = run(main_cf, message);
    std::erase_if(events, [](const std::string& event) { return !event.starts_with("log "); });
    for (std::string& event : events) event = event.substr(event.find("S:"), 4);
    return events;
  };
  EXPECT_EQ(logged("header_checks = pcre:{{/^S/ info}}\n"), (Lines{"S: 1", "S: 2", "S: 3"}));
  EXPECT_EQ(logged("header_checks = pcre:{{/^S/ info}}\nnested_header_checks =\nmime_header_checks =\n"),
            (Lines{"S: 1"}));
  EXPECT_EQ(logged("mime_header_checks = pcre:{{/^S/ info}}\n"), (Lines{"S: 2"}));
  EXPECT_EQ(logged("nested_header_checks = pcre:{{/^S/ info}}\n"), (Lines{"S: 3"}));
  EXPECT_EQ(logged("body_checks = pcre:{{/^S/ info}}\n"), (Lines{"S: 4"}));
  EXPECT_EQ(logged("header_checks = pcre:{{/^S/ info}}\nbody_checks = $header_checks\n"
                   "disable_mime_input_processing = yes\n"),
            (Lines{"S: 1", "S: 2", "S: 3", "S: 4"}));
}

TEST(Cleanup, ChecksBodies) {
  struct Case {
    const char* action;
    Lines events;  // Of a line "x".
  };
  const auto log = [](const std::string& verdict, const std::string& reason) {
    return "log ID: " + verdict + ": body x" + kOrigin + reason;
  };
  const Case cases[] = {
      {"prepend no header", {"N ", log("prepend", ": no header"), "N no header", "N x", "N z"}},
      {"replace no header", {"N ", log("replace", ": no header"), "N no header", "N z"}},
      {"ignore", {"N ", "N z"}},
      {"reject",
       {"N ", log("reject", ": 5.7.1 message content rejected"),
        "reject 550 5.7.1 message content rejected"}},
      {"foo", {"N ", "warning unknown command in body_checks map: foo", "N x", "N z"}},
  };
  for (const Case& c : cases)
    EXPECT_EQ(run(body_checks(std::string("{/x/ ") + c.action + "}"), "\nx\nz\n"), c.events) << c.action;
}

TEST(Cleanup, LooksAtTheStartOfEachBody) {
  const auto checked = [](std::size_t limit, const std::string& message) {
    Lines events = run(
        body_checks("{/^[z-]/ info}") + "body_checks_size_limit = " + std::to_string(limit) + "\n", message);
    std::erase_if(events, [](const std::string& event) { return !event.starts_with("log "); });
    for (std::string& event : events) event = event.substr(19, event.find(" from ") - 19);
    return events;
  };
  // Offsets of the start of lines: "" 0, z1 1, --X 4; "" 0, z2 1, z3 4; --X-- 0, z4 6, z5 9.
  const std::string message =
      "Content-Type: multipart/mixed; boundary=X\n\nz1\n--X\nh: 1\n\nz2\nz3\n--X--\nz4\nz5\n";
  EXPECT_EQ(checked(0, message), (Lines{"z1", "--X", "z2", "z3", "--X--", "z4", "z5"}));
  EXPECT_EQ(checked(10, message), (Lines{"z1", "--X", "z2", "z3", "--X--", "z4", "z5"}));
  EXPECT_EQ(checked(9, message), (Lines{"z1", "--X", "z2", "z3", "--X--", "z4"}));
  EXPECT_EQ(checked(6, message), (Lines{"z1", "--X", "z2", "z3", "--X--"}));
  EXPECT_EQ(checked(4, message), (Lines{"z1", "z2", "--X--"}));
  EXPECT_EQ(checked(1, message), (Lines{"--X--"}));
}

TEST(Cleanup, DividesLongLines) {
  const std::string main_cf = "line_length_limit = 512\nheader_size_limit = 600\n";
  const std::string a(512, 'a');
  EXPECT_EQ(run(main_cf, "\n" + a + "b\n" + a + "\n"), (Lines{"N ", "L " + a, "N b", "N " + a}));
  EXPECT_EQ(run(main_cf, "X: " + a + "\n y\n " + a + "\n z\n"),
            (Lines{"L X: " + a.substr(3), "N aaa", "N  y", "N  " + a.substr(0, 80)}));
  const std::string checks = main_cf + body_checks("{/^b/ prepend c} {/^d/ replace e} {/^f/ ignore}");
  Lines events = run(checks, "\n" + a + "b\n" + a + "d\n" + a + "f\nz\n");
  std::erase_if(events, [](const std::string& event) { return event.starts_with("log "); });
  EXPECT_EQ(events, (Lines{"N ", "L " + a, "N c", "N b", "L " + a, "N e", "L " + a, "N z"}));
}

TEST(Cleanup, CutsWhatItLogs) {
  const std::string y(300, 'y');
  EXPECT_EQ(run(header_checks("{/^X/ info}"), "X: " + y + "\n")[0],
            "log ID: info: header X: " + y.substr(0, 197) + kOrigin);
  EXPECT_EQ(run(body_checks("{/y/ info}"), "\n" + y + "\n")[1],
            "log ID: info: body " + y.substr(0, 200) + kOrigin);
  EXPECT_EQ(run("strict_7bit_headers = yes\n", "X: \xe9" + y + "\n")[0],
            "log ID: reject: mime-error improper use of 8-bit data in message header: X: \xe9" +
                y.substr(0, 96) + kShortOrigin);
}

TEST(Cleanup, LogsWhatIsKnown) {
  Site setup(header_checks("{/^X/ info}"));
  setup.context.client = "local";
  setup.context.sender = "";
  setup.context.recipient = setup.context.protocol = setup.context.helo = "";
  EXPECT_EQ(setup.run("X: y\n")[0], "log ID: info: header X: y from local; from=<>");
}

TEST(Cleanup, RefusesWhatItCannotCheck) {
  const auto broken = [](const std::string& table) {
    Lines events = run("header_checks = " + table + "\n", "X: y\n");
    return events;
  };
  const std::string refusal =
      "warning ID: header_checks map lookup problem -- message not accepted, try again later";
  const std::string reply = "reject 451 4.3.0 Error: queue file write error";
  EXPECT_EQ(broken("fail:x"), (Lines{"warning fail:x lookup error for \"Date: x\"", refusal, reply}));
  EXPECT_EQ(broken("pcre:{{/^none/ ok}} pcre:/nonexistent"),
            (Lines{"warning pcre:/nonexistent lookup error for \"Date: x\"", refusal, reply}));
  EXPECT_EQ(broken("pcre:{{/Date/ ignore}}  fail:x")[0],
            "warning fail:x lookup error for \"Message-ID: <a@b>\"");
}

TEST(Cleanup, RefusesBrokenMime) {
  const std::string nested = [] {
    std::string out;
    for (const char c : {'0', '1', '2', '3'})
      out += std::string("Content-Type: multipart/mixed; boundary=") + c + "\n\n--" + c + "\n";
    return out;
  }();
  const auto fault = [](const std::string& text, const std::string& shown) {
    return "log ID: reject: mime-error " + text + ": " + shown + kShortOrigin;
  };
  const std::string nesting = "MIME nesting exceeds safety limit";
  const std::string header = "improper use of 8-bit data in message header";
  const std::string body = "improper use of 8-bit data in message body";
  const std::string domain = "invalid message/* or multipart/* encoding domain";
  struct Case {
    const char* name;
    std::string main_cf;
    std::string message;
    Lines logged;
    std::string reply;
  };
  const std::string strict =
      "strict_8bitmime = yes\nstrict_mime_encoding_domain = yes\nmime_nesting_limit = 1\n";
  const std::string third = "Content-Type: multipart/mixed; boundary=3";
  const Case cases[] = {
      {"header", strict, "A: \xe9\nB: \xe9\n", {fault(header, "A: \xe9")}, header},
      {"header before body",
       strict,
       "A: \xe9\n\n\xe9\n",
       {fault(header, "A: \xe9"), fault(body, "\xe9")},
       header},
      {"nesting before header",
       strict,
       "A: \xe9\n" + nested,
       {fault(header, "A: \xe9"), fault(nesting, third)},
       nesting},
      {"body before domain",
       strict,
       "Content-Type: message/rfc822\nContent-Transfer-Encoding: BASE64\n\n\n\xe9\n",
       {fault(domain, "base64"), fault(body, "\xe9")},
       body},
      {"multipart",
       strict,
       "Content-Type: multipart\nContent-Transfer-Encoding: (c) quoted-printable x\n",
       {},
       ""},
      {"multipart and a body",
       strict,
       "Content-Type: multipart\nContent-Transfer-Encoding: (c) quoted-printable x\n\n",
       {fault(domain, "quoted-printable")},
       domain},
      {"nesting matters to header checks",
       "mime_nesting_limit = 1\n" + header_checks("{/zzz/ info}"),
       nested,
       {fault(nesting, third)},
       nesting},
      {"nesting matters to nobody", "mime_nesting_limit = 1\n" + body_checks("{/zzz/ info}"), nested, {}, ""},
      {"nothing without MIME",
       strict + "disable_mime_input_processing = yes\n",
       "A: \xe9\n" + nested,
       {},
       ""},
      {"declared", strict, "Content-Transfer-Encoding: 8bit\n\n\xe9\n", {}, ""},
      {"encoded", strict, "Content-Transfer-Encoding: base64\n\n\xe9\n", {}, ""},
      {"not of the parts",
       strict,
       "Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n\xe9\n",
       {fault(body, "\xe9")},
       body},
      {"unknown", strict, "Content-Transfer-Encoding: foo\n\n\xe9\n", {fault(body, "\xe9")}, body},
      {"not of partial messages",
       strict,
       "Content-Type: message/partial\nContent-Transfer-Encoding: base64\n\n",
       {},
       ""},
  };
  for (const Case& c : cases) {
    Lines events = run(c.main_cf, c.message);
    const Lines reply = c.reply.empty() ? Lines{} : Lines{"reject 550 5.6.0 " + c.reply};
    Lines logged, replies;
    for (const std::string& event : events) {
      if (event.starts_with("log ")) logged.push_back(event);
      if (event.starts_with("reject ")) replies.push_back(event);
    }
    EXPECT_EQ(logged, c.logged) << c.name;
    EXPECT_EQ(replies, reply) << c.name;
  }
  // Checks go on, and have the last word.
  const std::string checks = strict + header_checks("{/^X/ reject x} {/^Y/ discard}");
  EXPECT_EQ(run(checks, "A: \xe9\nX: y\n").back(), "reject 550 5.7.1 x");
  EXPECT_EQ(run(checks, "A: \xe9\nY: y\n").back(), "discard");
  EXPECT_EQ(run(checks, "X: y\nA: \xe9\n").size(), 2U);
}

TEST(Cleanup, Detects8BitContent) {
  const auto is_8bit = [](const std::string& main_cf, const std::string& lines) {
    return run(main_cf, lines).back() == "8bit";
  };
  EXPECT_TRUE(is_8bit("", "Content-Transfer-Encoding: 8bit\n\n"));
  EXPECT_TRUE(is_8bit("", "content-transfer-encoding:\n BINARY\n\n"));
  EXPECT_TRUE(
      is_8bit("", "Content-Type: multipart/mixed; boundary=X\n\n--X\nContent-Transfer-Encoding: 8bit\n\n"));
  EXPECT_FALSE(is_8bit("", "Content-Transfer-Encoding: 8bit a\n\n"));
  EXPECT_FALSE(is_8bit("", "Content-Transfer-Encoding: 8bit \n\n"));
  EXPECT_FALSE(is_8bit("", "Content-Transfer-Encoding: 8bit\n \n\n"));
  EXPECT_FALSE(is_8bit("", "Content-Transfer-Encoding: base64\n\n\xe9\n"));
  EXPECT_FALSE(is_8bit("detect_8bit_encoding_header = no\n", "Content-Transfer-Encoding: 8bit\n\n"));
  EXPECT_FALSE(is_8bit("header_checks = pcre:{{/8bit/ ignore}}\n", "Content-Transfer-Encoding: 8bit\n\n"));
}

TEST(Cleanup, EditsCharacters) {
  EXPECT_EQ(run("", "X: a\rb\n\na\rb\r\n"), (Lines{"N X: a b", "N ", "N a b "}));
  EXPECT_EQ(run("cleanup_replace_stray_cr_lf = no\n", "\na\rb\n"), (Lines{"N ", "N a\rb"}));
  EXPECT_EQ(run("message_strip_characters = |\\0\\171\n", std::string("X-A: y|b\n\na\0y\n\nb", 17)),
            (Lines{"N X-A: b", "N ", "N a", "N ", "N b"}));
  const std::string rejecting = "message_reject_characters = \\a~\n" + header_checks("{/^X/ warn}");
  EXPECT_EQ(run(rejecting, "A: b\n\na\ab\nc\n"),
            (Lines{"N A: b", "N ", "log ID: reject: content a\ab" + kOrigin + ": 5.7.1 disallowed character",
                   "reject 550 5.7.1 disallowed character"}));
  EXPECT_EQ(run(rejecting, "X: ~")[0].substr(0, 28), "log ID: reject: content X: ~");
}

TEST(Cleanup, ReadsSetsOfCharacters) {
  const auto set = [](std::string_view text) {
    const auto parsed = parse_character_set(text);
    if (!parsed) return std::string("error: " + parsed.error().message);
    std::string out;
    for (std::size_t i = 0; i < parsed->size(); ++i)
      if ((*parsed)[i]) out += static_cast<char>(i);
    return out;
  };
  EXPECT_EQ(set(""), "");
  EXPECT_EQ(set("cab"), "abc");
  EXPECT_EQ(set("\\a\\b\\f\\n\\r\\t\\v\\\\"), "\a\b\t\n\v\f\r\\");
  EXPECT_EQ(set("\\1018"), "8A");
  EXPECT_EQ(set("\\0"), std::string(1, '\0'));
  EXPECT_EQ(set("\\377"), "\xff");
  EXPECT_TRUE(set("\\q").starts_with("error: "));
  EXPECT_TRUE(set("a\\").starts_with("error: "));
}

TEST(Cleanup, DoesNothingWithoutChecks) {
  Site setup(header_checks("{/^X/ reject}") + "message_reject_characters = ~\n");
  setup.context.checks_content = false;
  EXPECT_EQ(setup.run(kHeaders + "X: ~\n").back(), "N X: ~");
}

}  // namespace
}  // namespace mta
