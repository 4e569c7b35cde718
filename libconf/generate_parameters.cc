// Build tool: writes parameters_generated.cc from parameters.tsv and derived_parameters.tsv.
//
//     generate_parameters parameters.tsv derived_parameters.tsv parameters_generated.cc
//
// It refuses rows with a wrong number of columns, an unknown type, or out of order, so that a slip in the
// table fails the build and not a program.

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Row = std::vector<std::string>;

std::vector<Row> read_table(const std::string& file, std::size_t columns) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot open " + file);
  std::vector<Row> rows;
  std::string line;
  std::getline(in, line);  // The column names.
  for (int number = 2; std::getline(in, line); ++number) {
    Row row(1);
    for (char c : line) {
      if (c == '\t')
        row.emplace_back();
      else
        row.back() += c;
    }
    if (row.size() != columns)
      throw std::runtime_error(file + ", line " + std::to_string(number) + ": expected " +
                               std::to_string(columns) + " columns, found " + std::to_string(row.size()));
    rows.push_back(row);
  }
  if (!std::is_sorted(rows.begin(), rows.end(),
                      [](const Row& a, const Row& b) { return std::tie(a[0], a[1]) < std::tie(b[0], b[1]); }))
    throw std::runtime_error(file + ": rows are not sorted");
  return rows;
}

std::string literal(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '?') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string number(const std::string& text) { return text.empty() ? "0" : std::to_string(std::stoll(text)); }

std::string type_of(const std::string& word) {
  static const std::map<std::string, std::string> kTypes = {
      {"bool", "kBoolean"},      {"int", "kInteger"},     {"nint", "kIntegerExpr"}, {"nbool", "kBooleanExpr"},
      {"long", "kLong"},         {"time", "kTime"},       {"str", "kString"},       {"raw", "kRaw"},
      {"computed", "kComputed"}, {"service", "kService"}, {"legacy", "kLegacy"},    {"removed", "kRemoved"},
  };
  return "ParameterType::" + kTypes.at(word);
}

void write(const std::vector<Row>& parameters, const std::vector<Row>& derived, std::ostream& out) {
  out << "// Generated from libconf/parameters.tsv and libconf/derived_parameters.tsv. Do not edit.\n"
         "#include \"libconf/parameter_table.h\"\n\n"
         "namespace libconf {\nnamespace {\n\n"
         "constexpr Parameter kParameters[] = {\n";
  for (const Row& r : parameters) {
    const bool is_unknown = r[5] == "(computed)" || r[1] == "removed";
    out << "    {" << literal(r[0]) << ", " << type_of(r[1]) << ", " << number(r[2]) << ", " << number(r[3])
        << ", " << literal(r[4]) << ", " << literal(is_unknown ? "" : r[5]) << ", " << literal(r[6]) << ", "
        << literal(r[7]) << ", " << literal(r[8]) << "},\n";
  }
  out << "};\n\nconstexpr DerivedParameter kDerivedParameters[] = {\n";
  for (const Row& r : derived)
    out << "    {" << literal(r[0]) << ", " << literal(r[1]) << ", " << literal(r[2]) << "},\n";
  out << "};\n\n}  // namespace\n\n"
         "std::span<const Parameter> all_parameters() { return kParameters; }\n"
         "std::span<const DerivedParameter> all_derived_parameters() { return kDerivedParameters; }\n\n"
         "}  // namespace libconf\n";
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw std::runtime_error("usage: generate_parameters PARAMETERS DERIVED OUTPUT");
  std::vector<Row> derived = read_table(argv[2], 3);
  std::ofstream out(argv[3]);
  write(read_table(argv[1], 9), derived, out);
  out.close();
  if (!out) throw std::runtime_error(std::string("cannot write ") + argv[3]);
  return 0;
} catch (const std::exception& e) {
  std::cerr << "generate_parameters: " << e.what() << '\n';
  return 1;
}
