// Serves tables as proxymap does, for the integration tests: proxy_program read|write SOCKET MAIN_CF. Prints
// each warning to standard error, and ends when it is killed.
#include <iostream>
#include <string_view>

#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "tests/libmaps/proxy_listener.h"

namespace {

class PrintingSink final : public libconf::DiagnosticSink {
 public:
  void report(libconf::Diagnostic diagnostic) override {
    std::cerr << "warning: " << diagnostic.message << std::endl;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto document = libconf::MainCfDocument::load(argv[3]);
  if (!document) {
    std::cerr << document.error().message << '\n';
    return 1;
  }
  const libconf::Settings settings(&*document, libconf::system_host());
  PrintingSink sink;
  const auto access =
      std::string_view(argv[1]) == "write" ? libmaps::ProxyAccess::kReadWrite : libmaps::ProxyAccess::kRead;
  const auto service = libmaps::ProxyService::make(access, {.settings = settings, .warnings = sink});
  if (!service) {
    std::cerr << service.error().message << '\n';
    return 1;
  }
  postkit_test::ProxyListener listener(**service, argv[2]);
  for (;;) listener.serve(-1);
}
