#include "tools/postqueue/flush.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "libconf/text.h"
#include "libmaps/domain_keys.h"
#include "tools/cli/fatal.h"
#include "tools/mta/address/domain_syntax.h"
#include "tools/mta/daemon/trigger.h"
#include "tools/mta/daemon/waiting_table.h"
#include "tools/mta/queue/queue_id.h"
#include "tools/mta/submission/attribute_list.h"

namespace postqueue {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::string_view kDown = "Cannot flush mail queue - mail system is down";

/// qmgr(8), TRIGGERS: forget about destinations that were down, and look at all mail, whatever its time.
struct Told {
  std::string_view service_parameter;
  std::string_view requests;
};
constexpr std::array kTold = {Told{"queue_service_name", "FADI"}, Told{"pickup_service_name", "W"}};

/// What flush(8) answers.
enum FlushStatus : int { kDone = 0, kInvalid = 3, kDenied = 4 };

Error down(mta::UserProgram& program, std::string_view why) {
  program.warn(why);
  return fatal(std::string(kDown));
}

Result<mta::AttributeList> read_list(int fd, mta::AttributeListReader& reader, std::string_view what) {
  std::array<char, 4096> buffer{};
  for (;;) {
    if (std::optional<mta::AttributeList> list = reader.take()) return std::move(*list);
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0)
      return Error{.kind = ErrorKind::kTemporary,
                   .message = concat(what, ": ", size < 0 ? std::strerror(errno) : "Application error")};
    if (!reader.feed({buffer.data(), static_cast<std::size_t>(size)}))
      return Error{.kind = ErrorKind::kTemporary, .message = concat(what, ": Application error")};
  }
}

/// One request to flush(8). Returns the status of its answer.
Result<int> ask(mta::UserProgram& program, const mta::AttributeList& request) {
  const Result<std::string> service = program.settings().get("flush_service_name");
  if (!service) return service.error();
  const Result<std::chrono::seconds> limit = program.settings().get_duration("ipc_timeout");
  if (!limit) return limit.error();
  const std::string path = concat("public/", *service);
  const Result<libconf::FileDescriptor> socket = mta::connect_local(path, *limit);
  if (!socket) return down(program, socket.error().message);
  mta::AttributeListReader reader;
  const Result<mta::AttributeList> greeting =
      read_list(socket->get(), reader, concat("read ", path, " socket"));
  if (!greeting) return down(program, greeting.error().message);
  if (mta::find_attribute(*greeting, "protocol") != "queue_flush_protocol")
    return down(program, concat("read ", path, " socket: Application error"));
  const std::string text = mta::format_attribute_list(request);
  const std::string exchange = concat("write/read ", path, " socket");
  if (::send(socket->get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    return down(program, concat(exchange, ": ", std::strerror(errno)));
  const Result<mta::AttributeList> answer = read_list(socket->get(), reader, exchange);
  if (!answer) return down(program, answer.error().message);
  const std::string status(mta::find_attribute(*answer, "status").value_or(""));
  if (status.empty() || status.size() > 6 || status.find_first_not_of("0123456789") != std::string::npos) {
    program.warn(concat("malformed numerical data from ", path,
                        " socket while reading input attribute value: ", status));
    return down(program, concat(exchange, ": Application error"));
  }
  return std::stoi(status);
}

Error not_configured(std::string_view site) {
  return fatal(concat("Flush service is not configured for destination \"", site, "\""));
}

}  // namespace

Result<void> flush_all(mta::UserProgram& program) {
  const Result<std::chrono::seconds> limit = program.settings().get_duration("trigger_timeout");
  if (!limit) return limit.error();
  for (const Told& told : kTold) {
    const Result<std::string> service = program.settings().get(told.service_parameter);
    if (!service) return service.error();
    if (Result<void> done = mta::trigger(concat("public/", *service), told.requests, *limit); !done)
      return down(program, done.error().message);
  }
  return {};
}

Result<void> flush_site(mta::UserProgram& program, const std::string& site) {
  const Result<bool> allows_utf8 = program.settings().get_bool("smtputf8_enable");
  if (!allows_utf8) return allows_utf8.error();
  if (!mta::is_mail_domain(site, *allows_utf8))
    return fatal(concat("Cannot flush mail queue - invalid destination: \"", site, "\""));
  const Result<libmaps::ParentStyle> parents =
      libmaps::parent_style(program.settings(), "fast_flush_domains");
  if (!parents) return parents.error();
  Result<libmaps::MatchList> domains = mta::open_list(
      "fast_flush_domains", {.kind = libmaps::MatchKind::kDomains, .parents = *parents}, program.tables());
  if (!domains) return domains.error();
  const Result<bool> is_eligible = domains->matches(site);
  if (!is_eligible) return is_eligible.error();
  if (!*is_eligible) return not_configured(site);
  const Result<int> status = ask(program, {{"request", "send_site"}, {"site", site}});
  if (!status) return status.error();
  if (*status == kDone) return {};
  if (*status == kInvalid) return fatal(concat("Invalid request: \"", site, "\""));
  if (*status == kDenied) return not_configured(site);
  return fatal(concat("Unknown flush server reply status ", std::to_string(*status)));
}

Result<void> flush_id(mta::UserProgram& program, const std::string& id) {
  if (!mta::is_queue_id(id)) return fatal(concat("Cannot flush queue ID - invalid name: \"", id, "\""));
  const Result<int> status = ask(program, {{"request", "send_file"}, {"queue_id", id}});
  if (!status) return status.error();
  if (*status == kDone) return {};
  if (*status == kInvalid) return fatal(concat("Invalid request: \"", id, "\""));
  return fatal(concat("Unexpected flush server reply status ", std::to_string(*status)));
}

}  // namespace postqueue
