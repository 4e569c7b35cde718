/// Hands a message to postdrop(1), as sendmail(1) does.
///
///     auto client = PostdropClient::start("/usr/sbin/postdrop");
///     if (!client) return client.error();
///     client->put(RecordType::kSender, "ann");
///     ...
///     PostdropReply reply = client->finish();     // the message is safe when reply.is_done()
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "tools/mta/queue/queue_record.h"
#include "tools/mta/submission/attribute_list.h"
#include "tools/mta/submission/submission_records.h"

namespace mta {

struct PostdropReply {
  int status = 0;            ///< 0, or what went wrong, as cleanup(8) numbers it.
  std::string reason = {};   ///< One for the user; never empty when there is a status.
  std::string warning = {};  ///< What else is to be said, in front of it; may be empty.

  bool is_done() const { return status == 0; }
};

/// One message. Not thread-safe. It waits for the program, whose standard error is ours. Destroyed before
/// finish(), no message comes of it.
class PostdropClient {
 public:
  /// Runs `program -r` with the environment of this process, and waits for the queue ID. Errors:
  /// kInputOutput, "unable to execute PROGRAM -r: ..."; what the program had to say it has said itself.
  static libconf::Result<PostdropClient> start(const std::string& program);
  PostdropClient(PostdropClient&& other) noexcept;
  PostdropClient& operator=(PostdropClient&&) = delete;
  ~PostdropClient();

  /// As postdrop calls the file; pickup(8) gives the message another one.
  const std::string& queue_id() const { return queue_id_; }

  /// The next record. When the program does not take it any more, finish() tells.
  void put(RecordType type, std::string_view payload);
  void attribute(SubmissionAttribute attribute, std::string_view value);

  /// After the end record: waits for the answer.
  PostdropReply finish();

 private:
  PostdropClient(std::string command, pid_t child, libconf::FileDescriptor channel)
      : command_(std::move(command)), child_(child), channel_(std::move(channel)) {}
  void flush();
  libconf::Result<AttributeList> read_list();
  int wait();

  std::string command_;
  pid_t child_ = 0;
  libconf::FileDescriptor channel_;
  AttributeListReader reader_;
  std::string queue_id_;
  std::string output_;
};

}  // namespace mta
