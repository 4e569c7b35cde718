#include "libmaps/checked_table.h"

#include "libconf/text.h"
#include "libmaps/base64.h"
#include "libmaps/utf8.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::DiagnosticSink;
using libconf::Result;

constexpr std::string_view kNotUtf8 = ": malformed UTF-8 or invalid codepoint";

/// The value that -F shows for what the table holds; nothing: it holds something else, and a warning says so.
std::optional<std::string> decode_file(std::string_view table, std::string_view key, std::string_view value,
                                       DiagnosticSink& warnings) {
  std::optional<std::string> decoded = decode_base64(value);
  if (!decoded)
    warnings.warn("malformed-base64",
                  concat("table ", table, ": key ", key, ": malformed BASE64 value: ", value));
  return decoded;
}

class CheckedTable final : public Table {
 public:
  CheckedTable(std::unique_ptr<Table> inner, KeyKind kind, const TableContext& context)
      : Table(inner->name()), inner_(std::move(inner)), context_(context), rules_(kind, context) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    if (!rules_.accepts(name(), key)) return std::optional<std::string>();
    Result<std::optional<std::string>> value = inner_->lookup(rules_.fold(key, folded_));
    if (!value || !*value) return value;
    if (context_.options.utf8 && !is_utf8(**value)) {
      context_.warnings.warn("not-utf8-value", concat(name(), ": key \"", key, "\": non-UTF-8 value \"",
                                                      **value, "\"", kNotUtf8));
      return Error{.kind = ErrorKind::kDataCorrupt, .message = ""};
    }
    if (!context_.options.decode_files) return value;
    std::optional<std::string> decoded = decode_file(name(), key, **value, context_.warnings);
    if (!decoded) return Error{.kind = ErrorKind::kDataCorrupt, .message = ""};
    return decoded;
  }

  Result<void> hold() override { return inner_->hold(); }
  void release() override { inner_->release(); }
  void expect(std::string_view key) override {
    if (!context_.options.utf8 || is_utf8(key)) inner_->expect(rules_.fold(key, folded_));
  }
  std::size_t lookahead() const override { return inner_->lookahead(); }

 private:
  std::unique_ptr<Table> inner_;
  TableContext context_;
  KeyRules rules_;
  std::string folded_;
};

class CheckedListing final : public IterableTable {
 public:
  CheckedListing(std::unique_ptr<IterableTable> inner, const TableContext& context)
      : IterableTable(inner->name()), inner_(std::move(inner)), context_(context) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override { return inner_->lookup(key); }

  Result<void> for_each(const EntryVisitor& visit) override {
    if (!context_.options.decode_files) return inner_->for_each(visit);
    return inner_->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
      const std::optional<std::string> decoded = decode_file(name(), key, value, context_.warnings);
      return decoded ? visit(key, *decoded) : Result<void>();
    });
  }

  Result<void> hold() override { return inner_->hold(); }
  void release() override { inner_->release(); }

 private:
  std::unique_ptr<IterableTable> inner_;
  TableContext context_;
};

class CheckedChanges final : public WritableTable {
 public:
  CheckedChanges(std::unique_ptr<WritableTable> inner, const TableContext& context)
      : WritableTable(inner->name()), inner_(std::move(inner)), rules_(KeyKind::kFixed, context) {}

  Result<bool> store(std::string_view key, std::string_view value, bool replace) override {
    return inner_->store(rules_.fold(key, folded_), value, replace);
  }

  Result<bool> remove(std::string_view key) override {
    if (!rules_.accepts(name(), key)) return false;
    return inner_->remove(rules_.fold(key, folded_));
  }

  Result<void> finish() override { return inner_->finish(); }

 private:
  std::unique_ptr<WritableTable> inner_;
  KeyRules rules_;
  std::string folded_;
};

}  // namespace

bool KeyRules::accepts(std::string_view table, std::string_view key) const {
  if (!utf8_ || is_utf8(key)) return true;
  warnings_.warn("not-utf8-key", concat(table, ": non-UTF-8 key \"", key, "\"", kNotUtf8));
  return false;
}

std::string_view KeyRules::fold(std::string_view key, std::string& scratch) const {
  if (!folds_ || is_folded_ascii(key)) return key;
  scratch = utf8_ ? fold_unicode(key) : fold_ascii(key);
  return scratch;
}

std::unique_ptr<Table> check_lookups(std::unique_ptr<Table> inner, KeyKind kind,
                                     const TableContext& context) {
  return std::make_unique<CheckedTable>(std::move(inner), kind, context);
}

std::unique_ptr<IterableTable> check_listing(std::unique_ptr<IterableTable> inner,
                                             const TableContext& context) {
  return std::make_unique<CheckedListing>(std::move(inner), context);
}

std::unique_ptr<WritableTable> check_changes(std::unique_ptr<WritableTable> inner,
                                             const TableContext& context) {
  return std::make_unique<CheckedChanges>(std::move(inner), context);
}

}  // namespace libmaps
