/// The tables of header_checks, mime_header_checks, nested_header_checks, body_checks and
/// milter_header_checks (header_checks(5)), and what their actions do to a message.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/settings.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"
#include "tools/mta/content/check_action.h"
#include "tools/mta/content/cleanup_sink.h"
#include "tools/mta/content/mime_parser.h"

namespace mta {

/// Which tables are asked.
enum class CheckClass : std::uint8_t { kHeader, kMime, kNested, kBody, kMilterHeader };

inline constexpr std::size_t kCheckClasses = 5;

/// "mime_header_checks"
std::string_view parameter_of(CheckClass check_class);

/// Which tables look at such a header.
CheckClass class_of(HeaderKind kind);

/// What the log calls what they look at: "header" or "body".
std::string_view subject_of(CheckClass check_class);

CheckTarget target_of(CheckClass check_class);

/// What the log calls an action: "prepend". Empty: it is not logged.
std::string_view verdict_of(CheckActionKind kind);

/// The open tables. Movable; not thread-safe, as tables are not. One serves any number of messages.
class ContentChecks {
 public:
  /// No tables at all.
  ContentChecks() = default;

  /// Opens what `settings` name. A table that cannot be opened is warned of, and every lookup in it fails, so
  /// that no mail passes unchecked. Errors: as Settings::get(). `client`: those of a client that delivers,
  /// "smtp_" for smtp_header_checks.
  static libconf::Result<ContentChecks> open(const libconf::Settings& settings,
                                             const libmaps::TableContext& context,
                                             std::string_view client = {});

  bool has(CheckClass check_class) const { return !lists_[index(check_class)].empty(); }

  /// The action for a logical header or a body line: the first table that has one decides. Empty text is
  /// never asked for. An error says in Postfix's words which table could not tell.
  libconf::Result<std::optional<std::string>> lookup(CheckClass check_class, std::string_view text);

 private:
  struct Source {
    std::string spec;
    std::unique_ptr<libmaps::Table> table;  ///< Null: it could not be opened.
  };
  static std::size_t index(CheckClass check_class) { return static_cast<std::size_t>(check_class); }

  std::vector<Source> sources_;                                ///< Each is open once.
  std::array<std::vector<std::size_t>, kCheckClasses> lists_;  ///< Indices of sources, in order.
};

/// Looks at the lines of one message, logs what tables say, and tells the sink what concerns the message as a
/// whole. All references must outlive the object.
class ContentInspection {
 public:
  ContentInspection(ContentChecks& checks, const MessageContext& context, CleanupSink& sink);

  /// False after an action that ends inspection: DISCARD, PASS, REDIRECT, REJECT.
  bool is_on() const { return is_on_; }

  /// Whether a lookup would be made.
  bool covers(CheckClass check_class) const { return is_on_ && checks_.has(check_class); }

  /// What is to be done about the line itself: kIgnore (also for STRIP), kPrepend, kReplace, kDiscard,
  /// kReject; anything else, nothing. A table that could not tell gives kReject with a temporary code.
  /// REQUIRES: covers(check_class).
  CheckAction inspect(CheckClass check_class, std::string_view text);

 private:
  void carry_out(CheckAction& action, CheckClass check_class, std::string_view text);
  CheckAction refuse(CheckClass check_class, std::string_view reason);

  ContentChecks& checks_;
  const MessageContext& context_;
  CleanupSink& sink_;
  bool is_on_;
  bool is_held_ = false;
};

}  // namespace mta
