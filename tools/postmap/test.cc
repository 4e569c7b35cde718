#include <algorithm>

#include "libconf/file.h"
#include "libconf/text.h"
#include "tools/cli/tap.h"
#include "tools/postmap/case_lookup.h"
#include "tools/postmap/modes.h"
#include "tools/postmap/table_cases.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::Result;

/// The arguments of --test: tables and files in any order.
struct Arguments {
  std::string tables;  ///< A list; empty: each file names its own.
  std::vector<std::string> files;
};

Arguments sort_arguments(const std::vector<std::string>& arguments) {
  Arguments sorted;
  for (const std::string& argument : arguments) {
    const std::size_t colon = argument.find(':');
    const bool is_table =
        colon != std::string::npos && libmaps::find_table_type(argument.substr(0, colon)) != nullptr;
    if (is_table) {
      sorted.tables += concat(argument, "\n");
    } else {
      sorted.files.push_back(argument);
    }
  }
  return sorted;
}

Result<std::vector<TableCase>> read_cases(const std::vector<std::string>& files) {
  std::vector<TableCase> cases;
  for (const std::string& file : files) {
    const Result<std::string> text = libconf::read_file(file);
    if (!text) return text.error();
    Result<std::vector<TableCase>> read = parse_cases(*text, file);
    if (!read) return read.error();
    // A file in which all is commented out must not look like a success.
    if (read->empty()) return configuration_error(concat(file, ": no test cases"));
    std::move(read->begin(), read->end(), std::back_inserter(cases));
  }
  return cases;
}

/// The tables that a case is about. Errors: none are named; what is wrong with a `$name`.
Result<std::string> tables_of(const TableCase& each, const Arguments& arguments, const Session& session) {
  if (!arguments.tables.empty()) return arguments.tables;
  Result<std::string> tables = session.settings().expand_text(each.tables, session.warnings());
  if (tables && !libconf::trim(*tables).empty()) return tables;
  Error error = tables ? configuration_error("no table is named") : tables.error();
  error.message = concat(each.file, ":", std::to_string(each.line), ": ", error.message);
  return error;
}

/// A partial key is the same in either case, as keys of tables are.
bool is_good(const TableCase& each, const CaseAnswer& answer) {
  return is_as_expected(each.expected, answer.result) &&
         (!each.via || libconf::equals_ignoring_case(*each.via, answer.key));
}

void report_json(std::string& out, const TableCase& each, const CaseAnswer& answer) {
  const auto member = [&out](std::string_view name, std::string_view value) {
    out += concat(", \"", name, "\": ", libconf::json_quote(value));
  };
  out += concat("{\"file\": ", libconf::json_quote(each.file), ", \"line\": ", std::to_string(each.line));
  member("lookup", each.keys->name);
  member("key", each.key);
  out += concat(", \"ok\": ", is_good(each, answer) ? "true" : "false");
  member("expected", to_string(each.expected));
  if (each.via) member("expected_match", *each.via);
  member("actual", to_string(answer.result));
  if (answer.result.kind == CaseResult::Kind::kValue) {
    member("match", answer.key);
    member("table", answer.table);
  }
  out += "}\n";
}

void report_tap(cli::TapReport& report, const TableCase& each, const CaseAnswer& answer) {
  const std::string place = concat(each.file, ":", std::to_string(each.line));
  report.result(is_good(each, answer), concat(place, ": ", to_string(each)),
                {{"at", place},
                 {"lookup", each.keys->name},
                 {"expected", to_string(each.expected)},
                 {"expected_match", each.via.value_or("")},
                 {"actual", to_string(answer.result)},
                 {"match", answer.key},
                 {"table", answer.table}});
}

}  // namespace

Result<int> test_tables(Session& session) {
  const Arguments arguments = sort_arguments(session.options().tables);
  const Result<std::vector<TableCase>> cases = read_cases(arguments.files);
  if (!cases) return cases.error();
  // All are known to be sound before the first is run.
  std::vector<std::string> tables;
  for (const TableCase& each : *cases) {
    Result<std::string> list = tables_of(each, arguments, session);
    if (!list) return list.error();
    tables.push_back(std::move(*list));
  }
  std::string& out = session.output().text();
  std::optional<cli::TapReport> tap;
  if (!session.options().json) tap.emplace(out, cases->size());
  CaseLookup lookup(session);
  bool all_good = true;
  for (std::size_t i = 0; i < cases->size(); ++i) {
    const TableCase& each = (*cases)[i];
    const CaseAnswer answer = lookup.ask(each, tables[i]);
    all_good &= is_good(each, answer);
    if (tap) {
      report_tap(*tap, each, answer);
    } else {
      report_json(out, each, answer);
    }
  }
  return all_good ? 0 : 1;
}

}  // namespace postmap
