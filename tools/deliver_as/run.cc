#include "tools/deliver_as/run.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <csignal>

#include "libconf/handle.h"
#include "tools/deliver_as/serve.h"
#include "tools/mta/daemon/process.h"

namespace deliver_as {

int run(std::vector<std::string> arguments, std::ostream& err) {
  const libconf::FileDescriptor connection(mta::kFirstInherited);
  struct stat status {};
  if (::fstat(connection.get(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
    err << "deliver_as: fatal: this program is started by the mail system\n";
    return 1;
  }
  ::umask(S_IRWXG | S_IRWXO);
  // Nobody looks into a process that has a queue file open.
  ::prctl(PR_SET_DUMPABLE, 0);
  // Children are not waited for: they answer for themselves.
  ::signal(SIGCHLD, SIG_IGN);  // NOLINT: the constant is the C library's
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT
  serve(connection.get(), arguments);
  return 0;
}

}  // namespace deliver_as
