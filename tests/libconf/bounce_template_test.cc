#include "libconf/bounce_template.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/temp_directory.h"

namespace libconf {
namespace {

using Strings = std::vector<std::string>;

TEST(BounceTemplate, BuiltIn) {
  const BounceTemplates templates = builtin_bounce_templates();
  const char* const names[] = {"failure", "delay", "success", "verify"};
  for (std::size_t i = 0; i < templates.size(); ++i) {
    EXPECT_EQ(templates[i].name, names[i]);
    EXPECT_EQ(templates[i].charset, "us-ascii");
    EXPECT_FALSE(templates[i].subject.empty());
    EXPECT_TRUE(templates[i].origin.empty());
    EXPECT_EQ(templates[i].text.back(), '\n');
  }
  EXPECT_FALSE(templates[0].postmaster_subject.empty());
  EXPECT_TRUE(templates[2].postmaster_subject.empty());
}

struct Case {
  const char* name;
  const char* text;
  const char* subject;  ///< Of the failure template afterwards.
  const char* body;     ///< Its text; nullptr: the built-in one.
  Strings warnings = {};
};

constexpr char kBuiltInSubject[] = "Undelivered Mail Returned to Sender";

// bounce(5).
TEST(BounceTemplate, Parse) {
  const Case cases[] = {
      {"empty", "", kBuiltInSubject, nullptr},
      {"comments", "# a\n\n  # b\n", kBuiltInSubject, nullptr},
      {"a template", "failure_template = <<EOF\nSubject: Mine\n\nText 1\n\nText 2\nEOF\n", "Mine",
       "Text 1\n\nText 2\n"},
      {"another end marker", "failure_template = <<THE END\nSubject: Mine\n\nEOF\nTHE END\n", "Mine",
       "EOF\n"},
      {"labels in any case", "failure_template=<<EOF\nSUBJECT: Mine\n\nT\nEOF\n", "Mine", "T\n"},
      {"no headers", "failure_template = <<EOF\n\nT\nEOF\n", kBuiltInSubject, "T\n"},
      {"another template", "delay_template = <<EOF\nSubject: Mine\n\nT\nEOF\n", kBuiltInSubject, nullptr},
      {"non-ASCII text with a charset", "failure_template = <<EOF\nCharset: utf-8\n\n\xC3\xBC\nEOF\n",
       kBuiltInSubject, "\xC3\xBC\n"},
      {"the last one counts",
       "failure_template = <<EOF\nSubject: One\n\n1\nEOF\nfailure_template = <<EOF\nSubject: Two\n\n2\nEOF\n",
       "Two", "2\n"},
      {"unknown header",
       "failure_template = <<EOF\nX-Y: 1\n\nT\nEOF\n",
       kBuiltInSubject,
       nullptr,
       {"b.cf: unknown \"X-Y\" header label in failure template -- ignoring this template"}},
      {"empty header",
       "failure_template = <<EOF\nSubject:\n\nT\nEOF\n",
       kBuiltInSubject,
       nullptr,
       {"b.cf: empty \"Subject\" header value in failure template -- ignoring this template"}},
      {"non-ASCII header",
       "failure_template = <<EOF\nSubject: \xC3\xBC\n\nT\nEOF\n",
       kBuiltInSubject,
       nullptr,
       {"b.cf: non-ASCII \"Subject\" header value in failure template -- ignoring this template"}},
      {"no text",
       "failure_template = <<EOF\nSubject: Mine\n\nEOF\n",
       kBuiltInSubject,
       nullptr,
       {"b.cf: missing message text in failure template -- ignoring this template"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ":\n" + c.text);
    DiagnosticList sink;
    const Result<BounceTemplates> templates = parse_bounce_templates(c.text, "b.cf", sink);
    ASSERT_TRUE(templates) << templates.error().message;
    EXPECT_EQ((*templates)[0].subject, c.subject);
    EXPECT_EQ((*templates)[0].text, c.body != nullptr ? c.body : builtin_bounce_templates()[0].text);
    EXPECT_EQ((*templates)[0].origin, c.body != nullptr ? "b.cf" : "");
    EXPECT_EQ(messages(sink), c.warnings);
  }
}

TEST(BounceTemplate, WarningsThatLeaveTheOthersAlone) {
  struct WarningCase {
    const char* name;
    const char* text;
    const char* part;
  };
  for (const WarningCase& c :
       {WarningCase{"unknown template", "nosuch_template = <<EOF\n\nT\nEOF\n",
                    "unknown template name: nosuch_template"},
        WarningCase{"no end marker", "failure_template = <<EOF\n\nT\n", "missing \"EOF\" end marker"},
        WarningCase{"8-bit text", "failure_template = <<EOF\n\n\xC3\xBC\nEOF\n",
                    "8-bit message text in failure template"}}) {
    SCOPED_TRACE(c.name);
    DiagnosticList sink;
    ASSERT_TRUE(parse_bounce_templates(c.text, "b.cf", sink));
    ASSERT_FALSE(sink.items().empty());
    EXPECT_NE(sink.items()[0].message.find(c.part), std::string::npos) << sink.items()[0].message;
  }
}

TEST(BounceTemplate, SyntaxErrors) {
  for (const char* text : {"junk\n", "failure_template\n", "= <<EOF\nEOF\n", "failure_template = <<\nT\n"}) {
    SCOPED_TRACE(text);
    DiagnosticList sink;
    const Result<BounceTemplates> templates = parse_bounce_templates(text, "b.cf", sink);
    ASSERT_FALSE(templates);
    EXPECT_EQ(templates.error().kind, ErrorKind::kSyntax);
    EXPECT_EQ(templates.error().file, "b.cf");
  }
}

TEST(BounceTemplate, Load) {
  const postkit_test::TempDirectory directory;
  directory.write("b.cf", "verify_template = <<EOF\n\nT\nEOF\n");
  DiagnosticList sink;
  const auto templates = load_bounce_templates(directory.path("b.cf"), sink);
  ASSERT_TRUE(templates);
  EXPECT_EQ((*templates)[3].text, "T\n");
  const auto absent = load_bounce_templates(directory.path("absent"), sink);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kInputOutput);
  EXPECT_EQ(absent.error().message, "open " + directory.path("absent") + ": No such file or directory");
}

TEST(BounceTemplate, SourceReadsBack) {
  std::string all;
  for (const BounceTemplate& t : builtin_bounce_templates()) all += template_source(t);
  DiagnosticList sink;
  const auto again = parse_bounce_templates(all, "b.cf", sink);
  ASSERT_TRUE(again);
  EXPECT_TRUE(sink.items().empty());
  const BounceTemplates builtin = builtin_bounce_templates();
  for (std::size_t i = 0; i < builtin.size(); ++i) {
    EXPECT_EQ((*again)[i].charset, builtin[i].charset);
    EXPECT_EQ((*again)[i].from, builtin[i].from);
    EXPECT_EQ((*again)[i].subject, builtin[i].subject);
    EXPECT_EQ((*again)[i].postmaster_subject, builtin[i].postmaster_subject);
    EXPECT_EQ((*again)[i].text, builtin[i].text);
  }
}

TEST(BounceTemplate, Expansion) {
  const MainCfDocument main_cf = MainCfDocument::parse(
      "myhostname = mail.example.com\ndelay_warning_time = 36h\nmaximal_queue_lifetime = 14d\n", "main.cf");
  const Settings settings(&main_cf, {});
  struct ExpansionCase {
    const char* name;
    const char* text;
    const char* expected;  ///< nullptr: an error.
  };
  for (const ExpansionCase& c : {
           ExpansionCase{"plain", "T\n", "T\n"},
           ExpansionCase{"a parameter", "at $myhostname.\n", "at mail.example.com.\n"},
           ExpansionCase{"units of delay_warning_time",
                         "$delay_warning_time_seconds $delay_warning_time_minutes $delay_warning_time_hours "
                         "$delay_warning_time_days $delay_warning_time_weeks\n",
                         "129600 2160 36 1 0\n"},
           ExpansionCase{"units of maximal_queue_lifetime",
                         "$maximal_queue_lifetime_days $maximal_queue_lifetime_weeks\n", "14 2\n"},
           ExpansionCase{"dollar", "$$5\n", "$5\n"},
           ExpansionCase{"undefined name", "$nosuch\n", nullptr},
           ExpansionCase{"bad expression", "${\n", nullptr},
       }) {
    SCOPED_TRACE(c.name);
    BounceTemplate bounce = builtin_bounce_templates()[0];
    bounce.text = c.text;
    DiagnosticList sink;
    const Result<std::string> text = expand_bounce_text(bounce, settings, sink);
    ASSERT_EQ(text.has_value(), c.expected != nullptr);
    if (text) {
      EXPECT_EQ(*text, c.expected);
    }
  }
  BounceTemplate bounce = builtin_bounce_templates()[0];
  bounce.text = "$nosuch\n";
  DiagnosticList sink;
  EXPECT_EQ(expand_bounce_text(bounce, settings, sink).error().kind, ErrorKind::kConfiguration);
}

// What stock `postconf -b` printed.
TEST(BounceTemplate, ExpansionSaysWhatIsPoorToRead) {
  const MainCfDocument main_cf = MainCfDocument::parse(
      "compatibility_level = 3.6\nmyhostname = x.xn--bcher-kva.example\nmyorigin = $myhostname\n"
      "mydomain = xn--zzzzzz--x.example\ndelay_warning_time = 119m\n",
      "main.cf");
  const Settings settings(&main_cf, {});
  const struct {
    const char* text;
    const char* expected;
    Strings warnings;
  } cases[] = {
      {"$myhostname\n",
       "x.b\xC3\xBC"
       "cher.example\n",
       {}},
      {"$myorigin\n", "x.xn--bcher-kva.example\n", {}},
      {"$mydomain\n",
       "xn--zzzzzz--x.example\n",
       {"[built-in]: conversion \"mydomain\" failed: input value: \"xn--zzzzzz--x.example\""}},
      {"$delay_warning_time_hours\n", "1\n", {}},
      {"$delay_warning_time_days\n",
       "0\n",
       {"[built-in]: zero result in delay template conversion of parameter \"delay_warning_time_days\"",
        "please reduce time unit \"days\" of \"delay_warning_time_days\" in delay template",
        "for instructions see the bounce(5) manual"}},
      {"$delay_warning_time_seconds\n",
       "7140\n",
       {"[built-in]: excessive result \"7140\" in delay template conversion of parameter "
        "\"delay_warning_time_seconds\"",
        "please increase time unit \"seconds\" of \"delay_warning_time_seconds\" in delay template",
        "for instructions see the bounce(5) manual"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    BounceTemplate bounce = builtin_bounce_templates()[1];
    bounce.text = c.text;
    DiagnosticList sink;
    const Result<std::string> text = expand_bounce_text(bounce, settings, sink);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(*text, c.expected);
    EXPECT_EQ(messages(sink), c.warnings);
  }
  BounceTemplate bounce = builtin_bounce_templates()[1];
  bounce.text = "$delay_warning_time_weekss\n";
  DiagnosticList sink;
  const Result<std::string> text = expand_bounce_text(bounce, settings, sink);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message,
            "[built-in]: unrecognized suffix \"weekss\" in parameter \"delay_warning_time_weekss\"");
}

// header_from_format in postconf(5), and stock `postconf -t`.
TEST(BounceTemplate, FromFormat) {
  EXPECT_EQ(builtin_bounce_templates(FromFormat::kObsolete)[0].from, "MAILER-DAEMON (Mail Delivery System)");
  const struct {
    const char* main_cf;
    std::optional<FromFormat> format;
  } cases[] = {{"", FromFormat::kStandard},
               {"header_from_format = obsolete\n", FromFormat::kObsolete},
               {"header_from_format = nonsense\n", std::nullopt}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.main_cf);
    const MainCfDocument main_cf = MainCfDocument::parse(c.main_cf, "main.cf");
    const Result<FromFormat> format = read_from_format(Settings(&main_cf, {}));
    ASSERT_EQ(format.has_value(), c.format.has_value());
    if (format) {
      EXPECT_EQ(*format, c.format);
    } else {
      EXPECT_EQ(format.error().message, "invalid setting: \"header_from_format = nonsense\"");
    }
  }
}

}  // namespace
}  // namespace libconf
