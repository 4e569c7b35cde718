/// What postsuper(1) does to messages.
///
///     Actions actions(program, queue, {"deferred"});
///     Result<void> done = actions.apply(find_action('h'), "4jcPpX1XVWz8NNP");
///     actions.report();
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/submission/user_program.h"
#include "tools/postsuper/queue_walk.h"

namespace postsuper {

/// The numbers that are reported, in that order.
enum class Count { kRenamed, kRequeued, kDeleted, kExpired, kHeld, kReleased };
constexpr std::size_t kCounts = 6;

/// All directories that may be named on the command line, in the order in which repair() looks through them:
/// logs find their places before the messages that they belong to get other names.
constexpr std::array<std::string_view, 9> kDirectories = {
    "bounce", "defer", "trace", "flush", "maildrop", "incoming", "active", "deferred", "hold"};

class Actions;

/// An option with a queue ID.
struct Action {
  char letter;
  std::vector<std::string_view> one;  ///< Directories where one message is looked for, in this order.
  std::vector<std::string_view> all;  ///< Those of which `ALL` are meant.
  /// What happens to a message, or to a file of ALL. Returns whether it was there.
  libconf::Result<bool> (Actions::*to_one)(const std::string& directory, const QueueEntry& entry);
  libconf::Result<bool> (Actions::*to_all)(const std::string& directory, const QueueEntry& entry);
  std::vector<Count> counts;  ///< What it reports, also when that is 0.
};

/// Null: no action has that letter.
const Action* find_action(char letter);

/// Not thread-safe. REQUIRES: queue_directory is the working directory. Safe while the mail system runs: a
/// message has one place at any time, and one that has gone meanwhile was not there.
class Actions {
 public:
  /// `queue`: QueueDirectory::open_here(). `directories`: those of the command line; empty: all.
  Actions(mta::UserProgram& program, const mta::QueueDirectory& queue, std::vector<std::string> directories)
      : program_(program), queue_(queue), directories_(std::move(directories)) {}

  /// Its numbers are reported, also when they are 0.
  void ask_for(const Action& action);

  /// To one message. What is no queue ID is warned of. Errors: "remove file F: REASON".
  libconf::Result<void> apply(const Action& action, const std::string& id);

  /// To all messages. Errors: as apply().
  libconf::Result<void> apply_to_all(const Action& action);

  /// -p: removes files that were never finished and are old.
  libconf::Result<void> purge();

  /// -s, and -S when `checks_long_names`: gives files the names and places that they should have.
  libconf::Result<void> repair(bool checks_long_names);

  /// "Deleted: 3 messages" for each number that was asked for.
  void report();

  libconf::Result<bool> remove_message(const std::string& directory, const QueueEntry& entry);
  libconf::Result<bool> remove_file(const std::string& directory, const QueueEntry& entry);
  libconf::Result<bool> hold(const std::string& directory, const QueueEntry& entry);
  libconf::Result<bool> release(const std::string& directory, const QueueEntry& entry);
  libconf::Result<bool> requeue(const std::string& directory, const QueueEntry& entry);
  libconf::Result<bool> requeue_as_new(const std::string& directory, const QueueEntry& entry);
  libconf::Result<bool> expire(const std::string& directory, const QueueEntry& entry);
  libconf::Result<bool> expire_and_release(const std::string& directory, const QueueEntry& entry);

 private:
  bool is_meant(std::string_view directory) const;
  void count(Count which, const QueueEntry& entry);
  libconf::Result<bool> move(const QueueEntry& entry, mta::Queue to, Count which);
  libconf::Result<bool> repair_file(const std::string& directory, const QueueEntry& entry,
                                    bool checks_long_names);

  mta::UserProgram& program_;
  const mta::QueueDirectory& queue_;
  const std::vector<std::string> directories_;
  bool names_each_ = true;  ///< Messages, as they are dealt with.
  std::array<std::size_t, kCounts> numbers_{};
  std::array<bool, kCounts> is_asked_for_{};
};

}  // namespace postsuper
