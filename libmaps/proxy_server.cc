#include "libmaps/proxy_server.h"

#include "libconf/text.h"
#include "libmaps/open.h"
#include "libmaps/utf8.h"

namespace libmaps {
namespace {

using libconf::concat;

constexpr std::string_view kPrefix = "proxy:";

std::string_view without_prefix(std::string_view table) {
  while (table.starts_with(kPrefix)) table.remove_prefix(kPrefix.size());
  return table;
}

/// What a service is called in the settings and in its messages.
struct AccessWords {
  std::string_view parameter;
  std::string_view access;
};
constexpr AccessWords kRead = {"proxy_read_maps", "read-only"};
constexpr AccessWords kReadWrite = {"proxy_write_maps", "read-write"};

const AccessWords& words_for(ProxyAccess access) { return access == ProxyAccess::kRead ? kRead : kReadWrite; }

void add_approved(std::string_view word, std::set<std::string, std::less<>>& tables) {
  if (word.starts_with(kPrefix)) tables.emplace(without_prefix(word));
}

ProxyReply reply_with(ProxyStatus status) { return {.status = static_cast<std::uint32_t>(status)}; }

bool is_change(ProxyRequestKind kind) {
  return kind == ProxyRequestKind::kUpdate || kind == ProxyRequestKind::kDelete;
}

}  // namespace

std::set<std::string, std::less<>> approved_tables(std::string_view value) {
  std::set<std::string, std::less<>> tables;
  while (const auto word = libconf::next_braced_word(value, libconf::kListSeparators)) {
    if (!word->starts_with('{') || libconf::balanced_length(*word) != word->size()) {
      add_approved(*word, tables);
      continue;
    }
    std::string_view inside = word->substr(1, word->size() - 2);
    while (const auto inner = libconf::next_braced_word(inside, libconf::kListSeparators))
      add_approved(*inner, tables);
  }
  return tables;
}

Result<std::unique_ptr<ProxyService>> ProxyService::make(ProxyAccess access, const TableContext& context) {
  const Result<std::string> value = context.settings.get(words_for(access).parameter);
  if (!value) return value.error();
  return std::unique_ptr<ProxyService>(new ProxyService(access, approved_tables(*value), context));
}

ProxyReply ProxyService::answer(const ProxyRequest& request) {
  if (is_change(request.kind) && access_ != ProxyAccess::kReadWrite) {
    warnings().warn("proxy-denied", concat("refusing ", libconf::printable(request.table), " ",
                                           to_string(request.kind), " request on non-proxywrite service"));
    return reply_with(ProxyStatus::kDeny);
  }
  if (!approves(request.table)) return reply_with(ProxyStatus::kDeny);
  if (is_change(request.kind)) return change(request);
  return request.kind == ProxyRequestKind::kOpen ? open(request) : lookup(request);
}

bool ProxyService::approves(std::string_view table) {
  if (approved_.contains(without_prefix(table))) return true;
  const AccessWords& words = words_for(access_);
  const std::string shown = libconf::printable(without_prefix(table));
  warnings().warn("proxy-denied", concat("request for unapproved table: \"", shown, "\""));
  warnings().warn("proxy-denied", concat("to approve this table for ", words.access, " access, list ",
                                         kPrefix, shown, " in main.cf:", words.parameter));
  return false;
}

/// Keys come folded, or with kFoldFixed; values go out as they are. A `proxy:` inside another table does not
/// come back here, where nobody would answer.
TableContext ProxyService::context_for(const ProxyRequest& request) const {
  TableContext context = context_;
  context.options = {.fold_keys = false, .bypass_proxy = true};
  if ((request.flags & proxy_flag::kWithNull) != 0)
    context.options.null_termination = NullTermination::kAlways;
  else if ((request.flags & proxy_flag::kNoNull) != 0)
    context.options.null_termination = NullTermination::kNever;
  return context;
}

Result<ProxyService::OpenTable> ProxyService::open_new(std::string_view text,
                                                       const TableContext& context) const {
  const Result<TableSpec> spec = parse_spec(text, "");
  if (!spec) return spec.error();
  if (access_ == ProxyAccess::kReadWrite) {
    auto writable = open_writable(*spec, IfAbsent::kCreate, context);
    if (!writable) return writable.error();
    if (const Result<void> finished = (*writable)->finish(); !finished) return finished.error();
  }
  auto table = libmaps::open(*spec, context);
  if (!table) return table.error();
  return OpenTable{.table = std::move(*table), .keys = find_table_type(spec->type)->keys};
}

ProxyService::OpenTable* ProxyService::open_table(const ProxyRequest& request) {
  const TableContext context = context_for(request);
  std::pair key(std::string(without_prefix(request.table)), context.options.null_termination);
  if (const auto known = tables_.find(key); known != tables_.end()) return &known->second;
  Result<OpenTable> opened = open_new(key.first, context);
  if (!opened) {
    warn_unavailable(key.first, opened.error());
    return nullptr;
  }
  return &tables_.emplace(std::move(key), std::move(*opened)).first->second;
}

void ProxyService::warn_unavailable(std::string_view table, const Error& error) {
  warnings().warn("proxy-unavailable", concat(table, " is unavailable. ", error.message));
}

ProxyReply ProxyService::open(const ProxyRequest& request) {
  const OpenTable* const table = open_table(request);
  // A table that is not available is said to be there, and fails when it is asked: so Postfix has it.
  const bool is_fixed = table != nullptr && table->keys == KeyKind::kFixed;
  ProxyReply reply = reply_with(ProxyStatus::kOk);
  reply.flags = is_fixed ? proxy_flag::kFixed : proxy_flag::kPattern;
  return reply;
}

std::string ProxyService::key_of(const ProxyRequest& request, const OpenTable& table) const {
  const bool folds = (request.flags & proxy_flag::kFoldFixed) != 0 && table.keys == KeyKind::kFixed;
  return folds ? fold_ascii(request.key) : request.key;
}

ProxyReply ProxyService::lookup(const ProxyRequest& request) {
  OpenTable* const table = open_table(request);
  if (table == nullptr) return reply_with(ProxyStatus::kRetry);
  Result<std::optional<std::string>> value = table->table->lookup(key_of(request, *table));
  if (!value) return reply_with(failed(request, value.error()));
  if (!*value) return reply_with(ProxyStatus::kNoKey);
  ProxyReply reply = reply_with(ProxyStatus::kOk);
  reply.value = std::move(**value);
  return reply;
}

ProxyReply ProxyService::change(const ProxyRequest& request) {
  const OpenTable* const table = open_table(request);
  if (table == nullptr) return reply_with(ProxyStatus::kRetry);
  const std::string key = key_of(request, *table);
  const Result<TableSpec> spec = parse_spec(without_prefix(request.table), "");
  auto writable = open_writable(*spec, IfAbsent::kCreate, context_for(request));
  if (!writable) return reply_with(failed(request, writable.error()));
  const Result<bool> changed = request.kind == ProxyRequestKind::kUpdate
                                   ? (*writable)->store(key, request.value, true)
                                   : (*writable)->remove(key);
  if (!changed) return reply_with(failed(request, changed.error()));
  if (const Result<void> finished = (*writable)->finish(); !finished)
    return reply_with(failed(request, finished.error()));
  return reply_with(*changed ? ProxyStatus::kOk : ProxyStatus::kNoKey);
}

ProxyStatus ProxyService::list(const ProxyRequest& request, Entries& entries) {
  if (!approves(request.table)) return ProxyStatus::kDeny;
  if (open_table(request) == nullptr) return ProxyStatus::kRetry;
  const Result<TableSpec> spec = parse_spec(without_prefix(request.table), "");
  auto table = open_iterable(*spec, context_for(request));
  if (!table) return failed(request, table.error());
  const Result<void> listed =
      (*table)->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
        entries.emplace_back(key, value);
        return {};
      });
  return listed ? ProxyStatus::kOk : failed(request, listed.error());
}

