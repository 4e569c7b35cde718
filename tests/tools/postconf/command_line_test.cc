#include "tools/postconf/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postconf {
namespace {

using Strings = std::vector<std::string>;

std::string shown(const Strings& arguments) {
  std::string out = "postconf";
  for (const std::string& argument : arguments) out += " '" + argument + "'";
  return out;
}

/// The letters that were given, each as often as it was.
std::string letters_of(const Options& options) {
  std::string out;
  for (std::size_t i = 0; i < options.letters.size(); ++i)
    out.append(static_cast<std::size_t>(options.letters[i]), static_cast<char>(i));
  return out;
}

struct LetterCase {
  const char* name;
  Strings arguments;
  const char* letters;  ///< Sorted.
  Strings rest = {};
};

TEST(CommandLine, Letters) {
  const LetterCase cases[] = {
      {"nothing", {}, ""},
      {"a name", {"relayhost"}, "", {"relayhost"}},
      {"one", {"-n"}, "n"},
      {"a cluster", {"-nfx"}, "fnx"},
      {"apart", {"-n", "-f", "-x"}, "fnx"},
      {"twice", {"-PP"}, "PP"},
      {"twice, apart", {"-P", "-P"}, "PP"},
      {"hash", {"-#", "a"}, "#", {"a"}},
      {"hash in a cluster", {"-M#", "a/inet"}, "#M", {"a/inet"}},
      {"long name of a letter", {"--non-default", "--fold"}, "fn"},
      {"long name of the hash", {"--comment-out", "a"}, "#", {"a"}},
      {"options end at the first argument", {"-n", "a", "-f"}, "n", {"a", "-f"}},
      {"options end at --", {"-n", "--", "-f"}, "n", {"-f"}},
      {"a lone dash is an argument", {"-n", "-", "-f"}, "n", {"-", "-f"}},
      {"long options behind an argument", {"a", "--fold", "b"}, "f", {"a", "b"}},
      {"none behind --", {"a", "--", "--fold"}, "", {"a", "--fold"}},
      {"name=value implies -e", {"a=1"}, "e", {"a=1"}},
      {"only the first argument does", {"a", "b=1"}, "", {"a", "b=1"}},
      {"-e stays one", {"-e", "a=1"}, "e", {"a=1"}},
      {"name=value behind --", {"--", "-a=1"}, "e", {"-a=1"}},
      {"not with -m", {"-m", "a=1"}, "m", {"a=1"}},
      {"verbose", {"-vv", "-n"}, "nvv"},
      {"empty argument", {""}, "", {""}},
  };
  for (const LetterCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + shown(c.arguments));
    const auto options = parse_command_line(c.arguments);
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(letters_of(*options), c.letters);
    EXPECT_EQ(options->arguments, c.rest);
  }
}

struct ValueCase {
  const char* name;
  Strings arguments;
  const char* directory = "(none)";
  const char* classes = "";
  const char* tls = "";
  Strings overrides = {};
  Strings rest = {};
};

TEST(CommandLine, Values) {
  const ValueCase cases[] = {
      {"next argument", {"-c", "/dir"}, "/dir"},
      {"glued", {"-c/dir"}, "/dir"},
      {"glued, with an option's look", {"-c-n"}, "-n"},
      {"at the end of a cluster", {"-nc", "/dir", "a"}, "/dir", "", "", {}, {"a"}},
      {"glued to a cluster", {"-nc/dir"}, "/dir"},
      {"next argument looks like an option", {"-c", "-n"}, "-n"},
      {"next argument is --", {"-c", "--", "a"}, "--", "", "", {}, {"a"}},
      {"the last one counts", {"-c", "a", "-c", "b"}, "b"},
      {"empty", {"-c", ""}, ""},
      {"long, next argument", {"--config-directory", "/dir"}, "/dir"},
      {"long, equals sign", {"--config-directory=/dir"}, "/dir"},
      {"long, more equals signs", {"--config-directory=/a=b"}, "/a=b"},
      {"long, empty", {"--config-directory="}, ""},
      {"classes, the last one counts", {"-C", "builtin", "-Cuser,service"}, "(none)", "user,service"},
      {"TLS", {"-Tcompile-version"}, "(none)", "", "compile-version"},
      {"overrides, in order",
       {"-o", "b=1", "-oa=2", "--override=c=3"},
       "(none)",
       "",
       "",
       {"b=1", "a=2", "c=3"}},
      {"override with blanks and brackets", {"-o", " a = [b] {c, d}"}, "(none)", "", "", {" a = [b] {c, d}"}},
  };
  for (const ValueCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + shown(c.arguments));
    const auto options = parse_command_line(c.arguments);
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->config_directory.value_or("(none)"), c.directory);
    EXPECT_EQ(options->classes, c.classes);
    EXPECT_EQ(options->tls_mode, c.tls);
    EXPECT_EQ(options->overrides, c.overrides);
    EXPECT_EQ(options->arguments, c.rest);
  }
}

