#include <span>
#include <vector>

#include "libconf/text.h"
#include "tools/postmap/answer.h"
#include "tools/postmap/line_input.h"
#include "tools/postmap/message_keys.h"
#include "tools/postmap/modes.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;

/// The tables of the command line, opened when it is their turn.
class Tables {
 public:
  explicit Tables(Session& session)
      : session_(session), open_(session.options().tables.size()), labels_(open_.size()) {}

  /// The first value of `key`. Errors: a table that cannot be opened, or could not tell.
  Result<std::optional<std::string>> find(std::string_view key) {
    for (std::size_t i = 0; i < open_.size(); ++i) {
      if (open_[i] == nullptr)
        if (Result<void> opened = open(i); !opened) return opened.error();
      Result<std::optional<std::string>> value = ask(i, key);
      if (!value || *value) return value;
    }
    return std::optional<std::string>();
  }

  Result<void> hold() {
    is_holding_ = true;
    for (const std::unique_ptr<libmaps::Table>& table : open_)
      if (table != nullptr)
        if (Result<void> held = table->hold(); !held) return query_error(*table, held.error());
    return {};
  }

  /// The first table is asked for every key, the others only for what that does not know.
  void expect(std::string_view key) {
    if (open_[0] != nullptr) open_[0]->expect(key);
  }

  std::size_t lookahead() const { return open_[0] != nullptr ? open_[0]->lookahead() : 0; }

  void release() {
    is_holding_ = false;
    for (const std::unique_ptr<libmaps::Table>& table : open_)
      if (table != nullptr) table->release();
  }

 private:
  Result<void> open(std::size_t i) {
    const Result<libmaps::TableSpec> spec = session_.parse_table(session_.options().tables[i]);
    if (!spec) return spec.error();
    auto table = libmaps::open(*spec, session_.context());
    if (!table) return table.error();
    open_[i] = std::move(*table);
    // One key is asked of a table, many are asked of its index: so Postfix names them.
    labels_[i] = session_.options().query == "-" ? open_[i]->name() : concat(spec->type, ":", spec->name);
    if (!is_holding_) return {};
    Result<void> held = open_[i]->hold();
    return held ? held : query_error(*open_[i], held.error());
  }

  Result<std::optional<std::string>> ask(std::size_t i, std::string_view key) {
    Result<std::optional<std::string>> value = open_[i]->lookup(key);
    if (!value) return query_error(*open_[i], value.error());
    if (*value && (*value)->empty()) warn_of_empty_value(session_, labels_[i], key);
    return value;
  }

  static Error query_error(const libmaps::Table& table, Error error) {
    if (error.kind == libconf::ErrorKind::kSyntax) return error;
    const std::string_view separator = error.message.empty() ? "" : ": ";
    error.message = concat("table ", table.name(), ": query error", separator, error.message);
    return error;
  }

  Session& session_;
  std::vector<std::unique_ptr<libmaps::Table>> open_;  ///< Null: not yet.
  std::vector<std::string> labels_;                    ///< What warnings of values call them.
  bool is_holding_ = false;
};

/// Answers keys as they come, and notes whether one was found.
class Answers {
 public:
  explicit Answers(Session& session) : session_(session), tables_(session) {}

  Result<void> answer(std::string_view key) {
    const Result<std::optional<std::string>> value = tables_.find(key);
    if (!value) return value.error();
    if (!*value) return {};
    found_ = true;
    append_answer(session_.output().text(), session_, key, **value);
    return {};
  }

  /// Answers a block of keys: the tables are held for all of them, and the answers go out when they are not
  /// any more, as whoever reads them may be slow.
  Result<void> answer_block(const std::function<Result<void>()>& work) {
    Result<void> done = tables_.hold();
    if (done) done = work();
    tables_.release();
    session_.output().flush();
    return done;
  }

  /// Answers keys of which the later ones are known already: tables fetch what those will need.
  Result<void> answer_all(std::span<const std::string_view> keys) {
    std::size_t expected = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      for (; expected < keys.size() && expected <= i + tables_.lookahead(); ++expected)
        tables_.expect(keys[expected]);
      if (Result<void> answered = answer(keys[i]); !answered) return answered;
    }
    return {};
  }

  int status() const { return found_ ? 0 : 1; }

 private:
  Session& session_;
  Tables tables_;
  bool found_ = false;
};

}  // namespace

Result<int> query_key(Session& session) {
  Tables tables(session);
  const std::string& key = *session.options().query;
  const Result<std::optional<std::string>> value = tables.find(key);
  if (!value) return value.error();
  if (!*value) return 1;
  if (session.options().json) {
    append_answer(session.output().text(), session, key, **value);
  } else {
    session.output().text().append(**value).append("\n");
  }
  return 0;
}

Result<int> query_keys(Session& session) {
  Answers answers(session);
  const Result<void> done =
      for_each_block_of_lines(session.input(), [&](std::span<const std::string_view> keys) {
        return answers.answer_block([&] { return answers.answer_all(keys); });
      });
  if (!done) return done.error();
  return answers.status();
}

Result<int> query_message(Session& session) {
  mta::MimeOptions limits;
  for (const auto& [name, limit] : {std::pair("header_size_limit", &limits.header_size_limit),
                                    std::pair("mime_boundary_length_limit", &limits.boundary_length_limit),
                                    std::pair("mime_nesting_limit", &limits.nesting_limit)}) {
    const Result<std::int64_t> value = session.settings().get_int(name);
    if (!value) return value.error();
    *limit = static_cast<std::size_t>(*value);
  }
  const Options& options = session.options();
  Answers answers(session);
  const Result<void> done = for_each_message_key(
      session.input(), {.headers = options.headers, .body = options.body, .mime = options.mime}, limits,
      [&](const std::function<Result<void>()>& work) { return answers.answer_block(work); },
      [&](std::string_view key) { return answers.answer(key); });
  if (!done) return done.error();
  return answers.status();
}

}  // namespace postmap
