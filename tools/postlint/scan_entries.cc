// Tables of fixed keys.
#include <sys/stat.h>

#include <functional>
#include <vector>

#include "libconf/text.h"
#include "libmaps/index_build.h"
#include "libmaps/open.h"
#include "libmaps/source_entries.h"
#include "libmaps/source_reader.h"
#include "libmaps/table_types.h"
#include "tools/mta/access/access_action.h"
#include "tools/mta/content/check_action.h"
#include "tools/postlint/table_scan.h"
#include "tools/postlint/tls_views.h"

namespace postlint {
namespace {

using libconf::concat;

/// Which keys were seen, and where. Only their hashes are kept: of 100,000 keys, two that differ have the
/// same hash once in three billion tables.
class SeenKeys {
 public:
  /// The line of the same key; 0: it is a new one.
  int add(std::string_view key, int line) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    const std::size_t hash = std::hash<std::string_view>()(key);
    Slot& slot = find(hash);
    if (slot.line != 0) return slot.line;
    slot = {hash, line};
    ++count_;
    return 0;
  }

 private:
  struct Slot {
    std::size_t hash = 0;
    int line = 0;  ///< 0: it is free.
  };
  static constexpr std::size_t kFewest = 1024;

  Slot& find(std::size_t hash) {
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].line != 0 && slots_[at].hash != hash) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }

  void grow() {
    std::vector<Slot> old(std::max(kFewest, slots_.size() * 4));
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.line != 0) find(slot.hash) = slot;
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

/// Takes what the reader of a source warns of.
class SourceWarnings final : public libconf::DiagnosticSink {
 public:
  SourceWarnings(TableFaults& faults, bool is_alias) : faults_(faults), is_alias_(is_alias) {}

  void report(libconf::Diagnostic diagnostic) override {
    const std::string prefix = concat(faults_.file(), ", line ", std::to_string(diagnostic.line), ": ");
    const std::string message = diagnostic.message.starts_with(prefix)
                                    ? diagnostic.message.substr(prefix.size())
                                    : diagnostic.message;
    const bool is_of_other_format =
        diagnostic.code == "alias-format" || (is_alias_ && diagnostic.code == "bad-line");
    faults_.add(is_of_other_format ? TableFaultKind::kOtherFormat : TableFaultKind::kSyntax, diagnostic.line,
                message);
  }

 private:
  TableFaults& faults_;
  bool is_alias_;
};

/// Some of a source's entries, from its beginning to its end: enough to tell whether an index was built from
/// another text, without asking it for a hundred thousand keys.
class EntrySample {
 public:
  void take(std::string_view key, std::string_view value, bool is_duplicate) {
    if (++count_ % kEach == 1 && !is_duplicate) entries_.emplace_back(key, value);
  }
  const std::vector<std::pair<std::string, std::string>>& entries() const { return entries_; }

 private:
  static constexpr std::size_t kEach = 500;
  std::size_t count_ = 0;
  std::vector<std::pair<std::string, std::string>> entries_;
};

bool has_key(libmaps::Table& table, std::string_view key) {
  const auto value = table.lookup(key);
  return value && value->has_value();
}

/// Holds the index that the daemons read against the source.
void check_index(const SiteModel& site, const TableJob& job, const EntrySample& sample, TableFaults& faults) {
  const libmaps::TableType* type = libmaps::find_table_type(job.type);
  if (type == nullptr || !type->has_index()) return;
  const std::string file = libmaps::index_path(*type, faults.file());
  struct stat source {};
  struct stat index {};
  if (::stat(file.c_str(), &index) != 0 || ::stat(faults.file().c_str(), &source) != 0) return;
  libconf::DiagnosticDiscard discard;
  auto table =
      libmaps::open(concat(job.type, ":", faults.file()),
                    {.settings = site.settings(), .warnings = discard, .options = {.fold_keys = false}});
  if (!table) return;
  const bool is_alias = job.has(TablePurpose::kAliases);
  // postalias adds an entry for "@", and some releases others.
  const bool is_from_postalias = has_key(**table, "@") || has_key(**table, "YP_LAST_MODIFIED");
  if (!sample.entries().empty() && is_from_postalias != is_alias)
    return faults.add(
        TableFaultKind::kOtherBuilder, 0,
        concat(file, " was built by ", is_alias ? "postmap, not postalias" : "postalias, not postmap"));
  std::size_t differing = 0;
  const bool has_files = job.usages.size() == 1 && job.usages.front().parameter == "tls_server_sni_maps";
  for (const auto& [key, value] : sample.entries()) {
    const auto stored = (*table)->lookup(key);
    if (!has_files && stored && *stored != value) ++differing;
  }
  if (differing > 0)
    faults.add(TableFaultKind::kStale, 0,
               concat(file, " differs from the source, in ", std::to_string(differing), " of ",
                      std::to_string(sample.entries().size()), " entries that were compared"));
  else if (index.st_mtim.tv_sec < source.st_mtim.tv_sec)
    faults.add(TableFaultKind::kStale, 0, concat(file, " is older than its source"));
}

