#include "libconf/parameter_inventory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/temp_directory.h"

namespace libconf {
namespace {

using Strings = std::vector<std::string>;

/// One configuration, scanned.
struct Scanned {
  Scanned(const std::string& main_text, const std::string& master_text)
      : main_cf(MainCfDocument::parse("myhostname = a.b\nmynetworks = 10.0.0.0/8\n" + main_text, "main.cf")),
        master_cf(*MasterCf::read(MasterCfDocument::parse(master_text, "master.cf"), sink)),
        settings(&main_cf, {}) {
    settings.define_service_parameters(master_cf);
    Result<ParameterInventory> result = ParameterInventory::scan(settings, "main.cf", &master_cf, sink);
    if (result)
      inventory = std::make_unique<ParameterInventory>(std::move(*result));
    else
      error = result.error();
  }

  DiagnosticList sink;
  MainCfDocument main_cf;
  MasterCf master_cf;
  Settings settings;
  std::unique_ptr<ParameterInventory> inventory;
  Error error;
};

struct Case {
  const char* name;
  const char* main_cf;
  const char* master_cf = "";
  Strings findings = {};  ///< Of report().
  Strings warnings = {};  ///< Of the scan.
};

// As the stock postconf warns, where it knows the case.
TEST(ParameterInventory, Findings) {
  const Case cases[] = {
      {"built-in names", "relayhost = x\nbiff = no\n"},
      {"unused name", "nosuch = 1\n", "", {"main.cf: unused parameter: nosuch=1"}},
      {"two unused names, sorted",
       "b = 2\na = 1\n",
       "",
       {"main.cf: unused parameter: a=1", "main.cf: unused parameter: b=2"}},
      {"used by another value", "a = 1\nrelayhost = $a\n"},
      {"used through a chain", "a = 1\nb = $a\nrelayhost = ${b}\n"},
      {"used by an unused name", "a = 1\nb = $a\n", "", {"main.cf: unused parameter: b=$a"}},
      {"used in a branch that is not taken", "a = 1\nrelayhost = ${biff?{x}:{$a}}\n"},
      {"used in a comparison", "a = 1\nrelayhost = ${{$a}=={1}?{x}}\n"},
      {"undefined name", "relayhost = $nosuch\n", "", {}, {"main.cf: undefined parameter: nosuch"}},
      {"restriction class", "smtpd_restriction_classes = strict\nstrict = reject\n"},
      {"restriction class that is not set",
       "smtpd_restriction_classes = strict\n",
       "",
       {},
       {"main.cf: undefined parameter: strict"}},
      {"name of a database table", "virtual_alias_maps = mysql:db\ndb_hosts = localhost\n"},
      {"name of a database table, through the proxy", "virtual_alias_maps = proxy:mysql:db\ndb_hosts = x\n"},
      {"suffix that the table lacks",
       "virtual_alias_maps = mysql:db\ndb_nosuch = x\n",
       "",
       {"main.cf: unused parameter: db_nosuch=x"}},
      {"suffix of a hash",
       "virtual_alias_maps = hash:db\ndb_hosts = x\n",
       "",
       {"main.cf: unused parameter: db_hosts=x"}},
      {"service-defined name", "relay_destination_rate_delay = 1s\n", "relay unix - - n - - smtp\n"},
      {"name of a service that is not there",
       "relay_destination_rate_delay = 1s\n",
       "",
       {"main.cf: unused parameter: relay_destination_rate_delay=1s"}},
      {"used by an option", "a = 1\n", "smtp inet n - n - - smtpd -o relayhost=$a\n"},
      {"unused option",
       "",
       "smtp inet n - n - - smtpd -o nosuch=1\n",
       {"master.cf: unused parameter: nosuch=1"}},
      {"an option that another option uses", "", "smtp inet n - n - - smtpd -o a=1 -o relayhost=$a\n"},
      {"set by an option, used by main.cf", "relayhost = $a\n", "smtp inet n - n - - smtpd -o a=1\n"},
      {"deprecated name",
       "smtpd_use_tls = yes\n",
       "",
       {"main.cf: support for parameter \"smtpd_use_tls\" will be removed; instead, specify "
        "\"smtpd_tls_security_level\"",
        "See https://www.postfix.org/DEPRECATION_README.html for details"}},
      {"deprecated option",
       "",
       "smtp inet n - n - - smtpd -o smtpd_use_tls=yes\n",
       {"master.cf: support for parameter \"smtpd_use_tls\" will be removed; instead, specify "
        "\"smtpd_tls_security_level\"",
        "See https://www.postfix.org/DEPRECATION_README.html for details"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ":\n" + c.main_cf + c.master_cf);
    const Scanned scanned(c.main_cf, c.master_cf);
    ASSERT_TRUE(scanned.inventory) << scanned.error.message;
    Strings warnings = messages(scanned.sink);
    warnings.erase(std::unique(warnings.begin(), warnings.end()), warnings.end());
    EXPECT_EQ(warnings, c.warnings);
    DiagnosticList findings;
    scanned.inventory->report(false, findings);
    EXPECT_EQ(messages(findings), c.findings);
  }
}

TEST(ParameterInventory, ReportOfMasterCfOnly) {
  const Scanned scanned("nosuch = 1\n", "smtp inet n - n - - smtpd -o other=1\n");
  ASSERT_TRUE(scanned.inventory);
  DiagnosticList findings;
  scanned.inventory->report(true, findings);
  EXPECT_EQ(messages(findings), Strings{"master.cf: unused parameter: other=1"});
}

TEST(ParameterInventory, FindingsHaveAPlace) {
  const Scanned scanned("# x\nnosuch = 1\n", "");
  ASSERT_TRUE(scanned.inventory);
  DiagnosticList findings;
  scanned.inventory->report(false, findings);
  ASSERT_EQ(findings.items().size(), 1U);
  EXPECT_EQ(findings.items()[0].file, "main.cf");
  EXPECT_EQ(findings.items()[0].line, 4);
  EXPECT_EQ(findings.items()[0].code, "unused-parameter");
}

TEST(ParameterInventory, Classes) {
  const Scanned scanned("a = 1\nrelayhost = $a\nnosuch = 1\n", "relay unix - - n - - smtp\n");
  ASSERT_TRUE(scanned.inventory);
  struct ClassCase {
    const char* name;
    std::optional<ParameterClass> expected;
  };
  for (const ClassCase& c : {ClassCase{"relayhost", ParameterClass::kBuiltin},
                             ClassCase{"relay_destination_rate_delay", ParameterClass::kService},
                             ClassCase{"a", ParameterClass::kUser}, ClassCase{"nosuch", std::nullopt},
                             ClassCase{"", std::nullopt}})
    EXPECT_EQ(scanned.inventory->class_of(c.name), c.expected) << c.name;

  using Names = std::vector<std::string_view>;
  EXPECT_EQ(scanned.inventory->names(static_cast<unsigned>(ParameterClass::kUser)), Names{"a"});
  EXPECT_EQ(scanned.inventory->names(static_cast<unsigned>(ParameterClass::kService)).size(), 16U);
  EXPECT_TRUE(scanned.inventory->names(0).empty());
  const Names all = scanned.inventory->names(kAllClasses);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
  EXPECT_EQ(std::count(all.begin(), all.end(), "a"), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), "nosuch"), 0);
}

TEST(ParameterInventory, DefaultsLookAtNoValue) {
  const MainCfDocument main_cf = MainCfDocument::parse("a = ${\nrelayhost = $b\nb = 1\n", "main.cf");
  const Settings settings(&main_cf, {});
  const ParameterInventory inventory = ParameterInventory::defaults(settings);
  EXPECT_EQ(inventory.class_of("relayhost"), ParameterClass::kBuiltin);
  EXPECT_EQ(inventory.class_of("b"), std::nullopt);
  EXPECT_TRUE(inventory.names(static_cast<unsigned>(ParameterClass::kUser)).empty());
}

TEST(ParameterInventory, ValueThatCannotBeExpanded) {
  const Scanned scanned("relayhost = ${\n", "");
  EXPECT_FALSE(scanned.inventory);
  EXPECT_EQ(scanned.error.kind, ErrorKind::kSyntax);
  EXPECT_EQ(scanned.error.message, "macro processing error");
}

TEST(ParameterInventory, GoOnReportsAnErrorAndGoesOn) {
  const MainCfDocument main_cf =
      MainCfDocument::parse("mynetworks = 10.0.0.0/8\nrelayhost = ${\nnosuch = 1\n", "main.cf");
  const Settings settings(&main_cf, {});
  DiagnosticList sink;
  const auto inventory =
      ParameterInventory::scan(settings, "main.cf", nullptr, sink, ParameterInventory::OnError::kGoOn);
  ASSERT_TRUE(inventory);
  EXPECT_TRUE(std::any_of(sink.items().begin(), sink.items().end(),
                          [](const Diagnostic& d) { return d.severity == Severity::kError; }));
  DiagnosticList findings;
  inventory->report(false, findings);
  EXPECT_EQ(messages(findings), Strings{"main.cf: unused parameter: nosuch=1"});
}

TEST(ParameterInventory, TableFiles) {
  const postkit_test::TempDirectory directory;
  directory.write("good.cf", "hosts = x\nuser = y\n");
  directory.write("odd.cf", "hosts = x\nnosuch = y\n");
  const auto scan = [&](const std::string& name) {
    const Scanned scanned("virtual_alias_maps = mysql:" + directory.path(name) + "\n", "");
    EXPECT_TRUE(scanned.inventory);
    return messages(scanned.sink);
  };
  EXPECT_EQ(scan("good.cf"), Strings{});
  EXPECT_EQ(scan("odd.cf"), Strings{"mysql:" + directory.path("odd.cf") + ": unused parameter: nosuch=y"});
  EXPECT_EQ(scan("absent.cf"), Strings{"open \"mysql\" configuration \"" + directory.path("absent.cf") +
                                       "\": No such file or directory"});
}

}  // namespace
}  // namespace libconf
