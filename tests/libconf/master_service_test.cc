#include "libconf/master_service.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/libconf/diagnostic_messages.h"

namespace libconf {
namespace {

using Strings = std::vector<std::string>;

MasterService parsed(std::string_view text) {
  DiagnosticDiscard discard;
  Result<MasterService> service = MasterService::parse(text, discard);
  EXPECT_TRUE(service) << text << ": " << service.error().message;
  return service ? *service : MasterService();
}

/// "name=value" of each option.
Strings options_of(const MasterService& service) {
  Strings out;
  for (const auto& option : service.options()) out.push_back(concat(option.name, "=", option.value));
  return out;
}

TEST(MasterService, Fields) {
  const MasterService service = parsed("smtp\tinet  n y - 30? 10 smtpd -v");
  const std::pair<MasterField, const char*> expected[] = {
      {MasterField::kService, "smtp"},    {MasterField::kType, "inet"},    {MasterField::kPrivate, "n"},
      {MasterField::kUnprivileged, "y"},  {MasterField::kChroot, "-"},     {MasterField::kWakeup, "30?"},
      {MasterField::kProcessLimit, "10"}, {MasterField::kCommand, "smtpd"}};
  for (const auto& [field, value] : expected) EXPECT_EQ(service.field(field), value);
  EXPECT_EQ(service.arguments(), Strings{"-v"});
  EXPECT_EQ(service.key(), "smtp/inet");
}

TEST(MasterService, FieldNames) {
  const char* const names[] = {"service", "type",   "private",       "unprivileged",
                               "chroot",  "wakeup", "process_limit", "command"};
  for (std::size_t i = 0; i < kMasterFieldCount; ++i) {
    EXPECT_EQ(master_field_name(static_cast<MasterField>(i)), names[i]);
    EXPECT_EQ(find_master_field(names[i]), static_cast<MasterField>(i));
  }
  for (const char* name : {"", "maxproc", "Service", "process", "args", "*"})
    EXPECT_EQ(find_master_field(name), std::nullopt) << name;
}

struct ValidityCase {
  const char* name;
  const char* text;
  const char* error;  ///< nullptr: accepted.
};

TEST(MasterService, Validity) {
  const ValidityCase cases[] = {
      {"inet", "smtp inet n - n - - smtpd", nullptr},
      {"unix", "a unix - - n - - smtp", nullptr},
      {"fifo", "a fifo n - n 60 1 pickup", nullptr},
      {"pass", "a pass - - n - - smtpd", nullptr},
      {"unix-dgram", "postlog unix-dgram n - n - 1 postlogd", nullptr},
      {"unknown type", "smtp tcp n - n - - smtpd",
       R"(invalid type field "tcp" in "smtp tcp n - n - - smtpd")"},
      {"type in capitals", "smtp INET n - n - - smtpd",
       R"(invalid type field "INET" in "smtp INET n - n - - smtpd")"},
      {"private inet is accepted", "smtp inet y - n - - smtpd", nullptr},
      {"bad private", "smtp inet q - n - - smtpd",
       R"(invalid private field "q" in "smtp inet q - n - - smtpd")"},
      {"bad unprivileged", "smtp inet n x n - - smtpd",
       R"(invalid unprivileged field "x" in "smtp inet n x n - - smtpd")"},
      {"bad chroot", "smtp inet n - maybe - - smtpd",
       R"(invalid chroot field "maybe" in "smtp inet n - maybe - - smtpd")"},
      {"flag in capitals", "smtp inet N - n - - smtpd",
       R"(invalid private field "N" in "smtp inet N - n - - smtpd")"},
      {"wakeup", "qmgr unix n - n 300 1 qmgr", nullptr},
      {"wakeup when used", "qmgr unix n - n 300? 1 qmgr", nullptr},
      {"wakeup of a question mark", "qmgr unix n - n ? 1 qmgr", nullptr},
      {"wakeup with a unit", "pickup unix n - n 5s 1 pickup",
       R"(invalid wakeup field "5s" in "pickup unix n - n 5s 1 pickup")"},
      {"wakeup, negative", "pickup unix n - n -5 1 pickup",
       R"(invalid wakeup field "-5" in "pickup unix n - n -5 1 pickup")"},
      {"process limit 0", "smtp inet n - n - 0 smtpd", nullptr},
      {"process limit, negative", "smtp inet n - n - -1 smtpd",
       R"(invalid process_limit field "-1" in "smtp inet n - n - -1 smtpd")"},
      {"process limit, text", "smtp inet n - n - all smtpd",
       R"(invalid process_limit field "all" in "smtp inet n - n - all smtpd")"},
      {"seven fields", "smtp inet n - n - -", "bad field count"},
      {"one field", "smtp", "bad field count"},
      {"empty", "", "bad field count"},
      {"blanks", " \t ", "bad field count"},
      {"the first bad field is told", "smtp tcp q - n - - smtpd",
       R"(invalid type field "tcp" in "smtp tcp q - n - - smtpd")"},
  };
  for (const ValidityCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.text);
    DiagnosticList sink;
    const Result<MasterService> service = MasterService::parse(c.text, sink);
    ASSERT_EQ(service.has_value(), c.error == nullptr);
    EXPECT_TRUE(sink.items().empty());
    if (service) continue;
    EXPECT_EQ(service.error().kind, ErrorKind::kSyntax);
    EXPECT_EQ(service.error().message, c.error);
  }
}

struct ArgumentCase {
  const char* name;
  const char* text;  ///< Behind the command.
  Strings arguments;
  Strings options;
  Strings messages = {};
};

// As the stock postconf -M and -P print them.
TEST(MasterService, Arguments) {
  const ArgumentCase cases[] = {
      {"none", "", {}, {}},
      {"plain words", "-v a b", {"-v", "a", "b"}, {}},
      {"an option", "-o a=b", {"-o", "a=b"}, {"a=b"}},
      {"several", "-o a=b -v -o c=d", {"-o", "a=b", "-v", "-o", "c=d"}, {"a=b", "c=d"}},
      {"later ones stay", "-o a=1 -o a=2", {"-o", "a=1", "-o", "a=2"}, {"a=1", "a=2"}},
      {"empty value", "-o a=", {"-o", "a="}, {"a="}},
      {"equals in the value", "-o a=b=c", {"-o", "a=b=c"}, {"a=b=c"}},
      {"braces", "-o { a = b c }", {"-o", "a=b c"}, {"a=b c"}},
      {"braces inside braces", "-o { a = x { y } z }", {"-o", "a=x { y } z"}, {"a=x { y } z"}},
      {"braces around an argument", "flags=D {user = x y} {z}", {"flags=D", "user = x y", "z"}, {}},
      {"glued", "-oa=b", {"-o", "a=b"}, {"a=b"}},
      {"behind another flag", "-vo a=b", {"-v", "-o", "a=b"}, {"a=b"}},
      {"glued with an o inside", "-orelayhost=a", {"-o", "relayh", "-o", "st=a"}, {"st=a"}},
      {"no equals sign", "-o a -o b=c", {"-o", "a", "-o", "b=c"}, {"b=c"}},
      {"options end at a word", "-o a=b x -o c=d", {"-o", "a=b", "x", "-o", "c=d"}, {"a=b"}},
      {"options end at --", "-o a=b -- -o c=d", {"-o", "a=b", "--", "-o", "c=d"}, {"a=b"}},
      {"options end at -", "- -o c=d", {"-", "-o", "c=d"}, {}},
      {"-o at the end", "-v -o", {"-v", "-o"}, {}},
      {"open brace", "-o { a = b", {"-o", "a=b"}, {"a=b"}, {R"(master.cf: missing '}' in "{ a = b")"}},
      {"text behind the brace",
       "-o { a = b }c",
       {"-o", "a=b"},
       {"a=b"},
       {R"(master.cf: syntax error after '}' in "{ a = b }c")"}},
      {"braces without equals sign",
       "-o { a }",
       {"-o", "a"},
       {},
       {R"(master.cf: missing '=' after attribute name: "a")"}},
      {"glued braces, cut at an o",
       "-o{mynetworks = 1, 2}",
       {"-o", "mynetw", "-o", "rks = 1, 2}"},
       {"rks=1, 2}"},
       {R"(master.cf: missing '}' in "{mynetw")",
        R"(master.cf: missing '=' after attribute name: "mynetw")"}},
  };
  for (const ArgumentCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.text);
    DiagnosticList sink;
    const Result<MasterService> service =
        MasterService::parse(concat("smtp inet n - n - - smtpd ", c.text), sink);
    ASSERT_TRUE(service);
    EXPECT_EQ(service->arguments(), c.arguments);
    EXPECT_EQ(options_of(*service), c.options);
    EXPECT_EQ(messages(sink), c.messages);
  }
}

TEST(MasterService, OffsetsPointIntoTheText) {
  const std::string text = "smtp  inet n - n - 10 smtpd  -v -o a=b -o { c = d }";
  const MasterService service = parsed(text);
  EXPECT_EQ(service.offset(MasterField::kService), 0U);
  EXPECT_EQ(service.offset(MasterField::kType), 6U);
  EXPECT_EQ(service.offset(MasterField::kProcessLimit), text.find("10"));
  EXPECT_EQ(service.offset(MasterField::kCommand), text.find("smtpd"));
  ASSERT_EQ(service.options().size(), 2U);
  EXPECT_EQ(service.options()[0].offset, text.find("a=b"));
  EXPECT_EQ(service.options()[1].offset, text.find("{ c"));
}

TEST(MasterService, Matches) {
  const MasterService service = parsed("smtp inet n - n - - smtpd");
  struct Case {
    const char* service;
    const char* type;
    bool expected;
  };
  for (const Case& c : {Case{"smtp", "inet", true}, Case{"*", "inet", true}, Case{"smtp", "*", true},
                        Case{"*", "*", true}, Case{"smtp", "unix", false}, Case{"smtps", "inet", false},
                        Case{"SMTP", "inet", false}, Case{"sm*", "inet", false}, Case{"", "inet", false}})
    EXPECT_EQ(service.matches(c.service, c.type), c.expected) << c.service << "/" << c.type;
}

struct LayoutCase {
  const char* name;
  const char* text;
  const char* columns;
  const char* folded;
};

// As the stock `postconf -M` and `postconf -Mf` print them.
TEST(MasterService, Columns) {
  const LayoutCase cases[] = {
      {"no arguments", "smtp inet n - n - - smtpd",
       "smtp       inet  n       -       n       -       -       smtpd",
       "smtp       inet  n       -       n       -       -       smtpd"},
      {"options on lines of their own", "smtp inet n - n - - smtpd -v -o a=b -o { c = d e }",
       "smtp       inet  n       -       n       -       -       smtpd -v -o a=b -o {c=d e}",
       "smtp       inet  n       -       n       -       -       smtpd -v\n    -o a=b\n    -o {c=d e}"},
      {"words behind the options", "relay unix - - n - - smtp -o a=b arg1 {arg two}",
       "relay      unix  -       -       n       -       -       smtp -o a=b arg1 {arg two}",
       "relay      unix  -       -       n       -       -       smtp\n    -o a=b\n    arg1 {arg two}"},
      {"wakeup", "qmgr unix n - n 300? 1 qmgr",
       "qmgr       unix  n       -       n       300?    1       qmgr",
       "qmgr       unix  n       -       n       300?    1       qmgr"},
      {"wide fields push", "127.0.0.1:10025 inet n - n - - smtpd",
       "127.0.0.1:10025 inet n   -       n       -       -       smtpd",
       "127.0.0.1:10025 inet n   -       n       -       -       smtpd"},
      {"long type", "postlog unix-dgram n - n - 1 postlogd",
       "postlog    unix-dgram n  -       n       -       1       postlogd",
       "postlog    unix-dgram n  -       n       -       1       postlogd"},
  };
  for (const LayoutCase& c : cases) {
    SCOPED_TRACE(c.name);
    const MasterService service = parsed(c.text);
    EXPECT_EQ(service.columns(false), c.columns);
    EXPECT_EQ(service.columns(true), c.folded);
  }
}

TEST(MasterService, Text) {
  const MasterService service = parsed("relay  unix - - n\t- - smtp -o {a = b c} x {y z}");
  EXPECT_EQ(service.text(), "relay unix - - n - - smtp -o {a=b c} x {y z}");
  EXPECT_EQ(service.command_text(), "smtp -o {a=b c} x {y z}");
  EXPECT_EQ(service.folded_command("relay/unix/command ="),
            "relay/unix/command = smtp\n    -o {a=b c}\n    x {y z}");
}

TEST(MasterService, SetField) {
  struct Case {
    const char* name;
    MasterField field;
    const char* value;
    const char* error;  ///< nullptr: accepted.
    const char* text = "";
  };
  const Case cases[] = {
      {"chroot", MasterField::kChroot, "y", nullptr, "smtp inet n - y - - smtpd -v"},
      {"type", MasterField::kType, "unix", nullptr, "smtp unix n - n - - smtpd -v"},
      {"command replaces the arguments", MasterField::kCommand, "other -o a=b", nullptr,
       "smtp inet n - n - - other -o a=b"},
      {"bad chroot", MasterField::kChroot, "x", R"(invalid chroot field "x" in "x")"},
      {"bad type", MasterField::kType, "tcp", R"(invalid type field "tcp" in "tcp")"},
      {"empty type", MasterField::kType, "", R"(invalid type field "" in "")"},
      {"empty chroot", MasterField::kChroot, "", R"(invalid chroot field "" in "")"},
      {"bad process limit", MasterField::kProcessLimit, "-1", R"(invalid process_limit field "-1" in "-1")"},
      {"empty command", MasterField::kCommand, "", "-Fe requires a command name in the command field"},
      {"blank command", MasterField::kCommand, "  ", "-Fe requires a command name in the command field"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    MasterService service = parsed("smtp inet n - n - - smtpd -v");
    DiagnosticList sink;
    const Result<void> set = service.set_field(c.field, c.value, sink);
    ASSERT_EQ(set.has_value(), c.error == nullptr);
    if (set) {
      EXPECT_EQ(service.text(), c.text);
    } else {
      EXPECT_EQ(set.error().kind, ErrorKind::kSyntax);
      EXPECT_EQ(set.error().message, c.error);
      EXPECT_EQ(service.text(), "smtp inet n - n - - smtpd -v");
    }
  }
}

TEST(MasterService, SetAndRemoveOption) {
  struct Case {
    const char* name;
    const char* before;
    bool remove;
    const char* option;
    const char* value;
    const char* after;
  };
  const Case cases[] = {
      {"add to none", "", false, "a", "1", " -o a=1"},
      {"add behind the last option", "-v -o x=y word", false, "a", "1", " -v -o x=y -o a=1 word"},
      {"replace", "-o a=0 -o b=0", false, "a", "1", " -o a=1 -o b=0"},
      {"replace all", "-o a=0 -o b=0 -o a=2", false, "a", "1", " -o a=1 -o b=0 -o a=1"},
      {"a value with blanks gets braces", "-o a=0", false, "a", "x y", " -o {a=x y}"},
      {"an option behind a word is none", "word -o a=0", false, "a", "1", " -o a=1 word -o a=0"},
      {"remove", "-v -o a=0 -o b=0", true, "a", "", " -v -o b=0"},
      {"remove all", "-o a=0 -o b=0 -o a=2", true, "a", "", " -o b=0"},
      {"remove what is not there", "-o b=0", true, "a", "", " -o b=0"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    MasterService service = parsed(concat("smtp inet n - n - - smtpd ", c.before));
    if (c.remove)
      service.remove_option(c.option);
    else
      service.set_option(c.option, c.value);
    EXPECT_EQ(service.command_text(), concat("smtpd", c.after));
  }
}

TEST(MasterService, OptionsAfterChanges) {
  MasterService service = parsed("smtp inet n - n - - smtpd -o a=0 -o b=0");
  service.set_option("c", "1");
  service.remove_option("a");
  service.set_option("b", "2");
  EXPECT_EQ(options_of(service), (Strings{"b=2", "c=1"}));
  DiagnosticDiscard discard;
  ASSERT_TRUE(service.set_field(MasterField::kCommand, "smtp -o d=3", discard));
  EXPECT_EQ(options_of(service), Strings{"d=3"});
}

TEST(MasterService, WithOptions) {
  const MasterService service = parsed("smtp inet n - n - - smtpd -o a=1 word -o b=2");
  const auto changed =
      service.with_options([](std::string_view name, std::string_view value) -> Result<std::string> {
        return concat(name, value, " x");
      });
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->command_text(), "smtpd -o {a=a1 x} word -o b=2");
  EXPECT_EQ(service.command_text(), "smtpd -o a=1 word -o b=2");
  const auto failed = service.with_options([](std::string_view, std::string_view) -> Result<std::string> {
    return Error{.kind = ErrorKind::kSyntax, .message = "no"};
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "no");
}

TEST(MasterServiceProperty, ColumnsParseBack) {
  std::mt19937 random(6);
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  for (int round = 0; round < 3000; ++round) {
    std::string text = concat(pick({"smtp", "127.0.0.1:10025", "a", "a-very-long-service-name"}), " ",
                              pick({"inet", "unix", "unix-dgram", "pass", "fifo"}), " ",
                              pick({"n", "y", "-"}), " ", pick({"n", "y", "-"}), " ", pick({"n", "y", "-"}));
    text +=
        concat(" ", pick({"-", "60", "300?"}), " ", pick({"-", "0", "100"}), " ", pick({"smtpd", "pipe"}));
    const std::size_t options = random() % 5;
    for (std::size_t i = 0; i < options; ++i)
      text += pick({" -v", " -o a=b", " -o { name = x y  z }", " -o long_parameter_name=with,a,long,value",
                    " -o {b=$a {c d}}", " -o e="});
    if (random() % 2 == 0) {
      text += " word";
      const std::size_t words = random() % 6;
      for (std::size_t i = 0; i < words; ++i)
        text += pick({" argv=/usr/bin/maildrop", " {two words}", " -o", " ${recipient}", " x"});
    }
    SCOPED_TRACE(text);
    const MasterService service = parsed(text);
    for (const std::string& shown : {service.columns(false), service.columns(true), service.text()}) {
      SCOPED_TRACE(shown);
      std::string joined = shown;
      std::erase(joined, '\n');
      DiagnosticList sink;
      const Result<MasterService> again = MasterService::parse(joined, sink);
      ASSERT_TRUE(again) << again.error().message;
      ASSERT_TRUE(sink.items().empty()) << sink.items()[0].message;
      for (std::size_t i = 0; i < kMasterFieldCount; ++i)
        ASSERT_EQ(again->field(static_cast<MasterField>(i)), service.field(static_cast<MasterField>(i)));
      ASSERT_EQ(again->arguments(), service.arguments());
    }
  }
}

TEST(MasterServiceProperty, AnyBytesEndInAServiceOrAnError) {
  std::mt19937 random(7);
  const std::string alphabet = "-oo={}  \tab$\xC3";
  for (int round = 0; round < 4000; ++round) {
    std::string text = "smtp inet n - n - - smtpd ";
    const std::size_t size = random() % 40;
    for (std::size_t i = 0; i < size; ++i) text += alphabet[random() % alphabet.size()];
    SCOPED_TRACE(text);
    DiagnosticDiscard discard;
    Result<MasterService> service = MasterService::parse(text, discard);
    ASSERT_TRUE(service);
    (void)service->columns(true);
    for (const auto& option : service->options()) {
      ASSERT_FALSE(option.name.empty());
      ASSERT_LE(option.offset, text.size());
    }
    // An "-o" without a value takes the next word for one, for Postfix too.
    if (!service->arguments().empty() && service->arguments().back() == "-o") continue;
    service->set_option("name", "value");
    const Strings options = options_of(*service);
    ASSERT_NE(std::find(options.begin(), options.end(), "name=value"), options.end());
    service->remove_option("name");
    for (const std::string& option : options_of(*service)) ASSERT_FALSE(option.starts_with("name="));
  }
}

}  // namespace
}  // namespace libconf
