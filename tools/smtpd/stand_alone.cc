#include "tools/smtpd/stand_alone.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <ostream>
#include <thread>

#include "libconf/file.h"
#include "libconf/text.h"
#include "tools/mta/access/policy_client.h"
#include "tools/mta/dns/scripted_resolver.h"
#include "tools/mta/smtp/smtp_session.h"
#include "tools/mta/submission/user_program.h"
#include "tools/smtpd/no_verifier.h"

namespace smtpd {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

struct Override {
  const char* parameter;
  const char* value;
};

/// The user may send to anybody, as localhost; a working safeguard behind that is insisted on. He may write
/// all at once, with his own ends of lines. What protects a connection has no use where there is none.
constexpr std::array kOverrides = {
    Override{"mynetworks", "127.0.0.1"},
    Override{"smtpd_client_restrictions", ""},
    Override{"smtpd_helo_restrictions", ""},
    Override{"smtpd_sender_restrictions", ""},
    Override{"smtpd_relay_restrictions", "permit_mynetworks, reject"},
    Override{"smtpd_recipient_restrictions", "permit_mynetworks, reject"},
    Override{"smtpd_data_restrictions", ""},
    Override{"smtpd_end_of_data_restrictions", ""},
    Override{"smtpd_etrn_restrictions", "reject"},
    Override{"smtpd_reject_unlisted_recipient", "no"},
    Override{"smtpd_reject_unlisted_sender", "no"},
    Override{"smtpd_authorized_xclient_hosts", ""},
    Override{"smtpd_authorized_xforward_hosts", ""},
    Override{"smtpd_forbid_unauth_pipelining", "no"},
    Override{"smtpd_forbid_bare_newline", "no"},
    Override{"smtpd_sasl_auth_enable", "no"},
    Override{"smtpd_tls_security_level", "none"},
    Override{"smtpd_tls_wrappermode", "no"},
};

/// Carries what comes from one descriptor to the other, up to an end.
void carry(int from, int to) {
  std::array<char, 8192> buffer{};
  for (;;) {
    const ssize_t size = ::read(from, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    if (libconf::write_all(to, {buffer.data(), static_cast<std::size_t>(size)}) != 0) return;
  }
}

Result<void> serve(mta::UserProgram& program, const std::string& postdrop, FileDescriptor socket) {
  libconf::Settings settings = program.settings();
  for (const auto& [name, value] : kOverrides) settings.override_value(name, value);
  const Result<mta::QueueDirectory> queue = mta::QueueDirectory::open(settings);
  if (!queue) return queue.error();
  asio::io_context io(1);
  mta::GroupCommitter committer(1);
  mta::ScriptedResolver resolver;
  mta::PolicyClient policy(io.get_executor(), {});
  NoVerifier verifier;
  mta::ClientRates rates(std::chrono::seconds(1), [] { return std::time(nullptr); });
  const libconf::Host host = libconf::system_host();
  const mta::HostsFile hosts = mta::HostsFile::load("/etc/hosts");
  Result<std::unique_ptr<mta::SmtpService>> service =
      mta::SmtpService::create(std::move(settings), {.io = io,
                                                     .log = program.log(),
                                                     .host = host,
                                                     .hosts = hosts,
                                                     .resolver = resolver,
                                                     .queue = *queue,
                                                     .committer = committer,
                                                     .policy = policy,
                                                     .verifier = verifier,
                                                     .rates = rates,
                                                     .postdrop = postdrop});
  if (!service) return service.error();
  mta::SmtpSession session(
      asio::local::stream_protocol::socket(io, asio::local::stream_protocol(), socket.release()), **service);
  // Not waited for: what else the loop has, such as timers of counters.
  asio::co_spawn(io, session.run(), [&io](const std::exception_ptr&) { io.stop(); });
  io.run();
  return {};
}

}  // namespace

int serve_stand_alone(const std::string& directory, const std::string& postdrop, std::ostream& err) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto program = mta::UserProgram::start("smtpd", mta::configuration_directory(directory), err);
  if (!program) {
    err << "smtpd: fatal: " << program.error().message << std::endl;
    return 1;
  }
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    (*program)->fatal(concat("socketpair: ", std::strerror(errno)));
    return 1;
  }
  // A session wants a socket. Two threads, so that neither waits for the other's side; the one that waits for
  // the user ends with the process.
  const int user = ends[1];
  std::thread([user] {
    carry(STDIN_FILENO, user);
    ::shutdown(user, SHUT_WR);
  }).detach();
  std::thread answers([user] { carry(user, STDOUT_FILENO); });
  const Result<void> done = serve(**program, postdrop, FileDescriptor(ends[0]));
  answers.join();
  if (done) return 0;
  (*program)->fatal(done.error().message);
  return 1;
}

}  // namespace smtpd
