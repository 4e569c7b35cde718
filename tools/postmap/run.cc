#include "tools/postmap/run.h"

#include "libconf/text.h"
#include "tools/postmap/modes.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::Result;

/// What to do, in the order in which the conditions are tried; the last row always applies.
struct Mode {
  bool (*applies)(const Options& options);
  Result<int> (*run)(Session& session);
};
constexpr Mode kModes[] = {
    {[](const Options& o) { return o.query && o.asks_message(); }, query_message},
    {[](const Options& o) { return o.query == "-"; }, query_keys},
    {[](const Options& o) { return o.query.has_value(); }, query_key},
    {[](const Options& o) { return o.remove == "-"; }, delete_keys},
    {[](const Options& o) { return o.remove.has_value(); }, delete_key},
    {[](const Options& o) { return o.dump; }, list_entries},
    {[](const Options& o) { return o.incremental; }, add_entries},
    {[](const Options& o) { return o.all; }, build_all},
    {[](const Options& o) { return o.verify; }, verify_tables},
    {[](const Options& o) { return o.test; }, test_tables},
    {[](const Options&) { return true; }, build_tables},
};

Result<int> run_mode(const Program& program, const Options& options, Streams streams) {
  if (options.help || options.version) {
    streams.output.text() = options.help ? options.help_text
                                         : concat(program.name, " (Postkit) ", POSTKIT_VERSION,
                                                  ", compatible with Postfix 3.12\n");
    return 0;
  }
  if (options.mime && !options.asks_message())
    streams.messages.warn("ignored-option", "ignoring -m option without -b or -h");
  auto session = Session::start(program, options, streams);
  if (!session) return session.error();
  const Mode* mode = kModes;
  while (!mode->applies(options)) ++mode;
  return mode->run(**session);
}

}  // namespace

int run(const Program& program, const std::vector<std::string>& arguments, int input, std::ostream& out,
        std::ostream& err) {
  cli::Output output(out);
  cli::MessagePrinter messages(program.name, err);
  const Result<Options> options = parse_command_line(program, arguments);
  if (!options) {
    messages.fatal(options.error().message);
    return 1;
  }
  const Result<int> status = run_mode(program, *options, {input, output, messages});
  output.flush();
  if (!output.is_good()) {
    messages.fatal("write error on standard output");
    return 1;
  }
  if (status) return *status;
  messages.fatal(status.error().message);
  return 1;
}

}  // namespace postmap
