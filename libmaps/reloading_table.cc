#include "libmaps/reloading_table.h"

#include <utility>

#include "libconf/text.h"
#include "libmaps/file_version.h"

namespace libmaps {
namespace {

class ReloadingTable final : public Table {
 public:
  ReloadingTable(std::string file, std::optional<FileVersion> version, TableMaker make,
                 std::unique_ptr<Table> inner, libconf::DiagnosticSink& warnings)
      : Table(inner->name()),
        file_(std::move(file)),
        version_(version),
        make_(std::move(make)),
        inner_(std::move(inner)),
        warnings_(warnings) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    if (!is_held_) reload_if_changed();
    return inner_->lookup(key);
  }

  Result<void> hold() override {
    reload_if_changed();
    is_held_ = true;
    return inner_->hold();
  }

  void release() override {
    is_held_ = false;
    inner_->release();
  }

 private:
  void reload_if_changed() {
    const std::optional<FileVersion> version = FileVersion::at(file_);
    if (version == version_) return;
    version_ = version;  // Whatever comes of it: to try again makes sense only after another change.
    Result<std::unique_ptr<Table>> table = make_();
    if (table) {
      inner_ = std::move(*table);
    } else {
      warnings_.warn("table-not-reloaded",
                     libconf::concat(table.error().message, ": going on with ", name(), " as it was"));
    }
  }

  std::string file_;
  std::optional<FileVersion> version_;
  TableMaker make_;
  std::unique_ptr<Table> inner_;
  libconf::DiagnosticSink& warnings_;
  bool is_held_ = false;
};

}  // namespace

Result<std::unique_ptr<Table>> open_reloading(std::string file, TableMaker make,
                                              libconf::DiagnosticSink& warnings) {
  // Looked at before the file is read: a change meanwhile is seen at the first lookup.
  const std::optional<FileVersion> version = FileVersion::at(file);
  Result<std::unique_ptr<Table>> inner = make();
  if (!inner) return inner;
  return std::make_unique<ReloadingTable>(std::move(file), version, std::move(make), std::move(*inner),
                                          warnings);
}

}  // namespace libmaps
