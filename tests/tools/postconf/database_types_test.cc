#include "tools/postconf/database_types.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postconf {
namespace {

using Tables = std::vector<std::string>;

Tables tables_of(std::string_view text, AheadOfTable ahead) {
  Tables tables;
  for (const DatabaseUse& use : database_uses(text, ahead)) {
    EXPECT_EQ(text.substr(use.offset, use.type.size()), use.type);
    EXPECT_EQ(text.substr(use.offset, use.table.size()), use.table);
    tables.emplace_back(use.table);
  }
  return tables;
}

TEST(DatabaseUses, AreFoundWhereTablesStand) {
  const struct {
    const char* name;
    const char* text;
    Tables tables;
  } kCases[] = {
      {"alone", "hash:/a", {"hash:/a"}},
      {"in a list", "hash:/a, btree:/b\n  cdb:/c\thash:d", {"hash:/a", "btree:/b", "hash:d"}},
      {"commas without blanks", "check_x,hash:/a,btree:/b", {"hash:/a", "btree:/b"}},
      {"behind proxy:", "proxy:hash:/a proxy:proxy:btree:/b", {"hash:/a", "btree:/b"}},
      {"in braces",
       "pipemap:{hash:/a,unionmap:{btree:/b, proxy:hash:/c}}",
       {"hash:/a", "btree:/b", "hash:/c"}},
      {"with options", "check_x { hash:/a, search_order = b }", {"hash:/a"}},
      {"with a $name",
       "hash:$dir/a hash:${dir}/b btree:$(dir)/c",
       {"hash:$dir/a", "hash:${dir}/b", "btree:$(dir)/c"}},
      {"in both branches", "${a?{hash:/b}:{btree:/c}}", {"hash:/b", "btree:/c"}},
      {"in a branch without braces",
       "${a?hash:/b} ${a:hash:/c} $(a?hash:/d)",
       {"hash:/b", "hash:/c", "hash:/d)"}},
      {"an expression in the name", "hash:${a?{/b}:{/c}}/d", {"hash:${a?{/b}:{/c}}/d"}},
      {"a brace that does not close", "hash:${a", {"hash:${a"}},
      {"without a name", "hash: hash:, btree:", {}},
      {"a longer type", "texthash:/a myhash:/b xbtree:/c", {}},
      {"in the middle of something", "http://hash:80/ /hash:x a=hash:/b a:hash:/c }hash:/d x?hash:/e", {}},
      {"behind another type", "static:hash:/a socketmap:unix:hash:/b", {}},
      {"in upper case", "HASH:/a", {}},
      {"nothing", "", {}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(tables_of(c.text, AheadOfTable::kValue), c.tables);
  }
}

TEST(DatabaseUses, OfACommandStandBehindAnEqualsSign) {
  const char* const text =
      "smtpd -o a=hash:/a -o{b=btree:/b} -o { c = hash:/c, proxy:hash:/d } argv=/x hash:/e";
  EXPECT_EQ(tables_of(text, AheadOfTable::kCommand),
            (Tables{"hash:/a", "btree:/b", "hash:/c", "hash:/d", "hash:/e"}));
  EXPECT_EQ(tables_of(text, AheadOfTable::kValue), (Tables{"hash:/c", "hash:/d", "hash:/e"}));
}

TEST(RefersTo, AllFormsOfAReference) {
  const struct {
    const char* text;
    const char* suffix;
    bool refers;
  } kCases[] = {
      {"$db:/a", ":", true},     {"${db}:/a", ":", true}, {"$(db):/a", ":", true}, {"x $db:/a", ":", true},
      {"$db/a", ":", false},     {"${db}/a", ":", false}, {"$dbx:/a", ":", false}, {"db:/a", ":", false},
      {"$dbx $db:a", ":", true}, {"$db", "", true},       {"${db}x", "", true},    {"$db/a", "", true},
      {"$dbx", "", false},       {"$dbx $db", "", true},  {"${dbx}", "", false},   {"", "", false},
  };
  for (const auto& c : kCases)
    EXPECT_EQ(refers_to(c.text, "db", c.suffix), c.refers) << c.text << " " << c.suffix;
}

TEST(IsBerkeleyDb, TheTypesOfItAlone) {
  for (const char* type : {"hash", "btree"}) EXPECT_TRUE(is_berkeley_db(type)) << type;
  for (const char* type : {"", "Hash", "texthash", "lmdb", "cdb", "hash:"})
    EXPECT_FALSE(is_berkeley_db(type)) << type;
}

}  // namespace
}  // namespace postconf
