/// Asks deliver_as(8), a program with privileges, for what must be done as another user.
///
///     auto actions = DeliverAsClient::start("/usr/libexec/postkit/deliver_as", {});   // as root
///     (*actions)->attach(io.get_executor());                       // when privileges have been given up
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "tools/mta/delivery/user_actions.h"

namespace mta {

/// The program ends when the object goes; actions that are under way come to their end all the same.
class DeliverAsClient final : public UserActions {
 public:
  /// Starts the program. `roots` are the directories that commands may have for their root (pipe(8),
  /// chroot=); CommandRun::root counts them from 1. Not started by root, the program acts as its own user
  /// only. Errors: as start_process().
  static libconf::Result<std::unique_ptr<DeliverAsClient>> start(const std::string& program,
                                                                 std::vector<std::string> roots);

  /// REQUIRES: before anything is asked for.
  void attach(const asio::any_io_executor& executor);

  std::uint32_t find_root(std::string_view directory) const override;
  asio::awaitable<ActionResult> deliver(Identity who, MailboxDelivery delivery, int message) override;
  asio::awaitable<CommandResult> run(Identity who, CommandRun command, int message) override;
  asio::awaitable<FileText> read(Identity who, std::string path) override;

 private:
  DeliverAsClient(libconf::FileDescriptor connection, std::vector<std::string> roots)
      : unattached_(std::move(connection)), roots_(std::move(roots)) {}
  asio::awaitable<libconf::Result<std::string>> ask(std::string packet, int message);
  /// What `decode` makes of the answer, which may be nothing.
  template <class Answer>
  asio::awaitable<libconf::Result<Answer>> ask_for(std::optional<Answer> (*decode)(std::string_view),
                                                   std::string packet, int message);
  asio::awaitable<libconf::Result<void>> send(std::string_view packet, int answer, int message);

  libconf::FileDescriptor unattached_;
  std::vector<std::string> roots_;
  std::optional<asio::posix::stream_descriptor> connection_;
};

}  // namespace mta