/// Says why a table could not tell. Tables warn by themselves where the reason is empty.
ProxyStatus ProxyService::failed(const ProxyRequest& request, const Error& error) {
  if (!error.message.empty())
    warnings().warn("proxy-failed", concat("table ", request.table, ": ", to_string(request.kind),
                                           " error: ", error.message));
  return error.kind == ErrorKind::kConfiguration ? ProxyStatus::kConfig : ProxyStatus::kRetry;
}

ProxySession::Output ProxySession::receive(ProxyService& service, std::string_view bytes) {
  Output output;
  input_.append(bytes);
  std::size_t done = 0;
  for (;;) {
    const std::string_view rest = std::string_view(input_).substr(done);
    const AttributeScan scan = scan_attributes(rest);
    if (scan.state == AttributeScan::State::kIncomplete) break;
    if (scan.state == AttributeScan::State::kTooLong) {
      service.warnings().warn("proxy-failed", "request without end");
      output.closes = true;
      break;
    }
    done += scan.length;
    // A list of nothing asks for nothing.
    if (!scan.attributes.empty()) output.bytes += answer(service, scan.attributes);
  }
  input_.erase(0, done);
  return output;
}

std::string ProxySession::answer(ProxyService& service, const std::vector<Attribute>& attributes) {
  const std::optional<ProxyRequestKind> kind = requested_kind(attributes);
  const std::optional<ProxyRequest> request = parse_request(attributes);
  if (!request) {
    service.warnings().warn("proxy-bad-request",
                            concat("malformed request: ", libconf::printable(attributes.front().name), " = ",
                                   libconf::printable(attributes.front().value)));
    return encode(reply_with(ProxyStatus::kBad), kind);
  }
  return encode(*kind == ProxyRequestKind::kSequence ? sequence(service, *request) : service.answer(*request),
                kind);
}

ProxyReply ProxySession::sequence(ProxyService& service, const ProxyRequest& request) {
  if (request.function == ProxySequence::kFirst || listed_ != request.table) {
    entries_.clear();
    next_ = 0;
    listed_.clear();
    if (const ProxyStatus status = service.list(request, entries_); status != ProxyStatus::kOk)
      return reply_with(status);
    listed_ = request.table;
  }
  if (next_ == entries_.size()) {
    entries_ = {};
    next_ = 0;
    return reply_with(ProxyStatus::kNoKey);
  }
  auto& [key, value] = entries_[next_++];
  ProxyReply reply = reply_with(ProxyStatus::kOk);
  reply.key = std::move(key);
  reply.value = std::move(value);
  return reply;
}

}  // namespace libmaps
