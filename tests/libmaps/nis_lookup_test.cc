#include "libmaps/nis_lookup.h"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <mutex>

#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using namespace std::literals;
using postkit_test::outcome;
using postkit_test::TableFixture;
using Strings = std::vector<std::string>;

/// A map in memory, which notes what it is asked for.
struct FakeMap {
  std::map<std::string, std::string> entries;
  Strings asked = {};

  NisClient client() {
    return {.domain = "example",
            .match = [this](const std::string& domain, const std::string& map,
                            const std::string& key) -> Result<std::optional<std::string>> {
              EXPECT_EQ(domain + " " + map, "example mail.aliases");
              asked.push_back(key);
              const auto found = entries.find(key);
              return found == entries.end() ? std::nullopt : std::optional(found->second);
            }};
  }
};

const std::string kNul(1, '\0');

TEST(NisLookup, AsksWithANulAndWithoutUntilItKnows) {
  struct Case {
    const char* what;
    NullTermination form;
    Strings keys;
    Strings outcomes;
    Strings asked;
  };
  const std::map<std::string, std::string> entries = {
      {"nul" + kNul, "1" + kNul}, {"plain", "2"}, {"both" + kNul, "3"}, {"both", "4"}};
  const Case cases[] = {
      {"not known yet",
       NullTermination::kEither,
       {"no", "no"},
       {"(none)", "(none)"},
       {"no" + kNul, "no", "no" + kNul, "no"}},
      {"with a NUL",
       NullTermination::kEither,
       {"nul", "plain", "both"},
       {"1", "(none)", "3"},
       {"nul" + kNul, "plain" + kNul, "both" + kNul}},
      {"without",
       NullTermination::kEither,
       {"plain", "nul", "both"},
       {"2", "(none)", "4"},
       {"plain" + kNul, "plain", "nul", "both"}},
      {"both", NullTermination::kEither, {"both"}, {"3"}, {"both" + kNul}},
      {"postmap -N",
       NullTermination::kAlways,
       {"plain", "both"},
       {"(none)", "3"},
       {"plain" + kNul, "both" + kNul}},
      {"postmap -n", NullTermination::kNever, {"nul", "both"}, {"(none)", "4"}, {"nul", "both"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    FakeMap map{entries};
    TableFixture fixture;
    fixture.context.options.null_termination = c.form;
    const auto table = open_nis_map("mail.aliases", map.client(), fixture.context);
    EXPECT_EQ(table->name(), "nis:mail.aliases");
    Strings outcomes;
    for (const std::string& key : c.keys) outcomes.push_back(outcome(table->lookup(key)));
    EXPECT_EQ(outcomes, c.outcomes);
    EXPECT_EQ(map.asked, c.asked);
    EXPECT_EQ(fixture.warned(), Strings{});
  }
}

TEST(NisLookup, ValuesEndAtANul) {
  FakeMap map{{{"a", "x" + kNul + "y"}, {"b", ""}, {"c", kNul}}};
  TableFixture fixture;
  const auto table = open_nis_map("mail.aliases", map.client(), fixture.context);
  EXPECT_EQ(outcome(table->lookup("a")), "x");
  EXPECT_EQ(outcome(table->lookup("b")), "");
  EXPECT_EQ(outcome(table->lookup("c")), "");
}

TEST(NisLookup, HasNoEntriesWithoutADomain) {
  FakeMap map{{{"a", "x"}}};
  NisClient client = map.client();
  client.domain.clear();
  TableFixture fixture;
  const auto table = open_nis_map("mail.aliases", client, fixture.context);
  EXPECT_EQ(outcome(table->lookup("a")), "(none)");
  EXPECT_EQ(outcome(table->lookup("a")), "(none)");
  EXPECT_EQ(map.asked, Strings{});
  EXPECT_EQ(fixture.warned(), Strings{"dict_nis_init: NIS domain name not set - NIS lookups disabled"});
}

TEST(NisLookup, TellsAFailureFromNotFound) {
  for (const int failing_attempt : {1, 2}) {
    int attempts = 0;
    NisClient client{.domain = "d",
                     .match = [&](const std::string&, const std::string&,
                                  const std::string&) -> Result<std::optional<std::string>> {
                       if (++attempts == failing_attempt)
                         return Error{.kind = ErrorKind::kTemporary,
                                      .message = "can't communicate with ypbind"};
                       return std::optional<std::string>();
                     }};
    TableFixture fixture;
    const auto table = open_nis_map("m", client, fixture.context);
    const auto value = table->lookup("joe");
    ASSERT_FALSE(value) << failing_attempt;
    EXPECT_EQ(value.error().kind, ErrorKind::kTemporary);
    EXPECT_EQ(value.error().message, "Application error");
    EXPECT_EQ(fixture.warned(), Strings{"lookup joe, NIS domain d, map m: can't communicate with ypbind"});
    EXPECT_EQ(outcome(table->lookup("joe")), "(none)") << "the next lookup asks anew";
  }
}

TEST(NisLookup, GivesUpOnASilentServer) {
  std::promise<void> end;
  NisClient client{
      .domain = "d",
      .match = [ended = end.get_future().share()](const std::string&, const std::string&,
                                                  const std::string&) -> Result<std::optional<std::string>> {
        ended.wait();
        return std::optional<std::string>("late");
      },
      .limit = 0s};
  TableFixture fixture;
  {
    const auto table = open_nis_map("m", client, fixture.context);
    EXPECT_EQ(outcome(table->lookup("joe")), "error: Application error");
    EXPECT_EQ(outcome(table->lookup("ann")), "error: Application error");
  }
  EXPECT_EQ(fixture.warned(), (Strings{"lookup joe, NIS domain d, map m: no answer within 0 seconds",
                                       "lookup ann, NIS domain d, map m: no answer within 0 seconds"}));
  end.set_value();
}

}  // namespace
}  // namespace libmaps
