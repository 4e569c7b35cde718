#include "libconf/master_cf_document.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/random_bytes.h"

namespace libconf {
namespace {

using Kind = MasterCfChange::Kind;
using Strings = std::vector<std::string>;

TEST(MasterCf, Services) {
  DiagnosticList sink;
  const Result<MasterCf> master_cf = MasterCf::read(MasterCfDocument::parse("# head\n"
                                                                            "smtp inet n - n - - smtpd\n"
                                                                            "# inside\n"
                                                                            "  -o a=b\n"
                                                                            "\n"
                                                                            "qmgr unix n - n 300 1 qmgr\n",
                                                                            "master.cf"),
                                                    sink);
  ASSERT_TRUE(master_cf);
  EXPECT_TRUE(sink.items().empty());
  EXPECT_EQ(master_cf->file(), "master.cf");
  ASSERT_EQ(master_cf->services().size(), 2U);
  EXPECT_EQ(master_cf->services()[0].service.key(), "smtp/inet");
  EXPECT_EQ(master_cf->services()[0].service.arguments(), (Strings{"-o", "a=b"}));
  EXPECT_EQ(master_cf->services()[0].line, 2);
  EXPECT_EQ(master_cf->services()[1].service.key(), "qmgr/unix");
  EXPECT_EQ(master_cf->services()[1].line, 6);
  // Options have a place, too.
  const PlacedService& smtp = master_cf->services()[0];
  ASSERT_EQ(smtp.service.options().size(), 1U);
  EXPECT_EQ(master_cf->position(smtp, smtp.service.options()[0].offset), (Position{4, 6}));
  EXPECT_EQ(master_cf->position(smtp, smtp.service.offset(MasterField::kType)), (Position{2, 6}));
}

TEST(MasterCf, Reading) {
  struct Case {
    const char* name;
    const char* text;
    const char* error;  ///< nullptr: accepted.
    int line = 0;
    Strings warnings = {};
  };
  const Case cases[] = {
      {"empty", "", nullptr},
      {"CRLF", "smtp inet n - n - - smtpd\r\n", nullptr},
      {"duplicates", "a unix - - n - - b\na unix - - n - - b\n", nullptr},
      {"too few fields", "lmtp unix - - n - - lmtp\nsmtp inet n - n -\n",
       "file master.cf: line 2: bad field count", 2},
      {"bad field", "\n\nsmtp tcp n - n - - smtpd\n",
       R"(invalid type field "tcp" in "smtp tcp n - n - - smtpd")", 3},
      {"bad field over two lines", "smtp tcp n - n\n  - - smtpd\n",
       R"(invalid type field "tcp" in "smtp tcp n - n  - - smtpd")", 1},
      {"indented first line",
       "  -o a=b\nsmtp inet n - n - - smtpd\n",
       nullptr,
       0,
       {R"(master.cf: logical line must not start with whitespace: "  -o a=b")"}},
      {"odd braces",
       "smtp inet n - n - - smtpd -o { a = b\n",
       nullptr,
       0,
       {R"(master.cf: missing '}' in "{ a = b")"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.text);
    DiagnosticList sink;
    const Result<MasterCf> master_cf = MasterCf::read(MasterCfDocument::parse(c.text, "master.cf"), sink);
    ASSERT_EQ(master_cf.has_value(), c.error == nullptr);
    EXPECT_EQ(messages(sink), c.warnings);
    if (master_cf) continue;
    EXPECT_EQ(master_cf.error().kind, ErrorKind::kSyntax);
    EXPECT_EQ(master_cf.error().message, c.error);
    EXPECT_EQ(master_cf.error().file, "master.cf");
    EXPECT_EQ(master_cf.error().line, c.line);
  }
}

TEST(MasterCf, LoadOfAMissingFile) {
  const std::string file = testing::TempDir() + "postkit-no-such-directory/master.cf";
  DiagnosticList sink;
  const Result<MasterCf> master_cf = MasterCf::load(file, sink);
  ASSERT_FALSE(master_cf);
  EXPECT_EQ(master_cf.error().kind, ErrorKind::kInputOutput);
  EXPECT_EQ(master_cf.error().message, "open " + file + ": No such file or directory");
}

TEST(MasterCfDocument, ReadWithNewlines) {
  const MasterCfDocument document =
      MasterCfDocument::parse("a unix - n n - - pipe x { b\n  c }\n", "master.cf");
  DiagnosticList sink;
  ASSERT_EQ(document.lines().logical().size(), 1U);
  const LogicalLine& line = document.lines().logical()[0];
  const auto dropped = document.read(line, MasterCfDocument::Newlines::kDrop, sink);
  const auto kept = document.read(line, MasterCfDocument::Newlines::kKeep, sink);
  ASSERT_TRUE(dropped && kept);
  EXPECT_EQ(dropped->arguments(), (Strings{"x", "b  c"}));
  EXPECT_EQ(kept->arguments(), (Strings{"x", "b\n  c"}));
}

constexpr char kExample[] =
    "# head\n"
    "smtp      inet  n       -       n       -       -       smtpd\n"
    "# inside\n"
    "  -o a=b\n"
    "  -o { c = d e }\n"
    "smtp inet n - n - - smtpd -v -o x=y\n"
    "cleanup   unix  n       -       n       -       0       cleanup\n"
    "relay     unix  -       -       n       -       -       smtp\n"
    "        -o syslog_name=postfix/$service_name arg1 {arg two}\n";

MasterCfChange entry_change(std::string service, std::string type, std::string_view entry) {
  DiagnosticDiscard discard;
  Result<MasterService> parsed = MasterService::parse(entry, discard);
  EXPECT_TRUE(parsed) << entry;
  MasterCfChange change{.kind = Kind::kSetEntry, .service = std::move(service), .type = std::move(type)};
  if (parsed) change.entry = *parsed;
  return change;
}

MasterCfChange whole_change(Kind kind, std::string service, std::string type) {
  return {.kind = kind, .service = std::move(service), .type = std::move(type)};
}

MasterCfChange field_change(std::string service, std::string type, MasterField field, std::string value) {
  MasterCfChange change{.kind = Kind::kSetField, .service = std::move(service), .type = std::move(type)};
  change.field = field;
  change.value = std::move(value);
  change.request = concat(change.service, "/", change.type, "/", master_field_name(field), "=", change.value);
  return change;
}

MasterCfChange parameter_change(Kind kind, std::string service, std::string type, std::string name,
                                std::string value = "") {
  MasterCfChange change{.kind = kind, .service = std::move(service), .type = std::move(type)};
  change.name = std::move(name);
  change.value = std::move(value);
  change.request = concat(change.service, "/", change.type, "/", change.name);
  return change;
}

struct ApplyCase {
  const char* name;
  std::vector<MasterCfChange> changes;
  std::string before;
  std::string after;
  Strings messages = {};
};

// The files as the stock postconf edits them.
TEST(ApplyToMasterCf, EachKindOfChange) {
  const std::string smtp_tail =
      "cleanup   unix  n       -       n       -       0       cleanup\n"
      "relay     unix  -       -       n       -       -       smtp\n"
      "        -o syslog_name=postfix/$service_name arg1 {arg two}\n";
  const ApplyCase cases[] = {
      {"nothing", {}, kExample, kExample},
      {"nothing, no final newline", {}, "a unix - n n - - b", "a unix - n n - - b"},
      {"replace an entry, and drop its duplicates",
       {entry_change("smtp", "inet", "smtp inet n - y - - smtpd -o a=b -o {c = d e} f {g h}")},
       kExample,
       "# head\n"
       "smtp       inet  n       -       y       -       -       smtpd\n"
       "    -o a=b\n"
       "    -o {c=d e}\n"
       "    f {g h}\n"
       "# inside\n" +
           smtp_tail},
      {"append an entry",
       {entry_change("new", "unix", "new unix - - y - - pipe")},
       "a unix - n n - - b\n",
       "a unix - n n - - b\nnew        unix  -       -       y       -       -       pipe\n"},
      {"append behind a line without newline",
       {entry_change("a", "unix", "a unix - n n - - a")},
       "b unix - n n - - b",
       "b unix - n n - - b\na          unix  -       n       n       -       -       a\n"},
      {"append to an empty file",
       {entry_change("a", "unix", "a unix - n n - - a")},
       "",
       "a          unix  -       n       n       -       -       a\n"},
      {"append in the order given",
       {entry_change("z", "unix", "z unix - n n - - z"), entry_change("a", "unix", "a unix - n n - - a")},
       "",
       "z          unix  -       n       n       -       -       z\n"
       "a          unix  -       n       n       -       -       a\n"},
      {"remove entries",
       {whole_change(Kind::kRemoveEntry, "smtp", "inet")},
       kExample,
       "# head\n# inside\n" + smtp_tail},
      {"remove by wildcard",
       {whole_change(Kind::kRemoveEntry, "*", "unix")},
       "a unix - n n - - a\nb inet n - n - - b\nc unix - n n - - c\n  -o x=y\n",
       "b inet n - n - - b\n"},
      {"remove what is not there", {whole_change(Kind::kRemoveEntry, "nosuch", "unix")}, kExample, kExample},
      {"comment out",
       {whole_change(Kind::kCommentOutEntry, "smtp", "inet")},
       kExample,
       "# head\n"
       "#smtp      inet  n       -       n       -       -       smtpd\n"
       "# inside\n"
       "#  -o a=b\n"
       "#  -o { c = d e }\n"
       "#smtp inet n - n - - smtpd -v -o x=y\n" +
           smtp_tail},
      {"a field, in all entries of that name",
       {field_change("smtp", "inet", MasterField::kChroot, "y")},
       kExample,
       "# head\n"
       "# inside\n"
       "smtp       inet  n       -       y       -       -       smtpd\n"
       "    -o a=b\n"
       "    -o {c=d e}\n"
       "smtp       inet  n       -       y       -       -       smtpd -v\n"
       "    -o x=y\n" +
           smtp_tail},
      {"a field by wildcard",
       {field_change("*", "unix", MasterField::kChroot, "y")},
       "a unix - - n - - a\nb inet n - n - - b\n",
       "a          unix  -       -       y       -       -       a\nb inet n - n - - b\n"},
      {"an empty wakeup field",
       {field_change("a", "unix", MasterField::kWakeup, "")},
       "a unix n - y 60 1 pickup\n",
       "a          unix  n       -       y               1       pickup\n"},
      {"a comment behind a rewritten entry moves above it",
       {field_change("a", "unix", MasterField::kChroot, "y")},
       "a unix n - n 60 1 pickup\n\n# note\nb unix n - n - - b\n",
       "\n# note\na          unix  n       -       y       60      1       pickup\nb unix n - n - - b\n"},
      {"the command",
       {field_change("a", "unix", MasterField::kCommand, "other -o x=y z")},
       "a unix n - n 60 1 pickup -v\n",
       "a          unix  n       -       n       60      1       other\n    -o x=y\n    z\n"},
      {"a parameter, replaced",
       {parameter_change(Kind::kSetParameter, "relay", "unix", "syslog_name", "x")},
       "relay unix - - n - - smtp -o syslog_name=a word\n",
       "relay      unix  -       -       n       -       -       smtp\n    -o syslog_name=x\n    word\n"},
      {"a parameter, added",
       {parameter_change(Kind::kSetParameter, "a", "inet", "new", "1")},
       "a inet n - n - - smtpd -v -o x=y\n",
       "a          inet  n       -       n       -       -       smtpd -v\n    -o x=y\n    -o new=1\n"},
      {"a parameter, removed",
       {parameter_change(Kind::kRemoveParameter, "a", "inet", "x")},
       "a inet n - n - - smtpd -v -o x=y -o z=1\n",
       "a          inet  n       -       n       -       -       smtpd -v\n    -o z=1\n"},
      {"a parameter that is not there: the entry is laid out anew",
       {parameter_change(Kind::kRemoveParameter, "a", "inet", "x")},
       "a inet n - n - - smtpd\n",
       "a          inet  n       -       n       -       -       smtpd\n"},
      {"several changes to one entry",
       {field_change("a", "inet", MasterField::kChroot, "y"),
        parameter_change(Kind::kSetParameter, "a", "inet", "x", "1"),
        parameter_change(Kind::kSetParameter, "a", "inet", "x", "2")},
       "a inet n - n - - smtpd\n",
       "a          inet  n       -       y       -       -       smtpd\n    -o x=2\n"},
      {"an unmatched field",
       {field_change("nosuch", "unix", MasterField::kChroot, "n")},
       kExample,
       kExample,
       {R"(unmatched service_name/type: "nosuch/unix/chroot=n")"}},
      {"an unmatched parameter",
       {parameter_change(Kind::kRemoveParameter, "nosuch", "unix", "x")},
       kExample,
       kExample,
       {R"(unmatched service_name/type: "nosuch/unix/x")"}},
      {"a malformed entry that nothing matches stays",
       {whole_change(Kind::kRemoveEntry, "pickup", "unix")},
       "pickup unix n - y 60 1 pickup\nstub unix n\n",
       "stub unix n\n"},
      {"an indented first line stays",
       {whole_change(Kind::kRemoveEntry, "pickup", "unix")},
       "  -o a=b\npickup unix n - y 60 1 pickup\n",
       "  -o a=b\n"},
      {"CRLF of other entries stays",
       {whole_change(Kind::kRemoveEntry, "a", "unix")},
       "a unix n - y - - a\r\nb unix n - y - - b\r\n",
       "b unix n - y - - b\r\n"},
  };
  for (const ApplyCase& c : cases) {
    SCOPED_TRACE(c.name);
    DiagnosticList sink;
    const Result<std::string> text = apply(c.changes, MasterCfDocument::parse(c.before, "master.cf"), sink);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(*text, c.after);
    EXPECT_EQ(messages(sink), c.messages);
  }
}

// A change to an entry that another change removes leaves nothing behind for the next entry.
TEST(ApplyToMasterCf, ChangesToARemovedEntryTouchNoOther) {
  DiagnosticList sink;
  const Result<std::string> text = apply(
      {field_change("a", "unix", MasterField::kChroot, "y"), whole_change(Kind::kRemoveEntry, "a", "unix")},
      MasterCfDocument::parse("a unix - n n - - a\n"
                              "b unix - n n - - b\n"
                              "c unix - n n - - c\n",
                              "master.cf"),
      sink);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text,
            "b unix - n n - - b\n"
            "c unix - n n - - c\n");
}

// Changes are applied in order, whatever their kinds.
TEST(ApplyToMasterCf, AFieldChangeBehindAReplacedEntryHolds) {
  DiagnosticList sink;
  const Result<std::string> text =
      apply({entry_change("a", "unix", "a unix - n n - - new"),
             field_change("a", "unix", MasterField::kChroot, "y")},
            MasterCfDocument::parse("a unix - n n - - old\n", "master.cf"), sink);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "a          unix  -       n       y       -       -       new\n");
}

TEST(ApplyToMasterCf, Errors) {
  struct Case {
    const char* name;
    MasterCfChange change;
    const char* text;
    const char* message;
  };
  const MasterCfChange remove = whole_change(Kind::kRemoveEntry, "pickup", "unix");
  const Case cases[] = {
      {"equals sign in a service name", remove, "pickup unix n - y 60 1 pickup\na=b unix - n n - - local\n",
       "file master.cf: line 2: service name syntax \"a=b\" is unsupported with -Me, -Fe, -Pe, -X, or -#"},
      {"equals sign in a type", remove, "pickup unix n - y 60 1 pickup\nb =unix - n n - - local\n",
       "file master.cf: line 2: service type syntax \"=unix\" is unsupported with -Me, -Fe, -Pe, -X, or -#"},
      {"only a name on the line", remove, "pickup unix n - y 60 1 pickup\noddment\n",
       "file master.cf: line 2: specify service name and type on the same line"},
      {"a malformed entry is to be rewritten", field_change("a", "unix", MasterField::kChroot, "y"),
       "a unix n\n", "file master.cf: line 1: bad field count"},
      {"a bad field value", field_change("a", "unix", MasterField::kChroot, "q"), "a unix n - n - - a\n",
       "invalid chroot field \"q\" in \"q\""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    DiagnosticList sink;
    const Result<std::string> text = apply({c.change}, MasterCfDocument::parse(c.text, "master.cf"), sink);
    ASSERT_FALSE(text) << *text;
    EXPECT_EQ(text.error().kind, ErrorKind::kSyntax);
    EXPECT_EQ(text.error().message, c.message);
  }
}

std::string random_text(std::mt19937& random) {
  static const std::string kPieces[] = {
      "a unix - n n - - a\n",
      "b unix - n n - - b\n",
      "a inet n - n - - a -o x=y\n",
      "# note\n",
      "\n",
      "  -o c=d\n",
      "\t{ e = f g }\n",
      "  # in\n",
      "a\n",
      "\r\n",
      "a unix n\n",
      " ",
      "x",
      "{ q",
      "}\n",
  };
  std::string text;
  const std::size_t count = random() % 12;
  for (std::size_t i = 0; i < count; ++i) text += kPieces[random() % std::size(kPieces)];
  return text;
}

TEST(MasterCfDocumentProperty, TextIsIdentityAndNoChangeChangesNothing) {
  std::mt19937 random(8);
  for (int round = 0; round < 4000; ++round) {
    const std::string text = round % 2 == 0 ? random_bytes(random, 64) : random_text(random);
    SCOPED_TRACE(testing::PrintToString(text));
    const MasterCfDocument document = MasterCfDocument::parse(text, "master.cf");
    ASSERT_EQ(document.text(), text);
    DiagnosticDiscard discard;
    const Result<std::string> same = apply({}, document, discard);
    if (same) {
      ASSERT_EQ(*same, text);
    }
  }
}

TEST(MasterCfDocumentProperty, EntriesThatNothingMatchesKeepTheirBytes) {
  std::mt19937 random(9);
  int applied = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::string text = random_text(random);
    SCOPED_TRACE(testing::PrintToString(text));
    const std::vector<MasterCfChange> changes[] = {
        {whole_change(Kind::kRemoveEntry, "a", "unix")},
        {field_change("a", "unix", MasterField::kChroot, "y")},
        {parameter_change(Kind::kSetParameter, "a", "unix", "x", "1")},
        {entry_change("a", "unix", "a unix y y y - - new")}};
    DiagnosticDiscard discard;
    const MasterCfDocument document = MasterCfDocument::parse(text, "master.cf");
    const Result<std::string> changed = apply(changes[round % 4], document, discard);
    if (!changed) continue;
    ++applied;
    // The logical lines of other entries, comments and blanks, in order.
    const auto others = [](const std::string& from) {
      const Lines lines(from);
      std::vector<bool> skip(lines.physical().size());
      for (const LogicalLine& line : lines.logical()) {
        std::string_view rest = line.text;
        const bool is_a = next_word(rest, kBlanks) == "a" && next_word(rest, kBlanks) == "unix";
        if (line.is_orphan || !is_a) continue;
        for (std::size_t i = line.first; i <= line.last; ++i) {
          const LineKind kind = lines.physical()[i].kind;
          skip[i] = kind == LineKind::kStart || kind == LineKind::kContinuation;
        }
      }
      Strings out;
      for (std::size_t i = 0; i < lines.physical().size(); ++i)
        if (!skip[i]) out.emplace_back(lines.content(i));
      return out;
    };
    ASSERT_EQ(others(*changed), others(text)) << *changed;
  }
  EXPECT_GT(applied, 500);
}

}  // namespace
}  // namespace libconf
