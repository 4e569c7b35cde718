#include "tools/postmap/build.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libconf/text.h"
#include "libmaps/index_build.h"
#include "tools/postmap/modes.h"
#include "tools/postmap/privileges.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::FileMode;
using libconf::Result;
using libmaps::SourceReader;
using libmaps::TableSpec;
using libmaps::TableType;

constexpr mode_t kDefaultMode = 0644;

/// The mode for an index of a source: who may read the one may read the other (postmap(1)).
FileMode index_mode(const struct stat& source, const Recipe& recipe) {
  const mode_t inherited = 0600 | (source.st_mode & 0044);
  return {.if_new = recipe.default_mode && !recipe.tightens_mode ? kDefaultMode : inherited,
          .at_most = recipe.tightens_mode ? 0200 | source.st_mode : 07777};
}

/// Whether whoever runs this may write `path`, but not make a file beside it.
bool may_write_but_not_replace(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0 &&
         ::faccessat(AT_FDCWD, directory.c_str(), W_OK, AT_EACCESS) != 0;
}

/// The type of a table to be built. `support` is what Postfix calls the missing ability.
Result<const TableType*> buildable_type(TableSpec spec) {
  const TableType* type = libmaps::find_table_type(spec.type);
  if (type == nullptr) return configuration_error(concat("unsupported map type: ", spec.type));
  if (!type->is_buildable)
    return configuration_error(concat("no 'map create' support for this type: ", spec.type));
  return type;
}

/// How an index is written by the options and main.cf. Errors: lmdb_map_size.
Result<libmaps::IndexOptions> index_options(const Session& session, const TableType& type) {
  const Result<std::int64_t> map_size = session.settings().get_int("lmdb_map_size");
  if (!map_size) return map_size.error();
  const libmaps::NullTermination null_termination = session.table_options().null_termination;
  return libmaps::IndexOptions{.null_terminated = null_termination == libmaps::NullTermination::kEither
                                                      ? type.null_terminated
                                                      : null_termination == libmaps::NullTermination::kAlways,
                               .map_size = static_cast<std::uint64_t>(*map_size)};
}

Error write_error(const libmaps::WritableTable& table, const Error& error) {
  Error named = error;
  named.message = concat("table ", table.name(), ": write error: ", error.message);
  return named;
}

/// Stores entries one by one, as they come.
Result<void> store_entries(Session& session, TableSpec spec, const TableType& type, SourceReader& source) {
  auto table = libmaps::open_writable(spec, libmaps::IfAbsent::kCreate, session.context());
  if (!table) return table.error();
  const std::string label = duplicate_label(type, spec.name);
  const libmaps::Duplicates duplicates = session.duplicates();
  Result<void> stored = libmaps::for_each_entry(
      source, session.source_options(), session.warnings(),
      [&](const libmaps::SourceLine&, std::string_view key, std::string_view value) -> Result<void> {
        const Result<bool> is_stored =
            (*table)->store(key, value, duplicates == libmaps::Duplicates::kReplace);
        if (!is_stored) return write_error(**table, is_stored.error());
        if (!*is_stored && duplicates == libmaps::Duplicates::kWarn)
          session.warnings().warn("duplicate-entry", concat(label, ": duplicate entry: \"", key, "\""));
        return {};
      });
  if (!stored) return stored;
  return (*table)->finish();
}

Result<void> add_to_table(Session& session, std::string_view text, SourceReader& source) {
  const Result<TableSpec> spec = session.parse_table(text);
  if (!spec) return spec.error();
  const Result<const TableType*> type = buildable_type(*spec);
  if (!type) return type.error();
  return store_entries(session, *spec, **type, source);
}

Result<void> build_table(Session& session, std::string_view text) {
  const Result<TableSpec> spec = session.parse_table(text);
  if (!spec) return spec.error();
  if (spec->type == "proxy") return refuse_proxy("create");
  const Result<const TableType*> type = buildable_type(*spec);
  if (!type) return type.error();
  if ((*type)->has_index())
    return build_index(session, *spec,
                       {.source = session.source_options(),
                        .duplicates = session.duplicates(),
                        .default_mode = session.options().default_mode});
  Result<SourceReader> source = SourceReader::open_file(std::string(spec->name));
  if (!source) return source.error();
  return store_entries(session, *spec, **type, *source);
}

}  // namespace

libmaps::SourceEntries read_entries(SourceReader source, const Recipe& recipe, std::string_view label,
                                    libconf::DiagnosticSink& warnings) {
  auto entries =
      libmaps::SourceEntries::read(std::move(source), recipe.source, recipe.duplicates, label, warnings);
  // The mark by which sendmail knows a complete alias database.
  if (recipe.source.format == libmaps::SourceFormat::kAliases) entries.add("@", "@");
  return entries;
}

Result<void> build_index(Session& session, TableSpec spec, const Recipe& recipe) {
  const TableType& type = *libmaps::find_table_type(spec.type);
  const std::string name(spec.name);
  const Result<libmaps::IndexOptions> options = index_options(session, type);
  if (!options) return options.error();
  Result<SourceReader> source = SourceReader::open_file(name);
  if (!source) return source.error();
  const struct stat status = source->status();
  const std::string path = libmaps::index_path(type, name);

  RunAsOwner owner;
  if (!session.options().keep_privileges)
    if (Result<void> begun = owner.begin(status, name); !begun) return begun;
  // Where the owner may write the index but not its directory, replacing it needs root; no one but root can
  // have put anything in the way there.
  const bool needs_root = owner.is_active() && may_write_but_not_replace(path);
  if (needs_root) owner.end();
  Result<libmaps::IndexBuild> build = libmaps::IndexBuild::begin(type, name);
  if (!build) return build.error();

  if (needs_root)
    if (Result<void> begun = owner.begin(status, name); !begun) return begun;
  const libmaps::SourceEntries entries =
      read_entries(std::move(*source), recipe, duplicate_label(type, name), session.warnings());
  if (needs_root) owner.end();
  return build->finish(entries.sorted(), *options, index_mode(status, recipe));
}

Result<int> build_tables(Session& session) {
  const Result<std::vector<std::string>> tables = session.tables_to_build();
  if (!tables) return tables.error();
  for (const std::string& table : *tables)
    if (Result<void> built = build_table(session, table); !built) return built.error();
  return 0;
}

Result<int> add_entries(Session& session) {
  Result<SourceReader> source = SourceReader::read_descriptor(session.input(), "stdin");
  if (!source) return source.error();
  RunAsOwner owner;
  if (!session.options().keep_privileges)
    if (Result<void> begun = owner.begin(source->status(), source->name()); !begun) return begun.error();
  // Standard input can be read once: it is for the first table, as in Postfix; the others get nothing.
  for (const std::string& table : session.options().tables)
    if (Result<void> added = add_to_table(session, table, *source); !added) return added.error();
  return 0;
}

}  // namespace postmap
