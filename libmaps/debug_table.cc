#include "libmaps/debug_table.h"

#include "libconf/text.h"
#include "libmaps/open.h"

namespace libmaps {
namespace {

using libconf::concat;

class DebugTable final : public Table {
 public:
  DebugTable(std::unique_ptr<Table> inner, libconf::DiagnosticSink& sink)
      : Table(concat("debug:", inner->name())), inner_(std::move(inner)), sink_(sink) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    Result<std::optional<std::string>> value = inner_->lookup(key);
    const std::string_view answer = !value ? "error" : !*value ? "not_found" : std::string_view(**value);
    sink_.report({.severity = libconf::Severity::kInfo,
                  .code = "debug-lookup",
                  .message = concat(inner_->name(), " lookup: \"", key, "\" = \"", answer, "\"")});
    return value;
  }

  Result<void> hold() override { return inner_->hold(); }
  void release() override { inner_->release(); }

 private:
  std::unique_ptr<Table> inner_;
  libconf::DiagnosticSink& sink_;
};

}  // namespace

Result<std::unique_ptr<Table>> open_debug(std::string_view name, const TableContext& context) {
  auto inner = open(name, context);
  if (!inner) return inner.error();
  return std::make_unique<DebugTable>(std::move(*inner), context.warnings);
}

}  // namespace libmaps