bool is_known_restriction(const SiteModel& site, std::string_view word) {
  if (mta::find_restriction_type(word) != nullptr) return true;
  return has_word(site.settings(), "smtpd_restriction_classes", word);
}

std::string access_fault(const SiteModel& site, std::string_view value, std::string_view parameter) {
  const mta::AccessAction action = mta::parse_access_action(value, "the table", parameter);
  if (action.kind == mta::ActionKind::kIgnored) return concat("\"", value, "\" is ignored");
  if (action.kind != mta::ActionKind::kRestrictions) return {};
  std::string_view rest = action.text;
  const auto first = libconf::next_word(rest, libconf::kListSeparators);
  if (first && !is_known_restriction(site, *first))
    return concat("\"", *first, "\" is neither an action nor a restriction");
  return {};
}

}  // namespace

void ValueCheck::check(std::string_view value, const Report& report) {
  if (value == last_) return;
  bool is_well = true;
  const auto tell = [&](TableFaultKind kind, std::string message) {
    is_well = false;
    report(kind, std::move(message));
  };
  for (const TableUsage& usage : job_.usages) {
    switch (usage.purpose) {
      case TablePurpose::kAccessAddress:
      case TablePurpose::kAccessHost:
      case TablePurpose::kAccessOther:
        if (std::string fault = access_fault(site_, value, usage.parameter); !fault.empty())
          tell(TableFaultKind::kAccessAction, std::move(fault));
        break;
      case TablePurpose::kChecks: {
        const auto target = usage.is_body ? mta::CheckTarget::kBody : mta::CheckTarget::kHeader;
        const auto scope = usage.is_delivery ? mta::CheckScope::kDelivery : mta::CheckScope::kReceipt;
        mta::CheckAction action = mta::parse_check_action(value, target, usage.parameter, scope);
        if (!action.warning.empty()) tell(TableFaultKind::kCheckAction, std::move(action.warning));
        break;
      }
      case TablePurpose::kTlsPolicy: {
        std::string_view rest = value;
        const std::string_view level = libconf::next_word(rest, libconf::kListSeparators).value_or("");
        if (!find_client_level(level))
          tell(TableFaultKind::kTlsPolicy, concat("there is no TLS level \"", level, "\""));
        break;
      }
      case TablePurpose::kPasswords:
        if (value.find(':') == std::string_view::npos)
          tell(TableFaultKind::kPasswordForm, "the value is not user:password");
        break;
      case TablePurpose::kNumbers:
        if (!libconf::is_all_digits(value))
          tell(TableFaultKind::kNumberForm, concat("\"", value, "\" is no number"));
        break;
      default:
        break;
    }
  }
  if (is_well) last_ = value;
}

void scan_entries(const SiteModel& site, const TableJob& job, TableFaults& faults) {
  auto reader = libmaps::SourceReader::open_file(faults.file());
  if (!reader) return;
  reader->read_once();
  const bool is_alias = job.has(TablePurpose::kAliases);
  SourceWarnings warnings(faults, is_alias);
  SeenKeys seen;
  ValueCheck values(site, job);
  EntrySample sample;
  int line = 0;
  const ValueCheck::Report report = [&](TableFaultKind kind, std::string message) {
    faults.add(kind, line, std::move(message));
  };
  const auto done = libmaps::for_each_entry(
      *reader, {.format = is_alias ? libmaps::SourceFormat::kAliases : libmaps::SourceFormat::kMap}, warnings,
      [&](const libmaps::SourceLine& at, std::string_view key,
          std::string_view value) -> libmaps::Result<void> {
        line = at.first;
        const int first = seen.add(key, line);
        if (first != 0)
          faults.add(TableFaultKind::kDuplicateKey, line,
                     concat("\"", key, "\" is in line ", std::to_string(first), ", whose value counts"));
        sample.take(key, value, first != 0);
        if (const std::string_view reason = dead_key_reason(key, job.usages); !reason.empty())
          faults.add(TableFaultKind::kDeadKey, line, concat("\"", key, "\" is never looked up: ", reason));
        values.check(value, report);
        return {};
      });
  static_cast<void>(done);  // The visitor has no errors.
  check_index(site, job, sample, faults);
}

}  // namespace postlint
