#include "libconf/parameter_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

#include "libconf/value.h"

namespace libconf {
namespace {

TEST(ParameterTable, SortedAndUnique) {
  const Parameter* last = nullptr;
  for (const Parameter& parameter : all_parameters()) {
    if (last != nullptr) {
      EXPECT_LT(last->name, parameter.name);
    }
    last = &parameter;
  }
  EXPECT_GT(all_parameters().size(), 900U);
}

TEST(ParameterTable, FindFindsEveryRowAndNothingElse) {
  for (const Parameter& parameter : all_parameters()) EXPECT_EQ(find_parameter(parameter.name), &parameter);
  for (const char* name :
       {"", "0", "zzz", "relayhos", "relayhosts", "Relayhost", "relayhost ", "smtp_relayhost"})
    EXPECT_EQ(find_parameter(name), nullptr) << name;
}

struct KnownRow {
  const char* name;
  ParameterType type;
  const char* default_value;
  std::int64_t min = 0;
  std::int64_t max = 0;
};

// postconf(5).
TEST(ParameterTable, KnownRows) {
  for (const KnownRow& row : {
           KnownRow{"2bounce_notice_recipient", ParameterType::kString, "postmaster", 1},
           KnownRow{"append_at_myorigin", ParameterType::kBoolean, "yes"},
           KnownRow{"default_process_limit", ParameterType::kInteger, "100", 1},
           KnownRow{"message_size_limit", ParameterType::kLong, "10240000"},
           KnownRow{"maximal_queue_lifetime", ParameterType::kTime, "5d", 0, 8640000},
           KnownRow{"myhostname", ParameterType::kComputed, "", 1},
           KnownRow{"default_rbl_reply", ParameterType::kRaw,
                    "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using "
                    "$rbl_domain${rbl_reason?; $rbl_reason}",
                    1},
           KnownRow{"smtpd_banner", ParameterType::kString, "$myhostname ESMTP $mail_name", 1},
           KnownRow{"smtpd_hard_error_limit", ParameterType::kIntegerExpr, "${stress?{1}:{20}}", 1},
           KnownRow{"relayhost", ParameterType::kString, ""},
       }) {
    SCOPED_TRACE(row.name);
    const Parameter* parameter = find_parameter(row.name);
    ASSERT_NE(parameter, nullptr);
    EXPECT_EQ(type_name(parameter->type), type_name(row.type));
    EXPECT_EQ(parameter->default_value, row.default_value);
    EXPECT_EQ(parameter->min, row.min);
    EXPECT_EQ(parameter->max, row.max);
    EXPECT_EQ(is_raw(row.name), row.type == ParameterType::kRaw);
  }
  EXPECT_FALSE(is_raw("no_such_parameter"));
}

// DEPRECATION_README.
TEST(ParameterTable, DeprecatedRows) {
  struct DeprecatedRow {
    const char* name;
    const char* replacement;
    const char* since;
  };
  for (const DeprecatedRow& row : {
           DeprecatedRow{"disable_dns_lookups", "smtp_dns_support_level", "3.9"},
           DeprecatedRow{"smtpd_use_tls", "smtpd_tls_security_level", "3.9"},
           DeprecatedRow{"lmtp_enforce_tls", "lmtp_tls_security_level", "3.9"},
           DeprecatedRow{"smtp_tls_per_site", "smtp_tls_policy_maps", "3.9"},
           DeprecatedRow{"smtpd_tls_dh1024_param_file", "(default)", "3.9"},
           DeprecatedRow{"virtual_maps", "virtual_alias_maps", "3.11"},
           DeprecatedRow{"postscreen_blacklist_action", "postscreen_denylist_action", "3.11"},
       }) {
    SCOPED_TRACE(row.name);
    const Parameter* parameter = find_parameter(row.name);
    ASSERT_NE(parameter, nullptr);
    EXPECT_EQ(parameter->replacement, row.replacement);
    EXPECT_EQ(parameter->deprecated_since, row.since);
  }
  for (const Parameter& parameter : all_parameters()) {
    SCOPED_TRACE(parameter.name);
    EXPECT_EQ(parameter.replacement.empty(), parameter.deprecated_since.empty());
    const bool is_name = !parameter.replacement.empty() && parameter.replacement != "-" &&
                         parameter.replacement != "(default)";
    if (is_name) {
      EXPECT_NE(find_parameter(parameter.replacement), nullptr) << parameter.replacement;
    }
  }
  for (const char* name : {"relayhost", "smtpd_tls_security_level", "permit_mx_backup_networks"})
    EXPECT_TRUE(find_parameter(name)->deprecated_since.empty()) << name;
}

TEST(ParameterTable, DefaultsPassTheirOwnCheck) {
  int checked = 0;
  for (const Parameter& parameter : all_parameters()) {
    const bool has_type =
        parameter.type == ParameterType::kBoolean || parameter.type == ParameterType::kInteger ||
        parameter.type == ParameterType::kIntegerExpr || parameter.type == ParameterType::kBooleanExpr ||
        parameter.type == ParameterType::kLong || parameter.type == ParameterType::kTime;
    if (!has_type || parameter.default_value.find('$') != std::string_view::npos) continue;
    ++checked;
    const std::optional<Error> error = check_value(parameter, parameter.default_value);
    EXPECT_FALSE(error) << parameter.name << ": " << error->message;
  }
  EXPECT_GT(checked, 300);
}

TEST(ParameterTable, LimitsAreInOrder) {
  for (const Parameter& parameter : all_parameters())
    if (parameter.max != 0) {
      EXPECT_LE(parameter.min, parameter.max) << parameter.name;
    }
}

TEST(ParameterTable, TypesHaveNames) {
  std::set<std::string_view> names;
  for (const Parameter& parameter : all_parameters()) {
    EXPECT_FALSE(type_name(parameter.type).empty()) << parameter.name;
    names.insert(type_name(parameter.type));
  }
  EXPECT_TRUE(type_name(ParameterType::kBoolean).starts_with("boolean"));
  EXPECT_TRUE(type_name(ParameterType::kTime).starts_with("time"));
  EXPECT_GT(names.size(), 5U);
}

TEST(ParameterTable, Listing) {
  for (const Parameter& parameter : all_parameters())
    EXPECT_EQ(is_listed(parameter),
              parameter.type != ParameterType::kLegacy && parameter.type != ParameterType::kRemoved)
        << parameter.name;
}

TEST(DerivedParameters, SortedWithKnownRows) {
  const DerivedParameter* last = nullptr;
  for (const DerivedParameter& row : all_derived_parameters()) {
    EXPECT_TRUE(row.suffix.starts_with("_")) << row.suffix;
    EXPECT_EQ(row.default_from.empty(), row.kind != "service") << row.kind << row.suffix;
    if (row.kind == "service") {
      EXPECT_NE(find_parameter(row.default_from), nullptr) << row.default_from;
    }
    if (last != nullptr) {
      EXPECT_LT(std::tie(last->kind, last->suffix), std::tie(row.kind, row.suffix));
    }
    last = &row;
  }
  const auto has = [](std::string_view kind, std::string_view suffix) {
    for (const DerivedParameter& row : derived_parameters(kind))
      if (row.suffix == suffix) return true;
    return false;
  };
  EXPECT_TRUE(has("service", "_destination_concurrency_limit"));
  EXPECT_TRUE(has("service", "_time_limit"));
  EXPECT_TRUE(has("mysql", "_hosts"));
  EXPECT_TRUE(has("ldap", "_server_host"));
  EXPECT_TRUE(has("pgsql", "_dbname"));
  EXPECT_FALSE(has("mysql", "_server_host"));
  EXPECT_TRUE(derived_parameters("hash").empty());
  EXPECT_TRUE(derived_parameters("").empty());
  for (const char* kind : {"service", "ldap", "mysql"})
    for (const DerivedParameter& row : derived_parameters(kind)) EXPECT_EQ(row.kind, kind);
}

}  // namespace
}  // namespace libconf
