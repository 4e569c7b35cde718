#include <sys/stat.h>

#include <optional>

#include "libconf/master_cf_document.h"
#include "libconf/text.h"
#include "libmaps/index_build.h"
#include "libmaps/table_inventory.h"
#include "tools/postmap/build_purpose.h"
#include "tools/postmap/modes.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::Result;
using libmaps::NamedTable;
using libmaps::TableType;

std::optional<timespec> time_of_change(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status.st_mtim;
}

bool is_newer(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/// Deals with one table; says what it did. Returns false when it should have built it, and could not.
bool process(Session& session, const NamedTable& table, const TableType& type) {
  const Purpose& purpose = purpose_of(table);
  const auto say = [&](std::string_view what, std::string_view note = "") {
    session.output().text() += concat(table.type, ":", table.name, ": ", what, note, "\n");
    session.output().flush();
  };
  const std::optional<timespec> source = time_of_change(table.name);
  const std::optional<timespec> index = time_of_change(libmaps::index_path(type, table.name));
  if (!source && !index && !table.is_set) return true;
  if (!source) {
    say(index ? "left alone: its source is not there" : "not there");
    return true;
  }
  if (session.options().stale && index && !is_newer(*source, *index)) {
    say("up to date");
    return true;
  }
  if (session.options().dry_run) {
    say("would be built", purpose.note);
    return true;
  }
  const Result<void> built = build_index(session, {table.type, table.name}, recipe_for(purpose, session));
  if (built) {
    say("built", purpose.note);
    return true;
  }
  session.warnings().warn("not-built", built.error().message);
  say("not built");
  return false;
}

}  // namespace

Result<int> build_all(Session& session) {
  std::optional<libconf::MasterCf> master_cf;
  Result<libconf::MasterCf> read =
      libconf::MasterCf::load(session.directory() + "/master.cf", session.warnings());
  if (read) {
    master_cf.emplace(std::move(*read));
  } else if (read.error().kind == libconf::ErrorKind::kInputOutput) {
    session.warnings().warn("no-master-cf", read.error().message);
  } else {
    return read.error();
  }
  bool all_good = true;
  for (const NamedTable& table :
       libmaps::find_tables(session.settings(), master_cf ? &*master_cf : nullptr, session.warnings())) {
    const TableType* type = libmaps::find_table_type(table.type);
    if (type != nullptr && type->has_index() && !is_start_of_names(table))
      all_good &= process(session, table, *type);
  }
  return all_good ? 0 : 1;
}

}  // namespace postmap