TEST(CommandLine, LongOptionsAnywhere) {
  for (const Strings& arguments : {Strings{"--dry-run", "--changed", "--strict", "-e", "a=1"},
                                   Strings{"-e", "a=1", "--dry-run", "--changed", "--strict"},
                                   Strings{"a=1", "--strict", "--dry-run", "--changed"},
                                   Strings{"--strict", "a=1", "--changed", "--dry-run"}}) {
    SCOPED_TRACE(shown(arguments));
    const auto options = parse_command_line(arguments);
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_TRUE(options->dry_run && options->changed && options->strict);
    EXPECT_TRUE(options->has('e'));
    EXPECT_EQ(options->arguments, Strings{"a=1"});
  }
  const auto explain = parse_command_line(Strings{"--explain", "a", "-c", "/d"});
  ASSERT_TRUE(explain);
  EXPECT_EQ(explain->explain, "a");
  EXPECT_EQ(explain->config_directory, "/d");
  EXPECT_EQ(parse_command_line(Strings{"--diff=/x"})->diff, "/x");
  EXPECT_EQ(parse_command_line(Strings{"--service", "smtp/inet", "a"})->service, "smtp/inet");
  EXPECT_TRUE(parse_command_line(Strings{"a", "--origin"})->origin);
  EXPECT_TRUE(parse_command_line(Strings{"--check"})->check);
  EXPECT_TRUE(parse_command_line(Strings{"--version"})->version);
}

TEST(CommandLine, Help) {
  const auto options = parse_command_line(Strings{"--help"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->help);
  for (const char* word : {"--dry-run", "--comment-out", "-#", "--explain", "NAME=VALUE", "Examples"})
    EXPECT_NE(options->help_text.find(word), std::string::npos) << word;
  EXPECT_TRUE(parse_command_line(Strings{})->help_text.empty());
}

struct MistakeCase {
  const char* name;
  Strings arguments;
  const char* message;  ///< How the error's text begins.
};

TEST(CommandLine, Mistakes) {
  const MistakeCase cases[] = {
      {"unknown letter", {"-z"}, "invalid option -- 'z'\nusage: postconf "},
      {"unknown letter in a cluster", {"-nz"}, "invalid option -- 'z'\nusage: postconf "},
      {"value is missing", {"-c"}, "option requires an argument -- 'c'\nusage: postconf "},
      {"value is missing in a cluster", {"-nc"}, "option requires an argument -- 'c'\nusage: postconf "},
      {"unknown long option", {"--nosuch"}, "unknown option --nosuch"},
      {"unknown long option behind an argument", {"a", "--nosuch"}, "unknown option --nosuch"},
      {"abbreviated long option", {"--exp", "a"}, "unknown option --exp"},
      {"long option without its value", {"--explain"}, "option --explain requires NAME"},
      {"flag with a value", {"--check=yes"}, "option --check takes no value"},
  };
  for (const MistakeCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + shown(c.arguments));
    const auto options = parse_command_line(c.arguments);
    ASSERT_FALSE(options);
    EXPECT_TRUE(options.error().message.starts_with(c.message)) << options.error().message;
  }
}

struct ConflictCase {
  Strings arguments;
  const char* message;  ///< nullptr: accepted.
};

// The pairs that Postfix's postconf refuses, in its 3.12 wording.
TEST(CommandLine, Conflicts) {
  const ConflictCase cases[] = {
      {{"-bt"}, "specify one of -b and -t"},
      {{"-MF"}, "specify one of -F, -M"},
      {{"-Mp"}, "specify one of -M, -p"},
      {{"-al"}, "specify one of -a, -l"},
      {{"-dn"}, "specify one of -d, -n"},
      {{"-ed", "a=1"}, "specify one of -d, -e"},
      {{"-eX", "a=1"}, "specify one of -e, -X"},
      {{"-X", "a=1"}, "specify one of -e, -X"},
      {{"-X#", "a"}, "specify one of -X, -#"},
      {{"-hH"}, "specify one of -h, -H"},
      {{"-d", "-o", "a=1"}, "specify one of -d, -o"},
      {{"-e", "-o", "a=1", "b=1"}, "specify one of -e, -o"},
      {{"-ef", "a=1"}, "specify one of -e, -f"},
      {{"-eh", "a=1"}, "specify one of -e, -h"},
      {{"-ex", "a=1"}, "specify one of -e, -x"},
      {{"-xX", "a"}, "specify one of -x, -X"},
      {{"-fX", "a"}, "specify one of -f, -X"},
      {{"-Md"}, "with option -M, do not specify -d"},
      {{"-Mn"}, "with option -M, do not specify -n"},
      {{"-Mh"}, "with option -M, do not specify -h"},
      {{"-FX", "a/inet/chroot"}, "with option -F, do not specify -X"},
      {{"-P#", "a/inet/b"}, "with option -P, do not specify -#"},
      {{"-je", "a=1"}, "with option -j, do not specify -e"},
      {{"-jf"}, "with option -j, do not specify -f"},
      {{"-jh"}, "with option -j, do not specify -h"},
      {{"-ax"}, "with option -a, do not specify -x"},
      {{"-mn"}, "with option -m, do not specify -n"},
      {{"-nf"}, nullptr},
      {{"-nh"}, nullptr},
      {{"-Mfx"}, nullptr},
      {{"-Fh"}, nullptr},
      {{"-Ph"}, nullptr},
      {{"-PX", "a/inet/b"}, nullptr},
      {{"-M#", "a/inet"}, nullptr},
      {{"-nj"}, nullptr},
      {{"-n", "-o", "a=1"}, nullptr},
      {{"-ep", "a=1"}, nullptr},
      {{"-dx"}, nullptr},
      {{"-eq", "a=1"}, nullptr},
  };
  for (const ConflictCase& c : cases) {
    SCOPED_TRACE(shown(c.arguments));
    const auto options = parse_command_line(c.arguments);
    ASSERT_EQ(options.has_value(), c.message == nullptr) << (options ? "" : options.error().message);
    if (!options) {
      EXPECT_EQ(options.error().message, c.message);
    }
  }
}

TEST(CommandLine, ConflictsOfLongOptions) {
  const ConflictCase cases[] = {
      {{"--dry-run"}, "--dry-run goes with an edit: name=value, -X or -#"},
      {{"--strict", "relayhost"}, "--strict goes with an edit: name=value, -X or -#"},
      {{"--changed", "-n"}, "--changed goes with an edit: name=value, -X or -#"},
      {{"--check", "--diff", "/x"}, "specify one of --diff, --check"},
      {{"--explain", "a", "--service", "b/inet"}, "specify one of --explain, --service"},
      {{"--check", "-e", "a=1"}, "--check does not go with an edit"},
      {{"--explain", "a", "-X", "b"}, "--explain does not go with an edit"},
      {{"--origin", "-M"}, "with option --origin, do not specify -M"},
      {{"--check", "-l"}, "with option --check, do not specify -l"},
      {{"--dry-run", "-X", "a"}, nullptr},
      {{"--strict", "-P", "a/inet/b=1"}, nullptr},
      {{"--changed", "-#", "a"}, nullptr},
      {{"--origin", "-n"}, nullptr},
      {{"--service", "a/inet", "--origin"}, nullptr},
      {{"--check", "-j"}, nullptr},
      {{"--diff", "/x", "-j"}, nullptr},
  };
  for (const ConflictCase& c : cases) {
    SCOPED_TRACE(shown(c.arguments));
    const auto options = parse_command_line(c.arguments);
    ASSERT_EQ(options.has_value(), c.message == nullptr) << (options ? "" : options.error().message);
    if (!options) {
      EXPECT_EQ(options.error().message, c.message);
    }
  }
}

}  // namespace
}  // namespace postconf
